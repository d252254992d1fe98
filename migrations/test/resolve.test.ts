import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { type Files, onTerminal, setTable, steady } from './support.ts';

const table: Files = {
  '1_table.up.sql': 'create table t (id int, name text);',
  '1_table.down.sql': 'drop table t;',
};
const half: Files = {
  '2_half.up.sql': `alter table t add column extra int;
create unique index concurrently t_unique on t (id);
alter table t add column never int;`,
  '2_half.down.sql': 'alter table t drop column extra, drop column never;\ndrop index concurrently t_unique;',
};
const production = { MIGRATION_ENVIRONMENT: 'production' };
const minimal = ['--backup', 'none', '--validation', 'minimal', '--approval', 'none'];
const row = 'select version::text, dirty from schema_migrations';

describe.each(postgresServers())('on $name', (server) => {
  test('a step that landed in part is told object by object, and what a person says is recorded', async () => {
    const bench = await setTable({ ...table, ...half }, server);
    await bench.migrate(['up', '1']);
    await once(bench.database.ownerUrl, 'insert into t values (1), (1)');
    const failed = await bench.migrate(['up', ...minimal], production);
    expect(failed.stderr).toMatch(/try: migrate resolve\n$/);
    const asked = await bench.migrate(['resolve', '--yes'], production);
    expect({ status: asked.status, stderr: steady(asked.stderr, bench) }).toEqual({
      status: 5,
      stderr: [
        'migrate: shop is dirty at 2, and what landed is not for a program to complete',
        '  2 half (up) began and did not finish; 1 of 3 statements landed for certain, the next may have',
        '    landed: column public.t.extra',
        '    not landed: column public.t.never',
        '    otherwise: index public.t_unique',
        '  a part of what it makes is there',
        '  complete it or undo it by hand, then: migrate resolve --applied, or migrate resolve --pending',
        '',
      ].join('\n'),
    });
    expect(await bench.rows(row)).toEqual([['2', true]]);
    await once(
      bench.database.ownerUrl,
      'drop index t_unique; delete from t; alter table t drop column extra',
    );
    const told = JSON.parse(
      (await bench.migrate(['resolve', '--dry-run', '--format', 'json'], production)).stdout,
    );
    expect(told).toMatchObject({
      recorded: 'pending',
      dryRun: true,
      dirty: { verdict: 'not landed', version: 2, statements: 3 },
    });
    expect(await bench.rows(row)).toEqual([['2', true]]);
    const alone = await bench.migrate(['resolve'], production);
    expect(alone.status).toBe(7);
    const typed = await onTerminal(bench, 'resolve', 'yes\n', production);
    expect(typed.shown).toMatch(/shop: 2 is recorded as pending; nothing was run/);
    expect(await bench.rows(row)).toEqual([['1', false]]);
    expect((await bench.migrate(['up', ...minimal], production)).status).toBe(0);
    expect((await bench.migrate(['verify'])).status).toBe(0);
    expect((await bench.migrate(['resolve'])).stdout).toBe('shop is not dirty; nothing to resolve\n');
  });

  test('a step that a killed run had finished but not recorded is recorded as applied', async () => {
    const bench = await setTable(
      { ...table, '2_index.up.sql': 'create index concurrently t_id on t (id);' },
      server,
    );
    await bench.migrate(['up', '1']);
    const row2 = `insert into schema_migrations_history (version, description, statements_applied) values (2, 'index', 0)`;
    await once(bench.database.ownerUrl, `update schema_migrations set version = 2, dirty = true; ${row2}`);
    await once(bench.database.ownerUrl, 'create index t_id on t (id)');
    const { stdout } = await bench.migrate(['resolve', '--yes'], production);
    expect(stdout).toMatch(
      /^shop: 2 is recorded as applied; nothing was run\n[\s\S]*landed: index public.t_id\n/,
    );
    expect(await bench.rows(row)).toEqual([['2', false]]);
    expect((await bench.migrate(['up'])).stdout).toBe('shop is at 2, nothing to do\n');
  });

  test('a step down is resolved both ways', async () => {
    const bench = await setTable(
      {
        ...table,
        '2_two.up.sql': 'create index t_id on t (id); create view v as select id from t;',
        '2_two.down.sql':
          'drop index concurrently t_id; drop view v; select 1/(select count(*) from t where id = 9);',
      },
      server,
    );
    await bench.migrate(['up']);
    const failed = await bench.migrate(['down', ...minimal], production);
    expect(failed.stderr).toMatch(/2_two.down.sql failed half-way/);
    const first = await bench.migrate(['resolve', '--yes'], production);
    expect(first.stderr).toMatch(/2 two \(down\) began and did not finish[\s\S]*landed: index public.t_id/);
    await bench.migrate(['resolve', '--pending', '--yes'], production);
    expect(await bench.rows(row)).toEqual([['2', false]]);
    await once(bench.database.ownerUrl, 'create index t_id on t (id)');
    expect((await bench.migrate(['verify'])).status).toBe(0);
    await bench.migrate(['down', ...minimal], production);
    await once(bench.database.ownerUrl, 'drop view v');
    const applied = await bench.migrate(['resolve', '--applied', '--yes'], production);
    expect(applied.stdout).toMatch(/2 is recorded as applied/);
    expect(await bench.rows(row)).toEqual([['1', false]]);
    expect(await bench.rows('select version::text from schema_migrations_history')).toEqual([['1']]);
  });

  test('a dirty row that golang-migrate left is understood', async () => {
    const bench = await setTable({ ...table, '2_view.up.sql': 'create view v as select id from t;' }, server);
    await once(
      bench.database.ownerUrl,
      `create table schema_migrations (version bigint primary key, dirty boolean not null); insert into schema_migrations values (2, true);
       create table t (id int, name text)`,
    );
    const told = await bench.migrate(['resolve', '--yes'], production);
    expect(told.stdout).toMatch(
      /2 is recorded as pending[\s\S]*another tool ran it[\s\S]*not landed: view public.v/,
    );
    expect(await bench.rows(row)).toEqual([['1', false]]);
    expect((await bench.migrate(['up', ...minimal], production)).stdout).toMatch(
      /1 migration applied, from 1 to 2/,
    );
  });
});

test('a file that changes rows is not for the schema to tell of, and both answers at once are none', async () => {
  const bench = await setTable({ ...table, '2_rows.up.sql': 'vacuum t; insert into t values (2);' });
  await bench.migrate(['up', '1']);
  await once(
    bench.database.ownerUrl,
    `update schema_migrations set version = 2, dirty = true; insert into schema_migrations_history (version, description, statements_applied) values (2, 'rows', 1)`,
  );
  const asked = await bench.migrate(['resolve', '--yes']);
  expect(asked.status).toBe(5);
  expect(asked.stderr).toMatch(/the schema alone does not tell: it changes rows/);
  expect((await bench.migrate(['resolve', '--applied', '--pending'])).status).toBe(2);
  expect((await bench.migrate(['resolve', '--applied', '--yes'])).status).toBe(0);
  expect(await bench.rows(row)).toEqual([['2', false]]);
});
