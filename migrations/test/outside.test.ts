import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { setTable, steady } from './support.ts';

const table = { '1_table.up.sql': 'create table t (id int, name text); insert into t values (1), (1);' };

describe.each(postgresServers())('outside a transaction, on $name', (server) => {
  test('an index is built concurrently, alone, between transactional neighbours', async () => {
    const bench = await setTable(
      {
        ...table,
        '2_index.up.sql': `alter table t add column extra int;
create index concurrently t_id on t (id);
alter table t add column more int;`,
        '2_index.down.sql':
          'drop index concurrently t_id; alter table t drop column extra, drop column more;',
      },
      server,
    );
    expect((await bench.migrate(['up'])).status).toBe(0);
    expect(await bench.value("select indisvalid from pg_index where indexrelid = 't_id'::regclass")).toBe(
      true,
    );
    expect(
      await bench.rows(
        'select statements_applied, duration > 0, applied_at is not null as timed from schema_migrations_history where version = 2',
      ),
    ).toEqual([[null, true, true]]);
    expect((await bench.migrate(['down'])).status).toBe(0);
    expect(await bench.rows('select version::text, dirty from schema_migrations')).toEqual([['1', false]]);
  });

  test('a failure half-way tells what landed and what is left, and leaves the database dirty', async () => {
    const bench = await setTable(
      {
        ...table,
        '2_half.up.sql': `alter table t add column extra int;
create unique index concurrently t_unique on t (id);
alter table t add column never int;`,
        '3_after.up.sql': 'select 1;',
      },
      server,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect(steady(stderr, bench)).toBe(
      [
        '1 table … ‹n› ms',
        'migrate: shop 2_half.up.sql failed half-way: statement 1 of 3 landed; the database is dirty at 2',
        '  ‹folder›/2_half.up.sql:2:34  could not create unique index "t_unique" (23505)',
        '    2 | create unique index concurrently t_unique on t (id);',
        '      |                                  ^',
        '  DETAIL: Key (id)=(1) is duplicated.',
        '  it left an invalid index: t_unique',
        '  applied before it: 1   not run: 3',
        '  try: correct the file, then make db-migrate-up SERVICE=shop (builds a new database, keeps this one)',
        '',
      ].join('\n'),
    );
    expect(status).toBe(1);
    expect((await bench.migrate(['version'])).stdout).toBe('2 (dirty)\n');
    expect((await bench.migrate(['status'])).stdout).toMatch(/^ {2}2 {8}half +dirty$/m);

    const again = await bench.migrate(['up'], { MIGRATION_ENVIRONMENT: '' });
    expect(again).toEqual({
      status: 5,
      stdout: '',
      stderr: [
        'migrate: shop is dirty at 2',
        '  dirty: 2 (up) began and did not finish; statement 1 landed, the next may have',
        '  not recreated: no environment was stated (MIGRATION_ENVIRONMENT), and only development is recreated',
        '  try: make db-migrate-status SERVICE=shop',
        '',
      ].join('\n'),
    });
    expect((await bench.migrate(['down'])).status).toBe(5);

    await bench.write({ '2_half.up.sql': 'create index concurrently t_plain on t (id);' });
    expect((await bench.migrate(['up'])).stdout).toMatch(
      /^shop was recreated: 3 migrations applied, now at 3/,
    );
  });

  test('a statement refused before it did anything leaves the database clean', async () => {
    const bench = await setTable(
      { ...table, '2_typo.up.sql': 'create index concurrently t_typo on t (nmae);' },
      server,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect(steady(stderr, bench)).toBe(
      [
        '1 table … ‹n› ms',
        'migrate: shop 2_typo.up.sql failed before it changed anything',
        '  ‹folder›/2_typo.up.sql:1:40  column "nmae" does not exist (42703)',
        '    1 | create index concurrently t_typo on t (nmae);',
        '      |                                        ^',
        '  applied before it: 1',
        '',
      ].join('\n'),
    );
    expect(status).toBe(1);
    expect(await bench.rows('select version::text, dirty from schema_migrations')).toEqual([['1', false]]);
    await bench.write({ '2_typo.up.sql': 'create index concurrently t_name on t (name);' });
    expect((await bench.migrate(['up'])).status).toBe(0);
  });

  test('a down step that fails half-way is told apart from an up step', async () => {
    const bench = await setTable(
      {
        ...table,
        '2_index.up.sql': 'create index concurrently t_id on t (id);',
        '2_index.down.sql': 'drop index concurrently t_id; drop table absent;',
      },
      server,
    );
    await bench.migrate(['up']);
    const { stderr } = await bench.migrate(['down']);
    expect(stderr).toContain(
      'migrate: shop 2_index.down.sql failed half-way: statement 1 of 2 landed; the database is dirty at 1\n',
    );
    expect(
      (await bench.migrate(['up'], { MIGRATION_ENVIRONMENT: 'staging', MIGRATION_APPROACH: 'aggressive' }))
        .stderr,
    ).toBe(
      [
        'migrate: shop is dirty at 1',
        '  dirty: 2 (down) began and did not finish; statement 1 landed, the next may have',
        '  not recreated: the environment is staging, and only development is recreated',
        '  try: make db-migrate-status SERVICE=shop',
        '',
      ].join('\n'),
    );
  });

  test('settings that a file makes hold for its later statements, and end with it', async () => {
    const bench = await setTable(
      {
        '1_schema.up.sql': 'create schema app; create table app.t (id int);',
        '2_index.up.sql':
          "set search_path = app; set lock_timeout = '7s'; create index concurrently t_id on t (id); create table seen as select current_setting('lock_timeout') as l;",
        '3_after.up.sql': "create table public.after as select current_setting('search_path') as p;",
      },
      server,
    );
    expect((await bench.migrate(['up'])).stderr).not.toContain('migrate:');
    expect(await bench.value('select l from app.seen')).toBe('7s');
    expect(await bench.value('select p from public.after')).toBe('"$user", public');
  });
});

test('what golang-migrate left dirty is understood, and says that nobody knows what landed', async () => {
  const bench = await setTable(table);
  await once(
    bench.database.ownerUrl,
    `create table schema_migrations (version bigint not null primary key, dirty boolean not null);
     insert into schema_migrations values (1, true)`,
  );
  const { status, stderr } = await bench.migrate(['up'], { MIGRATION_ENVIRONMENT: '' });
  expect(status).toBe(5);
  expect(stderr).toContain(
    '  dirty: 1 began and did not finish; nobody recorded which of its statements landed\n',
  );
});

test('IF NOT EXISTS over an index that an earlier attempt left invalid is warned about', async () => {
  const bench = await setTable({
    '1_table.up.sql': 'create table t (id int); insert into t values (1), (1);',
  });
  await bench.migrate(['up']);
  await bench.write({ '2_index.up.sql': 'create unique index concurrently t_id on t (id);' });
  expect((await bench.migrate(['up'], { MIGRATION_ENVIRONMENT: '' })).status).toBe(1);
  await once(bench.database.ownerUrl, 'update schema_migrations set version = 1, dirty = false');
  await bench.write({ '2_index.up.sql': 'create unique index concurrently if not exists t_id on t (id);' });
  const { status, stderr } = await bench.migrate(['up']);
  expect(stderr).toContain(
    'warn: 2 index: the index t_id is invalid and not used; REINDEX INDEX CONCURRENTLY repairs it\n',
  );
  expect(status).toBe(0);
});
