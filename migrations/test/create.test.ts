import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setTable, type Workbench } from './support.ts';

const base = {
  '000001_orders.up.sql': `create table orders (id bigint generated always as identity primary key, total integer, note text, customer_id bigint);
create table customers (id bigint generated always as identity primary key);
create type order_status as enum ('new', 'paid');
create schema sales;
create table sales.items (id bigint primary key, name text);
insert into orders (total, note) select n, 'note ' || n from generate_series(1, 50) n;
`,
};

async function made(bench: Workbench): Promise<string[]> {
  return (await readdir(bench.folder)).filter((name) => !name.startsWith('000001')).sort();
}

/** Creates, validates, and runs up, down, up: the schema after each down is the one before. */
async function prove(bench: Workbench, args: readonly string[]): Promise<string[]> {
  const created = await bench.migrate(['create', ...args]);
  expect(created.stderr).toBe('');
  expect(created.status).toBe(0);
  const files = await made(bench);
  expect(
    created.stdout
      .trim()
      .split('\n')
      .map((path) => path.split('/').at(-1))
      .sort(),
  ).toEqual(files);
  const validated = await bench.migrate(['validate', '--strict']);
  expect(validated.stdout).toMatch(/0 errors, 0 warnings/);
  const before = await bench.migrate(['up', '1']);
  expect(before.status, before.stderr).toBe(0);
  // Postgres drops no enum value, so that the schema after the down file is another.
  if (!args.includes('enum-value')) {
    const verified = await bench.migrate(['verify', '--rollbacks']);
    expect(verified.status, `${verified.stdout}${verified.stderr}`).toBe(0);
  }
  const up = await bench.migrate(['up']);
  expect(up.status, up.stderr).toBe(0);
  const down = await bench.migrate(['down', String(files.length / 2)]);
  expect(down.status, down.stderr).toBe(0);
  expect((await bench.migrate(['up'])).status).toBe(0);
  return files;
}

test.each([
  [
    'table',
    [
      '--on',
      'invoices',
      '--column',
      "id:bigint:pk, number:text:not-null:unique, total:numeric(10,2):not-null:default=0, state:text:default='a,b:c'",
    ],
  ],
  ['table', ['--on', 'sales.invoices']],
  ['column', ['--on', 'orders', '--column', "currency:text:not-null:default='EUR',paid_at:timestamptz"]],
  ['index', ['--on', 'orders', '--column', 'note,total']],
  ['index', ['--on', 'sales.items', '--column', 'name', '--unique']],
  ['constraint', ['--on', 'orders', '--check', 'total >= 0']],
  ['constraint', ['--on', 'orders', '--column', 'customer_id', '--references', 'customers(id)']],
  ['enum-value', ['--enum', 'order_status', '--value', "o'clock", '--after', 'new']],
  ['rename', ['--on', 'orders', '--column', 'note:text', '--to', 'remark']],
  ['rename', ['--on', 'sales.items', '--column', 'name:text', '--to', 'title']],
  ['data', ['--on', 'orders', '--set', 'total = total * 100', '--where', 'total < 10', '--batches', '3']],
  ['function', ['--function', 'sales.settle']],
  ['extension', ['--extension', 'pg_trgm']],
] as const)('a migration of type %s works as it is written: %j', async (type, args) => {
  const bench = await setTable(base);
  const files = await prove(bench, [`new_${type.replace('-', '_')}`, '--type', type, ...args]);
  const pairs: Partial<Record<string, number>> = { constraint: 2, rename: 3, data: 3 };
  expect(files).toHaveLength(2 * (pairs[type] ?? 1));
});

