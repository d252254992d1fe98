import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { postgresServers } from '../../test/support/postgres.ts';
import { setTable } from './support.ts';

interface Rehearsed {
  readonly migrations: {
    readonly version: number;
    readonly statements: {
      readonly line: number;
      readonly milliseconds: number;
      readonly walBytes: number;
      readonly locks: { readonly relation: string; readonly mode: string }[];
      readonly rewritten: string[];
    }[];
  }[];
}

const files = {
  '1_a.up.sql': `create type mood as enum ('good');
create table customers (id uuid primary key default gen_random_uuid(), name text not null, mood mood not null);
create table orders (
  id bigint generated always as identity primary key, customer_id uuid references customers (id), total integer not null,
  at timestamptz not null, paid boolean not null, tags text[] not null, extra jsonb not null, small smallint not null);
`,
  '2_b.up.sql': `alter table orders add column note text;
alter table orders alter column total type numeric(12, 2);
alter table orders add constraint total_positive check (total > 0);
`,
  '3_c.up.sql': 'create index concurrently orders_by_total on orders (total);\n',
};

test.each(postgresServers())('the locks and rewrites that happen are measured, on $name', async (server) => {
  const bench = await setTable(files, server);
  await bench.migrate(['up', '1']);
  const ended = await bench.migrate(['rehearse', '--rows', 'customers=50,orders=40000', '--format', 'json']);
  expect(ended.status, ended.stderr).toBe(0);
  const { migrations } = JSON.parse(ended.stdout) as Rehearsed;
  expect(migrations.map(({ version }) => version)).toEqual([2, 3]);
  const [add, type, check] = migrations[0]?.statements ?? [];
  const orders = (mode: string) => expect.arrayContaining([{ relation: 'orders', mode, earlier: false }]);
  expect(add).toMatchObject({ line: 1, locks: orders('ACCESS EXCLUSIVE'), rewritten: [] });
  expect(type).toMatchObject({ line: 2, rewritten: ['orders'] });
  // 40,000 rows of fifty bytes at least.
  expect(type?.walBytes).toBeGreaterThan(1_000_000);
  expect(check?.rewritten).toEqual([]);
  expect(migrations[1]?.statements[0]).toMatchObject({
    locks: orders('SHARE UPDATE EXCLUSIVE'),
    rewritten: [],
  });
  // Nothing of it is in the database, and no scratch database is left.
  expect(await bench.value('select count(*)::int from orders')).toBe(0);
  expect(
    await bench.value(
      "select count(*)::int from pg_database where datname like current_database() || '\\_\\_scratch%'",
    ),
  ).toBe(0);
});

test('--all begins with nothing, and tables are filled as soon as they are there', async () => {
  const bench = await setTable(files);
  const { status, stdout, stderr } = await bench.migrate(['rehearse', '--all', '--rows', 'orders=1_000']);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(
    /^shop: 3 migrations rehearsed on Postgres \d+\S*, orders with 1,000 rows\n1 a {2}\d+ ms\n/,
  );
  expect(stdout).toMatch(
    / {2}line 2 {2}\d+\.\d ms {2}\d+ \w+ of log {2}alter table orders alter column total type numeric\(12, 2\)\n/,
  );
  expect(stdout).toMatch(
    / {4}locks: ACCESS EXCLUSIVE on orders, readers wait, since an earlier statement\n {4}locks: .*\n? {4}writes orders anew/s,
  );
});

test.each([
  [['--rows', 'orders'], 2, /--rows: expected table=number, not "orders"/],
  [['--rows', 'orders=0'], 2, /expected table=number/],
  [['--rows', 'nothing=5'], 2, /there is no table nothing/],
  [['--rows', 'a"b;drop=5'], 2, /--rows/],
  [['--fill', '/nowhere/x.sql'], 2, /cannot be read/],
] as const)('what makes no sense is refused: %j', async (args, status, expected) => {
  const bench = await setTable(files);
  expect(await bench.migrate(['rehearse', ...args])).toMatchObject({
    status,
    stderr: expect.stringMatching(expected),
  });
});

test('a constraint that made-up rows break is named, and SQL of one’s own helps', async () => {
  const bench = await setTable({
    '1_a.up.sql': "create table codes (code text not null check (code ~ '^[A-Z]{3}$'));\n",
    '2_b.up.sql': 'update codes set code = lower(code) where false;\n',
  });
  await bench.migrate(['up', '1']);
  const refused = await bench.migrate(['rehearse', '--rows', 'codes=10']);
  expect(refused).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(
      /rows of codes cannot be made up: .*codes_code_check.*\(23514\)[\s\S]*--fill FILE/,
    ),
  });
  const fill = join(bench.folder, 'fill.txt');
  await writeFile(fill, "insert into codes select 'ABC' from generate_series(1, 100)");
  expect((await bench.migrate(['rehearse', '--fill', fill])).status).toBe(0);
});

test('a statement that fails is shown with its place', async () => {
  const bench = await setTable({
    ...files,
    '4_d.up.sql': 'select 1;\nalter table ordres add column x int;\n',
  });
  const { status, stderr } = await bench.migrate(['rehearse', '--all']);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /4 d failed in the rehearsal\n {2}\S+4_d.up.sql:2:13 {2}relation "ordres" does not exist[\s\S]*scratch database; nothing else was touched/,
  );
});
