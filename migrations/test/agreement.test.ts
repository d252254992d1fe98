import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { type Files, setTable, type Workbench } from './support.ts';

const files: Files = Object.fromEntries(
  [1, 2, 3].flatMap((n) => [
    [`${n}_t${n}.up.sql`, `create table t${n} (id int);`],
    [`${n}_t${n}.down.sql`, `drop table t${n};`],
  ]),
);
const row = 'select version::text, dirty from schema_migrations';
const tables = `select coalesce(string_agg(tablename, ' ' order by tablename), '') from pg_tables where tablename ~ '^t[0-9]'`;
const staging = {
  MIGRATION_ENVIRONMENT: 'staging',
  MIGRATION_BACKUP: 'none',
  MIGRATION_VALIDATION: 'minimal',
  MIGRATION_APPROVAL: 'none',
};

/** By hand: what the receipt says then. */
const changes: Readonly<Record<string, { sql: string; says: string }>> = {
  'the row was deleted': { sql: 'delete from schema_migrations', says: 'none' },
  'the row was deleted and the table vacuumed': {
    sql: 'delete from schema_migrations; | vacuum schema_migrations',
    says: 'none',
  },
  'the row was deleted after a grant': {
    sql: 'grant select on schema_migrations to public | delete from schema_migrations',
    says: 'none',
  },
  'the table was dropped': { sql: 'drop table schema_migrations', says: 'none' },
  'the row says a lower version': { sql: 'update schema_migrations set version = 1', says: '1' },
  'the row was made anew with a lower version': {
    sql: 'delete from schema_migrations; insert into schema_migrations values (2, false)',
    says: '2',
  },
  'the row says -1': { sql: 'update schema_migrations set version = -1', says: 'none' },
  'the row says a version that nobody knows': {
    sql: 'update schema_migrations set version = 99',
    says: '99',
  },
};

async function migrated(server: Parameters<typeof setTable>[1]): Promise<Workbench> {
  const bench = await setTable(files, server);
  expect((await bench.migrate(['up'])).status).toBe(0);
  await once(bench.database.ownerUrl, 'insert into t1 values (7)');
  return bench;
}

async function change(bench: Workbench, sql: string): Promise<void> {
  for (const text of sql.split(' | ')) await once(bench.database.ownerUrl, text);
}

/** As golang-migrate's SetVersion: https://github.com/golang-migrate/migrate/blob/v4.17.1/database/postgres/postgres.go */
function setVersion(version: number | undefined): string {
  const insert = version === undefined ? '' : `insert into schema_migrations values (${version}, false);`;
  return `begin; truncate schema_migrations; ${insert} commit`;
}

