import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { setTable, type Workbench } from './support.ts';

const base = {
  '1_orders.up.sql': 'create table orders (id bigint generated always as identity primary key, note text);\n',
  '1_orders.down.sql': 'drop table orders;\n',
};

/** Writes files into sub-folders too. */
async function place(bench: Workbench, files: Readonly<Record<string, string | object>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(bench.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, undefined, 2));
  }
}

/** Of a window that opens in so many hours and is open for one. */
function windowIn(hours: number) {
  const time = (offset: number) => new Date(Date.now() + offset * 3_600_000).toISOString().slice(11, 16);
  return { from: time(hours), to: time(hours + 1), zone: 'UTC' };
}

test('an overlay applies in its environment alone, and the plan names it', async () => {
  const bench = await setTable(base);
  await place(bench, {
    'development/2_people.up.sql': "insert into orders (note) values ('try me');\n",
    'development/2_people.down.sql': "delete from orders where note = 'try me';\n",
    'staging/3_index.up.sql': 'create index concurrently orders_by_note on orders (note);\n',
    'staging/3_index.down.sql': 'drop index concurrently orders_by_note;\n',
  });
  const plan = await bench.migrate(['plan']);
  expect(plan.stdout).toContain('2  people  up  1 statement, of the overlay development\n');
  expect(JSON.parse((await bench.migrate(['plan', '--format', 'json'])).stdout)).toMatchObject({
    steps: [
      { version: 1, overlay: null },
      { version: 2, overlay: 'development' },
    ],
  });
  expect((await bench.migrate(['up'])).stdout).toMatch(/2 migrations applied, from none to 2/);
  expect((await bench.migrate(['down'])).stdout).toMatch(/1 migration taken back, from 2 to 1/);
  expect(await bench.value('select count(*)::int from orders')).toBe(0);
  // In staging the overlay of development is not there, and what it applied is missing.
  await bench.migrate(['up']);
  const staging = { MIGRATION_ENVIRONMENT: 'staging', MIGRATION_APPROACH: 'aggressive' };
  const elsewhere = await bench.migrate(['up'], staging);
  expect(elsewhere.status).toBe(6);
  expect(elsewhere.stderr).toMatch(/2 people/);
});

test('an overlay cannot hold a version of the base, nor half of a pair', async () => {
  const bench = await setTable(base);
  await place(bench, {
    'development/1_other.up.sql': 'select 1;\n',
    'development/1_orders.down.sql': 'select 1;\n',
  });
  const { status, stderr } = await bench.migrate(['up']);
  expect(status).toBe(3);
  expect(stderr).toMatch(
    /development\/1_other.up.sql {2}version 1 is already that of 1_orders.up.sql outside this overlay, which adds to it and changes nothing of it/,
  );
  // The other environments do not have this mistake; validate looks at all of them.
  expect((await bench.migrate(['plan'], { MIGRATION_ENVIRONMENT: 'staging' })).status).toBe(0);
  const validated = await bench.migrate(['validate'], { MIGRATION_ENVIRONMENT: 'staging' });
  expect(validated.status).toBe(3);
  expect(validated.stdout).toMatch(/1_other.up.sql {2}error {2}file\n/);
});

test('environments.json gives an environment settings of its own; what is stated elsewhere wins', async () => {
  const bench = await setTable(base);
  await place(bench, { 'environments.json': { staging: { approach: 'aggressive', timeout: '2m' } } });
  const planned = async (more: NodeJS.ProcessEnv, ...args: string[]) => {
    const { stdout } = await bench.migrate(['plan', '--format', 'json', ...args], more);
    return (JSON.parse(stdout) as { strategy: string }).strategy;
  };
  expect(await planned({ MIGRATION_ENVIRONMENT: 'staging' })).toBe('aggressive');
  expect(await planned({ MIGRATION_ENVIRONMENT: 'staging', MIGRATION_APPROACH: 'careful' })).toBe('careful');
  expect(await planned({ MIGRATION_ENVIRONMENT: 'staging' }, '--approach', 'conservative')).toBe(
    'conservative',
  );
  expect(await planned({ MIGRATION_ENVIRONMENT: 'production' })).toBe('conservative');
});

