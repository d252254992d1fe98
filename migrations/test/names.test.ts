import { randomBytes } from 'node:crypto';
import { Client, escapeIdentifier } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { setTable } from './support.ts';

const files = {
  '1_table.up.sql': 'create table t (id int);',
  '1_table.down.sql': 'drop table t;',
  '2_index.up.sql': 'create index concurrently t_id on t (id);',
  '2_index.down.sql': 'drop index t_id;',
};

describe.each(postgresServers())('on $name', (server) => {
  test.each(['Up Per "q" db', '1db%\\x', 'dбaß 🐘', "it's;drop", 'esc\x1b[31m'])(
    'every command works in a database and as a role named %j',
    async (words) => {
      const bench = await setTable(files, server);
      const name = `${words}${randomBytes(2).toString('hex')}`;
      const role = `${name} r`;
      const [database, owner] = [name, role].map((identifier) => escapeIdentifier(identifier));
      const { superuserUrl } = server;
      await once(superuserUrl, `create role ${owner} login createdb password 'secret'`);
      await once(superuserUrl, `create database ${database} owner ${owner}`);
      onTestFinished(async () => {
        const own = 'select datname from pg_database where starts_with(datname, $1)';
        for (const { datname } of (await once(superuserUrl, own, [name])).rows) {
          await once(superuserUrl, `drop database ${escapeIdentifier(datname)} with (force)`);
        }
        await once(superuserUrl, `drop role ${owner}`);
      });
      const url = new URL(superuserUrl);
      url.username = encodeURIComponent(role);
      url.password = 'secret';
      url.pathname = encodeURIComponent(name);
      const environment = {
        DATABASE_CONNECTION_STRING: url.href,
        MIGRATION_SERVICE: '',
        MIGRATIONS_TABLE: '"My ""Sch%."."Ta ""b\'le"',
      };
      for (const command of ['up', 'down', 'up', 'recreate', 'undo', 'status', 'plan', 'version']) {
        const { status, stdout, stderr } = await bench.migrate([command], environment);
        expect(stderr).not.toContain('migrate:');
        expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
        expect(status).toBe(0);
      }
      // Of a database in a URL, pg decodes less than libpq and the migrator do.
      const { hostname: host, port } = url;
      const client = new Client({ host, port: Number(port), user: role, password: 'secret', database: name });
      await client.connect();
      const { rows } = await client.query(`select version::int from "My ""Sch%."."Ta ""b'le"`);
      await client.end();
      expect(rows).toEqual([{ version: 2 }]);
    },
  );

  test('a search_path that leads to a temporary schema is refused', async () => {
    const bench = await setTable(files, server);
    const url = new URL(bench.database.ownerUrl);
    url.searchParams.set('options', '-c search_path=pg_temp');
    const environment = { DATABASE_CONNECTION_STRING: url.href.replaceAll('+', '%20') };
    const { status, stderr } = await bench.migrate(['up'], environment);
    const refused =
      /^migrate: the table schema_migrations cannot hold the history: its schema would be pg_temp\S*, which is/;
    expect(stderr).toMatch(refused);
    expect(status).toBe(3);
    const named = await bench.migrate(['up'], { MIGRATIONS_TABLE: 'pg_temp.schema_migrations' });
    expect(named.stderr).toMatch(refused);
  });
});