describe.each(postgresServers())('on $name', (server) => {
  test.each(Object.entries(changes))(
    'F7.1 F7.2 %s: in development it is put right, and nothing else is touched',
    async (_what, { sql, says }) => {
      const bench = await migrated(server);
      await change(bench, sql);
      const status = await bench.migrate(['status']);
      expect(status.stdout).toMatch(new RegExp(`^shop is at 3 \\(the receipt says ${says}\\), 0 pending\n`));
      expect(status.stdout).toContain(
        `\n  the receipt says ${says}, and the history 3: it was changed by hand\n`,
      );
      expect(await bench.migrate(['up'])).toEqual({
        status: 0,
        stdout: 'shop is at 3, nothing to do\n',
        stderr: `the receipt says ${says}, and the history 3: it says 3 again\n`,
      });
      expect(await bench.rows(row)).toEqual([['3', false]]);
      expect(await bench.rows('select version::int from schema_migrations_history order by 1')).toEqual([
        [1],
        [2],
        [3],
      ]);
      expect(await bench.rows('select * from t1')).toEqual([[7]]);
      expect(await bench.migrate(['up'])).toMatchObject({ status: 0, stderr: '' });
      await bench.write({ '4_t4.up.sql': 'create table t4 (id int);' });
      expect((await bench.migrate(['up'])).stdout).toMatch(/^shop: 1 migration applied, from 3 to 4/);
    },
  );

  test.each(Object.entries(changes))(
    'F7.1 F7.2 %s: elsewhere it is said, and one command puts it right',
    async (_what, { sql, says }) => {
      const bench = await migrated(server);
      await change(bench, sql);
      const before = await bench.rows(
        'select version::int, xmin::text from schema_migrations_history order by 1',
      );
      for (const environment of [staging, { MIGRATION_ENVIRONMENT: '' }]) {
        expect(await bench.migrate(['up'], environment)).toEqual({
          status: 6,
          stdout: '',
          stderr: [
            `migrate: the receipt of shop says ${says}, and its history 3`,
            '  golang-migrate did not write that row, and lockstep writes both at once: it was changed by hand',
            '  force runs nothing; its version is the one that the schema is at',
            '  try: migrate force 3',
            '',
          ].join('\n'),
        });
      }
      for (const command of [['down'], ['goto', '2'], ['up', '1']])
        expect((await bench.migrate(command, staging)).status).toBe(6);
      expect(
        await bench.rows('select version::int, xmin::text from schema_migrations_history order by 1'),
      ).toEqual(before);
      const forced = await bench.migrate(['force', '3', '--yes'], staging);
      expect([forced.status, forced.stdout]).toEqual([
        0,
        `the history of shop says 3, was ${says}; nothing was run\n`,
      ]);
      expect((await bench.migrate(['up'], staging)).stdout).toBe('shop is at 3, nothing to do\n');
      expect(await bench.value(tables)).toBe('t1 t2 t3');
    },
  );

  test('F7.1 a careful run that promises safeguards says so before it asks anybody', async () => {
    const bench = await migrated(server);
    await change(bench, 'delete from schema_migrations');
    const { status, stderr } = await bench.migrate(['up'], { MIGRATION_ENVIRONMENT: 'production' });
    expect([status, stderr.split('\n')[0]]).toEqual([
      6,
      'migrate: the receipt of shop says none, and its history 3',
    ]);
  });

  test('F7.3 the gate keeps to the receipt, and says what the history has', async () => {
    const bench = await migrated(server);
    await change(bench, 'update schema_migrations set version = 1');
    const { status, stderr } = await bench.migrate(['check', '--at-least', '3']);
    expect(status).toBe(3);
    expect(stderr).toContain(
      'is at 1 and the app needs 3\n  the history has 3 as applied: migrate status says more\n  try: migrate up\n',
    );
    expect((await bench.migrate(['up'])).status).toBe(0);
    expect((await bench.migrate(['check', '--at-least', '3'])).status).toBe(0);
  });

  test('F7.4 what golang-migrate took back, or all of it, is taken back, as its own row says', async () => {
    const bench = await migrated(server);
    await once(bench.database.ownerUrl, 'drop table t3');
    await once(bench.database.ownerUrl, setVersion(2));
    expect((await bench.migrate(['status'])).stdout).toMatch(/^shop is at 2, 1 pending\n/);
    expect((await bench.migrate(['up'])).stdout).toMatch(/^shop: 1 migration applied, from 2 to 3/);
    await once(bench.database.ownerUrl, 'drop table t1; drop table t2; drop table t3');
    await once(bench.database.ownerUrl, setVersion(undefined));
    expect((await bench.migrate(['up'], staging)).stdout).toMatch(
      /^shop: 3 migrations applied, from none to 3/,
    );
    expect(await bench.value(tables)).toBe('t1 t2 t3');
  });

  test('F7.4 what golang-migrate forced counts, up and down, and so does a row above the history whose file is there', async () => {
    const bench = await migrated(server);
    await once(bench.database.ownerUrl, setVersion(1));
    expect((await bench.migrate(['version'], staging)).stdout).toBe('1\n');
    await bench.write({
      '4_t4.up.sql': 'create table t4 (id int);',
      '5_t5.up.sql': 'create table t5 (id int);',
    });
    await once(bench.database.ownerUrl, setVersion(4));
    expect((await bench.migrate(['up'], staging)).stdout).toMatch(/^shop: 1 migration applied, from 4 to 5/);
    expect(await bench.value(tables)).toBe('t1 t2 t3 t5');
    await bench.write({ '6_t6.up.sql': 'create table t6 (id int);' });
    await once(bench.database.ownerUrl, 'create table t6 (id int); update schema_migrations set version = 6');
    expect((await bench.migrate(['up'], staging)).stdout).toBe('shop is at 6, nothing to do\n');
  });

  test('F7.4 where somebody put right by hand what golang-migrate left dirty, that counts', async () => {
    const bench = await migrated(server);
    await once(bench.database.ownerUrl, 'drop table t3');
    await once(bench.database.ownerUrl, setVersion(2).replace('false', 'true'));
    expect((await bench.migrate(['up'], staging)).status).toBe(5);
    await once(bench.database.ownerUrl, 'update schema_migrations set dirty = false');
    expect((await bench.migrate(['up'], staging)).stdout).toMatch(/^shop: 1 migration applied, from 2 to 3/);
    expect(await bench.value(tables)).toBe('t1 t2 t3');
  });

  test('F7.4 a version of golang-migrate’s that has no file is missing, not a mistake of the receipt', async () => {
    const bench = await migrated(server);
    await once(bench.database.ownerUrl, setVersion(99));
    const { status, stderr } = await bench.migrate(['up'], staging);
    expect(status).toBe(6);
    expect(stderr).toContain('missing: 99');
  });

  test('F7.5 a history that was deleted is written again from the files up to the receipt', async () => {
    const bench = await migrated(server);
    for (const sql of ['delete from schema_migrations_history', 'drop table schema_migrations_history']) {
      await once(bench.database.ownerUrl, sql);
      expect((await bench.migrate(['status'])).stdout).toMatch(/^shop is at 3, 0 pending\n/);
      expect(await bench.migrate(['up'])).toMatchObject({
        status: 0,
        stdout: 'shop is at 3, nothing to do\n',
      });
    }
    await bench.write({ '4_t4.up.sql': 'create table t4 (id int);' });
    expect((await bench.migrate(['up'], staging)).status).toBe(0);
    expect(await bench.rows('select version::int from schema_migrations_history order by 1')).toEqual([
      [1],
      [2],
      [3],
      [4],
    ]);
  });

  test('F7.1 while a migrator works, nobody who looks sees a disagreement', async () => {
    const bench = await setTable(
      Object.fromEntries(
        Array.from({ length: 12 }, (_, n) => [`${n + 1}_s.up.sql`, `select pg_sleep(0.1), ${n};`]),
      ),
      server,
    );
    const { ended, saw } = bench.begin(['up'], staging);
    await saw(/^1 s/m);
    const seen: string[] = [];
    for (let round = 0; round < 4; round++) seen.push((await bench.migrate(['status'], staging)).stdout);
    expect((await ended).status).toBe(0);
    expect(seen.join('')).not.toContain('receipt');
  });
});
