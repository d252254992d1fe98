import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { setTable, steady } from './support.ts';

const files = {
  '000001_create_users.up.sql':
    'create table users (id bigint generated always as identity primary key, email text not null);\n' +
    'create index users_email on users (email);\n',
  '000001_create_users.down.sql': 'drop table users;\n',
  '000002_add_name.up.sql': 'alter table users add column name text;\n',
  '000002_add_name.down.sql': 'alter table users drop column name;\n',
};

describe.each(postgresServers())('on $name', (server) => {
  test('up applies every migration in order, and again finds nothing to do', async () => {
    const bench = await setTable(files, server);
    const first = await bench.migrate(['up']);
    expect(steady(first.stdout, bench)).toBe('shop: 2 migrations applied, from none to 2, ‹n› ms\n');
    expect(steady(first.stderr, bench)).toBe('000001 create_users … ‹n› ms\n000002 add_name … ‹n› ms\n');
    expect(first.status).toBe(0);
    expect(await bench.migrate(['up'])).toEqual({
      status: 0,
      stdout: 'shop is at 2, nothing to do\n',
      stderr: '',
    });
    expect(await bench.rows('select version::text, dirty from schema_migrations')).toEqual([['2', false]]);
    expect(
      await bench.rows(
        `select version::text, description, length(checksum), applied_at is not null as timed, duration >= 0 as measured, down_sql,
           statements_applied
         from schema_migrations_history order by version`,
      ),
    ).toEqual([
      ['1', 'create_users', 64, true, true, 'drop table users;\n', null],
      ['2', 'add_name', 64, true, true, 'alter table users drop column name;\n', null],
    ]);
  });

  test('a migration that fails is rolled back whole, says where, and leaves the database clean', async () => {
    const bench = await setTable(
      {
        ...files,
        '000003_broken.up.sql':
          'create table kept_out ();\r\n-- naïve 漢字\r\ninsert into users (emial) values (1);\r\n',
        '000004_never.up.sql': 'select 1;',
      },
      server,
    );
    const { status, stdout, stderr } = await bench.migrate(['up']);
    expect(steady(stderr, bench)).toBe(
      [
        '000001 create_users … ‹n› ms',
        '000002 add_name … ‹n› ms',
        'migrate: shop 000003_broken.up.sql failed and was rolled back',
        '  ‹folder›/000003_broken.up.sql:3:20  column "emial" of relation "users" does not exist (42703)',
        '    3 | insert into users (emial) values (1);',
        '      |                    ^',
        '  applied before it: 000001, 000002   not run: 000004',
        '',
      ].join('\n'),
    );
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(await bench.rows('select version::text, dirty from schema_migrations')).toEqual([['2', false]]);
    expect(await bench.value("select to_regclass('kept_out') is null")).toBe(true);
    await bench.write({ '000003_broken.up.sql': 'select 1;' });
    expect((await bench.migrate(['up'])).stdout).toMatch(/^shop: 2 migrations applied, from 2 to 4/);
  });

  test('down takes back the last migration, and by the recorded SQL when its file is gone', async () => {
    const bench = await setTable(files, server);
    await bench.migrate(['up']);
    const { stdout, stderr } = await bench.migrate(['down']);
    expect(steady(stdout + stderr, bench)).toBe(
      'shop: 1 migration taken back, from 2 to 1, ‹n› ms\n000002 add_name (down) … ‹n› ms\n',
    );
    await bench.remove('000001_create_users.down.sql');
    expect((await bench.migrate(['down', '5'])).status).toBe(0);
    expect(await bench.rows('select * from schema_migrations')).toEqual([]);
    expect(await bench.rows('select * from schema_migrations_history')).toEqual([]);
    expect(await bench.value("select to_regclass('users') is null")).toBe(true);
    expect((await bench.migrate(['down'])).stdout).toBe('shop is at none, nothing to do\n');
  });

  test('what golang-migrate applied is taken over, mid-history, and what it rolled back is forgotten', async () => {
    const bench = await setTable(files, server);
    await once(
      bench.database.ownerUrl,
      `create table schema_migrations (version bigint not null primary key, dirty boolean not null);
       insert into schema_migrations values (1, false);
       create table users (id bigint)`,
    );
    expect((await bench.migrate(['up'])).stdout).toMatch(/^shop: 1 migration applied, from 1 to 2/);
    expect(
      await bench.rows('select version::text, checksum is null from schema_migrations_history order by 1'),
    ).toEqual([
      ['1', true],
      ['2', false],
    ]);
    // golang-migrate's `down 1`: its row alone changes.
    await once(
      bench.database.ownerUrl,
      'truncate schema_migrations; insert into schema_migrations values (1, false); alter table users drop column name',
    );
    expect((await bench.migrate(['version'])).stdout).toBe('1\n');
    expect((await bench.migrate(['up'])).stdout).toMatch(/^shop: 1 migration applied, from 1 to 2/);
  });

  test('the app role reads the receipt, and can neither write it nor run DDL', async () => {
    const bench = await setTable(files, server);
    await bench.migrate(['up']);
    const { appUrl } = bench.database;
    expect((await once(appUrl, 'select version from schema_migrations')).rows).toEqual([{ version: '2' }]);
    for (const table of ['schema_migrations', 'schema_migrations_history']) {
      for (const sql of [`delete from ${table}`, `truncate ${table}`, `update ${table} set version = 9`]) {
        await expect(once(appUrl, sql)).rejects.toThrow(`permission denied for table ${table}`);
      }
    }
    await expect(once(appUrl, 'create table mine ()')).rejects.toThrow('permission denied for schema public');
    await once(appUrl, "insert into users (email) values ('a@b')");
  });

  test('a role, search_path or timeout that a migration sets does not reach the next one', async () => {
    const bench = await setTable({}, server);
    await bench.write({
      '1_sets.up.sql': `create temp table t (); set role ${bench.database.app}; set search_path = pg_catalog; set statement_timeout = '1h';
        set session characteristics as transaction read only; prepare p as select 1;`,
      '2_sees.up.sql': `create table seen as select current_user::text as role, current_setting('search_path') as path,
        current_setting('statement_timeout') <> '1h' as limited,
        (select count(*) from pg_prepared_statements) as prepared, to_regclass('t') is null as gone;`,
    });
    expect((await bench.migrate(['up'])).stderr).not.toMatch(/migrate:/);
    expect(await bench.rows('select * from seen')).toEqual([
      [bench.database.owner, '"$user", public', true, '0', true],
    ]);
  });

  test('a deferred constraint that fails at the commit fails its migration', async () => {
    const bench = await setTable(
      {
        '1_tree.up.sql': `create table tree (id int primary key, parent int references tree deferrable initially deferred);
insert into tree values (1, 2);`,
      },
      server,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect(steady(stderr, bench)).toBe(
      [
        'migrate: shop 1_tree.up.sql failed and was rolled back',
        '  ‹folder›/1_tree.up.sql: at the commit: insert or update on table "tree" violates foreign key constraint "tree_parent_fkey" (23503)',
        '  DETAIL: Key (parent)=(2) is not present in table "tree".',
        '',
      ].join('\n'),
    );
    expect(status).toBe(1);
    expect(await bench.value("select to_regclass('tree') is null")).toBe(true);
  });

  test('an error inside a function shows its query and its context', async () => {
    const bench = await setTable(
      { '1_do.up.sql': "select 1;\ndo $$ begin\n  execute 'select * from nowhere';\nend $$;" },
      server,
    );
    expect(steady((await bench.migrate(['up'])).stderr, bench)).toBe(
      [
        'migrate: shop 1_do.up.sql failed and was rolled back',
        '  ‹folder›/1_do.up.sql:2:1  relation "nowhere" does not exist (42P01)',
        '    2 | do $$ begin',
        '      | ^',
        '  in a query inside a function:',
        '    1 | select * from nowhere',
        '      |               ^',
        '  CONTEXT: PL/pgSQL function inline_code_block line 2 at EXECUTE',
        '',
      ].join('\n'),
    );
  });
});

test('a serialization failure or deadlock is tried again within the timeout', async () => {
  const bench = await setTable({
    '1_flaky.up.sql': `create sequence if not exists attempts;
create table flaky ();`,
    '2_flaky.up.sql': `do $$ begin if nextval('attempts') < 3 then raise 'not yet' using errcode = '40001'; end if; end $$;`,
  });
  const { status, stderr } = await bench.migrate(['up']);
  expect(steady(stderr, bench)).toBe(
    [
      '1 flaky … ‹n› ms',
      'warn: 2 flaky: not yet (40001); trying again',
      'warn: 2 flaky: not yet (40001); trying again',
      '2 flaky … ‹n› ms',
      '',
    ].join('\n'),
  );
  expect(status).toBe(0);
});

test('another tool’s schema_migrations is refused by name', async () => {
  const bench = await setTable(files);
  await once(bench.database.ownerUrl, 'create table schema_migrations (version varchar primary key)');
  const { status, stderr } = await bench.migrate(['up']);
  expect({ status, stderr }).toEqual({
    status: 3,
    stderr:
      'migrate: the table "public"."schema_migrations" cannot hold the history: another tool made it: column "dirty" does not exist\n' +
      '  another table can be named with MIGRATIONS_TABLE\n',
  });
});

test('MIGRATIONS_TABLE moves the history, also into a schema that does not exist yet', async () => {
  const bench = await setTable(files);
  const environment = { MIGRATIONS_TABLE: '"tracking.schema".receipts' };
  expect((await bench.migrate(['up'], environment)).status).toBe(0);
  expect((await bench.migrate(['up'], environment)).stdout).toBe('shop is at 2, nothing to do\n');
  expect(await bench.value('select version from "tracking.schema".receipts')).toBe('2');
});

test('a migration of ten thousand statements is one step', async () => {
  const insert = Array.from({ length: 10_000 }, (_, index) => `insert into many values (${index});`).join(
    '\n',
  );
  const bench = await setTable({ '1_many.up.sql': `create table many (n int);\n${insert}` });
  expect((await bench.migrate(['up'])).status).toBe(0);
  expect(await bench.value('select count(*)::int from many')).toBe(10_000);
});

test('a query that returns a million rows keeps none of them', async () => {
  const bench = await setTable({
    '1_rows.up.sql': "select repeat('x', 100) from generate_series(1, 1000000);",
  });
  const { child, ended } = bench.begin(['up'], { NODE_OPTIONS: '--max-old-space-size=40' });
  expect((await ended).stderr).toMatch(/^1 rows … \d+ ms\n$/);
  expect(child.exitCode).toBe(0);
});
