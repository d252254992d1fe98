import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { setTable, steady } from './support.ts';

const one = { '1_item.up.sql': 'create table item (id int);', '1_item.down.sql': 'drop table item;' };

describe.each(postgresServers())('on $name', (server) => {
  test.each([
    [
      'x-migrations-table=m',
      'unknown parameter x-migrations-table; name the table with --table (MIGRATIONS_TABLE)',
    ],
    ['TimeZone=UTC', 'unknown parameter TimeZone; write options=-cTimeZone=…'],
    ['search_path=x', 'unknown parameter search_path; write options=-csearch_path=…'],
  ])('F10.2 ?%s is named, with what to write', async (query, rule) => {
    const bench = await setTable(one, server);
    const { status, stderr } = await bench.migrate(['up'], {
      DATABASE_CONNECTION_STRING: `${bench.database.ownerUrl}?${query}`,
    });
    expect([status, stderr]).toEqual([
      2,
      `config: 1 setting is wrong\n  DATABASE_CONNECTION_STRING: ${rule}\n`,
    ]);
  });

  test.each(['up', 'status', 'version'])(
    'F10.2 a search_path without a schema that exists is named by %s',
    async (command) => {
      const bench = await setTable(one, server);
      const { status, stderr } = await bench.migrate([command], {
        DATABASE_CONNECTION_STRING: `${bench.database.ownerUrl}?options=-csearch_path=nope`,
      });
      expect([status, stderr]).toEqual([
        3,
        'migrate: the table schema_migrations has no schema to be in: no schema of search_path exists\n' +
          '  search_path: nope\n' +
          '  try: create the schema, or name one with MIGRATIONS_TABLE=schema.table\n',
      ]);
    },
  );

  test.each(['require', 'prefer', 'verify-full'])(
    'F10.2 a missing sslrootcert is told of as that, with sslmode=%s',
    async (mode) => {
      const bench = await setTable(one, server);
      const { status, stderr } = await bench.migrate(['up'], {
        DATABASE_CONNECTION_STRING: `${bench.database.ownerUrl}?sslmode=${mode}&sslrootcert=/nope/ca.crt`,
      });
      expect([status, stderr]).toEqual([
        2,
        'migrate: sslrootcert cannot be used: /nope/ca.crt\n  there is no such file\n',
      ]);
    },
  );

  test('F10.2 golang-migrate’s command lines do what they did there', async () => {
    const bench = await setTable(one, server);
    const golang = ['-verbose', `-source=file://${bench.folder}`, '-database', bench.database.ownerUrl];
    expect((await bench.migrate([...golang, 'up'])).status).toBe(0);
    expect((await bench.migrate([...golang, 'force', '-1', '--yes'])).status).toBe(0);
    expect((await bench.migrate([...golang, 'version'])).stdout).toBe('none\n');
    expect((await bench.migrate([...golang, 'force', '1', '--yes'])).status).toBe(0);
    expect((await bench.migrate([...golang, 'down', '-all'])).status).toBe(0);
    for (const args of [
      ['goto', 'none'],
      ['goto', '0'],
    ]) {
      expect((await bench.migrate([...golang, 'up'])).status).toBe(0);
      const { status, stderr } = await bench.migrate([...golang, ...args]);
      expect([args, status, stderr]).toEqual([args, 0, stderr]);
      expect(await bench.value("select to_regclass('item')")).toBe(null);
    }
    const created = await bench.migrate(['create', '-ext', 'sql', '-dir', bench.folder, '-seq', 'more']);
    expect([created.status, created.stdout]).toEqual([0, expect.stringContaining('2_more.up.sql')]);
  });

  test('F10.3 characters that nobody sees are named where an error is', async () => {
    const bench = await setTable(
      {
        '1_space.up.sql': '-- caf\u00e9\u00a0in a comment\ncreate\u00a0table a (id int);\n',
        '2_zero.up.sql': "create table b (id int default '1\u200b');",
      },
      server,
    );
    const first = await bench.migrate(['up']);
    expect(first.status).toBe(1);
    expect(first.stderr).toContain('at 2:7 is U+00A0, a no-break space');
    expect(first.stderr.match(/U\+/g)).toHaveLength(1);
    await bench.write({
      '1_space.up.sql': "create table a (id int); select '\u00a0' as nothing, nope\u200b from a;",
    });
    const second = await bench.migrate(['up']);
    expect(second.stderr).toContain('is U+200B, a zero-width space');
    expect(second.stderr.match(/U\+/g)).toHaveLength(1);
    await bench.write({ '1_space.up.sql': 'create table a (id int);' });
    const third = await bench.migrate(['up']);
    expect([third.status, third.stderr]).toEqual([
      1,
      expect.stringContaining('at 1:34 is U+200B, a zero-width space'),
    ]);
    await bench.write({ '2_zero.up.sql': 'select \u201cid\u201d from a where id = 1 \u2013 1;' });
    const fourth = await bench.migrate(['up']);
    expect(fourth.stderr).toMatch(
      /U\+201C, a typographic quote, and not "\n.*U\+201D.*\n.*U\+2013, a dash, and not -\n/,
    );
  });

  const flyway = `create table schema_migrations (installed_rank int not null, version bigint, dirty boolean,
    installed_by text not null, at timestamptz not null default now())`;
  test.each([
    [flyway, '"public"."schema_migrations"', 'its column installed_rank must have a value'],
    [
      'create table schema_migrations (version bigint)',
      '"public"."schema_migrations"',
      'column "dirty" does not exist',
    ],
    [
      'create table schema_migrations (version varchar(255) primary key, dirty boolean)',
      '"public"."schema_migrations"',
      'its column version is character varying, and not bigint',
    ],
    [
      'create table schema_migrations (version bigint, dirty int)',
      '"public"."schema_migrations"',
      'its column dirty is integer, and not boolean',
    ],
    [
      'create table schema_migrations_history (version bigint, description text)',
      '"public"."schema_migrations_history"',
      'column "down_sql" does not exist',
    ],
    [
      `create table schema_migrations_history (version bigint, description text, checksum text not null, applied_at timestamptz,
         duration int, down_sql text, statements_applied int)`,
      '"public"."schema_migrations_history"',
      'its column checksum must have a value',
    ],
  ])('F10.4 %s is refused at first look, by status too', async (sql, table, reason) => {
    const bench = await setTable(one, server);
    await once(bench.database.ownerUrl, sql);
    for (const command of ['status', 'up', 'version', 'plan']) {
      const { status, stderr } = await bench.migrate([command]);
      expect([command, status, steady(stderr, bench)]).toEqual([
        command,
        3,
        `migrate: the table ${table} cannot hold the history: another tool made it: ${reason}\n` +
          '  another table can be named with MIGRATIONS_TABLE\n',
      ]);
    }
  });

  test('F10.4 columns that fill themselves, and a domain, stand in nobody’s way', async () => {
    const bench = await setTable(one, server);
    await once(
      bench.database.ownerUrl,
      `create domain number as bigint not null; create table schema_migrations (version number primary key,
         dirty boolean not null, at timestamptz not null default now(), n int generated always as identity, note text)`,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect([status, stderr]).toEqual([0, stderr]);
    expect(await bench.value('select version::int from schema_migrations')).toBe(1);
  });

  test('F10.4 a table of names with more to fill is refused in the layout alphabetical', async () => {
    const bench = await setTable({ 'a.sql': 'select 1;' }, server);
    await once(bench.database.ownerUrl, 'create table schema_migrations (name text, batch int not null)');
    for (const command of ['status', 'up']) {
      const { status, stderr } = await bench.migrate([command, '--layout', 'alphabetical']);
      expect([status, stderr]).toEqual([3, expect.stringContaining('its column batch must have a value')]);
    }
  });
});