test('a rename keeps both names in step while both are there, and loses no value', async () => {
  const bench = await setTable(base);
  await bench.migrate([
    'create',
    'remark',
    '--type',
    'rename',
    '--on',
    'orders',
    '--column',
    'note:text',
    '--to',
    'remark',
  ]);
  expect((await bench.migrate(['up', '3'])).status).toBe(0);
  expect(
    await bench.value('select count(*)::int from orders where remark is distinct from note or note is null'),
  ).toBe(0);
  await bench.database.query(
    "update orders set note = 'old app' where id = 1; update orders set remark = 'new app' where id = 2",
  );
  await bench.database.query(
    "insert into orders (note) values ('old'); insert into orders (remark) values ('new')",
  );
  expect(
    await bench.rows('select note, remark from orders where id in (1, 2) or id > 50 order by id'),
  ).toEqual([
    ['old app', 'old app'],
    ['new app', 'new app'],
    ['old', 'old'],
    ['new', 'new'],
  ]);
  expect((await bench.migrate(['up'])).status).toBe(0);
  expect((await bench.migrate(['down'])).status).toBe(0);
  expect(await bench.value('select note from orders where id = 2')).toBe('new app');
});

test('batches of data cover each row once', async () => {
  const bench = await setTable(base);
  await bench.migrate([
    'create',
    'cents',
    '--type',
    'data',
    '--on',
    'orders',
    '--set',
    'total = total * 100',
    '--batches',
    '7',
  ]);
  expect((await bench.migrate(['up'])).status).toBe(0);
  expect(await bench.value('select count(*)::int from orders where total = 100 * id')).toBe(50);
});

test.each([
  [
    ['Add User Profiles'],
    2,
    /"Add User Profiles" cannot be a description\n.*\n {2}add_user_profiles would do/,
  ],
  [['../x'], 2, /cannot be a description/],
  [['x\u202ey'], 2, /cannot be a description/],
  [['ａｄｄ'], 2, /add would do/],
  [[''], 2, /cannot be a description/],
  [['a'.repeat(101)], 2, /at most 100/],
  [['x', '--type', 'tabel'], 2, /unknown "tabel"; did you mean table\?/],
  [['x', '--type', 'constructor'], 2, /--type: unknown "constructor"/],
  [['create_user', '--type', 'table'], 2, /the table: "user" is a keyword of SQL/],
  [['x', '--type', 'table', '--on', 'user'], 2, /--on: "user" is a keyword of SQL/],
  [['x', '--type', 'table', '--on', 'Orders'], 2, /lower-case[\s\S]*orders would do/],
  [['x', '--type', 'table', '--on', 'a.b.c'], 2, /expected table or schema.table/],
  [['x', '--type', 'table', '--on', 'o', '--column', 'a:int); drop table orders; --'], 2, /is no type/],
  [['x', '--type', 'table', '--on', 'o', '--column', 'a:int, b int'], 2, /expected name:type/],
  [['x', '--type', 'table', '--on', 'o', '--column', 'a:int,a:int'], 2, /a is named twice/],
  [
    ['x', '--type', 'table', '--on', 'o', '--column', 'a:int:default=1); drop table orders; --'],
    2,
    /is no expression/,
  ],
  [['x', '--type', 'column', '--on', 'orders', '--column', 'a:int:not-null'], 2, /needs a default/],
  [
    [
      'x',
      '--type',
      'constraint',
      '--on',
      'orders',
      '--check',
      'true) not valid, drop column total, add check (true',
    ],
    2,
    /is no condition/,
  ],
  [
    ['x', '--type', 'constraint', '--on', 'orders', '--check', 'true', '--references', 'a(b)'],
    2,
    /either --check or --references/,
  ],
  [['x', '--type', 'data', '--on', 'orders', '--set', 'total = 1, note = 2'], 2, /is no expression/],
  [['x', '--type', 'data', '--on', 'orders', '--set', 'total = 1', '--batches', '1000'], 2, /from 1 to 100/],
  [['x', '--type', 'enum-value', '--enum', 'order_status', '--value', 'a\u0007'], 2, /control characters/],
  [['x', '--type', 'extension', '--extension', 'x"; drop'], 2, /is no name of an extension/],
  [['x', '--needs', 'services-api'], 2, /expected service@version/],
] as const)('what makes no sense is refused and writes nothing: %j', async (args, status, expected) => {
  const bench = await setTable(base);
  const ended = await bench.migrate(['create', ...args]);
  expect(ended).toMatchObject({ status, stderr: expect.stringMatching(expected) });
  expect(await made(bench)).toEqual([]);
});