test.each([
  ['{', /environments.json is no JSON\n {2}\S+environments.json:1:\d+ {2}/],
  ['[]', /expected \{ "production"/],
  ['{ "prod": {} }', /environments.json:1:11 {2}unknown environment "prod"/],
  ['{ "staging": { "aproach": "careful" } }', /1:27 {2}unknown setting "aproach"; did you mean approach\?/],
  ['{ "staging": { "databaseUrl": "postgres://x" } }', /unknown setting "databaseUrl"/],
  ['{ "staging": {}, "staging": {} }', /names a key twice/],
  ['{ "staging": { "windows": [] } }', /a list of windows, and one at least/],
  [
    '{ "staging": { "windows": [{ "from": "9", "to": "25:00", "zone": "Mars", "days": ["sun"], "at": 1 }] } }',
    /unknown key "at"[\s\S]*days: expected[\s\S]*from: expected[\s\S]*to: expected[\s\S]*zone: expected/,
  ],
  ['\ufeff{ "staging": { "timeout": ["1s"] } }', /expected one value/],
  ['{ "staging": \0 }', /NUL byte/],
])('environments.json that is wrong is refused with the place: %j', async (text, expected) => {
  const bench = await setTable(base);
  await place(bench, { 'environments.json': text });
  const { status, stderr } = await bench.migrate(['up']);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(expected) });
  expect(await bench.value("select to_regclass('orders')")).toBeNull();
});

test('outside its maintenance window production does not migrate, and is told when it may', async () => {
  const bench = await setTable(base);
  await place(bench, { 'environments.json': { production: { windows: [windowIn(2)] } } });
  const production = {
    MIGRATION_ENVIRONMENT: 'production',
    MIGRATION_APPROACH: 'careful',
    MIGRATION_BACKUP: 'none',
    MIGRATION_APPROVAL: 'none',
  };
  const closed = await bench.migrate(['up'], production);
  expect(closed.status).toBe(7);
  expect(closed.stderr).toMatch(
    /window: production may not migrate now: its maintenance window is closed; open: every day, [\s\S]*the next opening is \w+ \d{4}-\d\d-\d\d \d\d:\d\d UTC \(in (1 h \d+|2 h 0) min\)/,
  );
  expect(await bench.value("select to_regclass('orders')")).toBeNull();
  // Looking is always allowed, and so is another environment.
  expect((await bench.migrate(['plan'], production)).status).toBe(0);
  expect((await bench.migrate(['up', '--dry-run'], { MIGRATION_ENVIRONMENT: 'development' })).status).toBe(0);
  const urgent = await bench.migrate(['up', '--outside-window', 'orders are lost'], production);
  expect(urgent.status, urgent.stderr).toBe(0);
  expect(urgent.stderr).toContain('outside the maintenance window of production, because: orders are lost');
  // Nothing to do is no migration.
  expect((await bench.migrate(['up'], production)).status).toBe(0);
});

test('inside of it production migrates, also without safeguards that would look before', async () => {
  const bench = await setTable(base);
  await place(bench, { 'environments.json': { staging: { windows: [windowIn(2)] } } });
  const staging = { MIGRATION_ENVIRONMENT: 'staging', MIGRATION_APPROACH: 'aggressive' };
  expect((await bench.migrate(['up'], staging)).status).toBe(7);
  await place(bench, { 'environments.json': { staging: { windows: [windowIn(2), windowIn(-0.5)] } } });
  const open = await bench.migrate(['up', '--timeout', '1h'], staging);
  expect(open.status, open.stderr).toBe(0);
  expect(open.stderr).toMatch(/the maintenance window closes at .* before the deadline of this run/);
});