test('versions go on in the folder’s own way, past those of every overlay', async () => {
  const bench = await setTable({ '7_a.up.sql': 'select 1;\n' });
  await mkdir(join(bench.folder, 'staging'));
  await writeFile(join(bench.folder, 'staging', '8_b.up.sql'), 'select 1;\n');
  await bench.migrate(['create', 'one']);
  await bench.migrate(['create', 'two', '--timestamp']);
  await bench.migrate(['create', 'three']);
  const names = await readdir(bench.folder);
  expect(names).toContain('9_one.up.sql');
  expect(names.some((name) => /^20\d{12}_two.up.sql$/.test(name))).toBe(true);
  // One more than the time: still after everything.
  expect(names.some((name) => /^20\d{12}_three.up.sql$/.test(name))).toBe(true);
  const fresh = join(bench.folder, 'fresh');
  const dry = await bench.migrate(['create', 'first', '--dry-run', '--path', fresh]);
  expect(dry.stdout).toMatch(/==> .*fresh\/000001_first.up.sql\n-- First.\n/);
  expect(await readdir(bench.folder)).not.toContain('fresh');
  expect((await bench.migrate(['create', 'first', '--path', fresh])).status).toBe(0);
  expect((await readdir(fresh)).sort()).toEqual(['000001_first.down.sql', '000001_first.up.sql']);
});

test('many who create at once get a version each, also after one died with its claim', async () => {
  const bench = await setTable(base);
  await writeFile(join(bench.folder, '.migrate-create.claim'), '');
  const past = new Date(Date.now() - 60_000);
  await (await import('node:fs/promises')).utimes(join(bench.folder, '.migrate-create.claim'), past, past);
  const ended = await Promise.all(
    Array.from({ length: 6 }, (_, index) => bench.migrate(['create', `racer_${index}`])),
  );
  expect(ended.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0, 0]);
  const ups = (await made(bench)).filter((name) => name.endsWith('.up.sql'));
  expect(ups.map((name) => name.slice(0, 6))).toEqual([
    '000002',
    '000003',
    '000004',
    '000005',
    '000006',
    '000007',
  ]);
});

test('a template of the service takes the place of ours; what it does not know is told with its place', async () => {
  const bench = await setTable(base);
  await mkdir(join(bench.folder, 'templates'));
  const template = (name: string, text: string) => writeFile(join(bench.folder, 'templates', name), text);
  await template('table.up.sql', '-- ACME\r\ncreate table {{ table }} ({{columns}});');
  expect((await bench.migrate(['create', 'a', '--type', 'table', '--on', 'a_table'])).status).toBe(0);
  expect(await readFile(join(bench.folder, '000002_a.up.sql'), 'utf8')).toMatch(
    /^-- ACME\r\ncreate table a_table \(/,
  );
  await template('table.down.sql', 'drop table {{table}};\n-- {{tabel}}\n');
  const wrong = await bench.migrate(['create', 'b', '--type', 'table', '--on', 'b_table']);
  expect(wrong.status).toBe(3);
  expect(wrong.stderr).toMatch(
    /templates\/table.down.sql:2:4 {2}\{\{tabel\}\} is not known here\n.*known are .*\{\{table\}\}/,
  );
  expect(await made(bench)).not.toContain('000003_b.up.sql');
});

test('--needs adds to dependencies.json and loses nothing of it', async () => {
  const bench = await setTable(base);
  const path = join(bench.folder, 'dependencies.json');
  await bench.migrate(['create', 'a', '--needs', 'services-api@000011, billing@3']);
  await bench.migrate(['create', 'b', '--needs', 'services-api@12']);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    needs: { '000002': ['services-api@000011', 'billing@3'], '000003': ['services-api@12'] },
  });
  await writeFile(path, '{ "needs": [] }');
  const wrong = await bench.migrate(['create', 'c', '--needs', 'x@1']);
  expect(wrong).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/dependencies.json:1:12 {2}expected \{/),
  });
  expect(await made(bench)).not.toContain('000004_c.up.sql');
});
