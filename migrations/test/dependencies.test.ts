import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { setTable, startMigrate } from './support.ts';

const files = {
  '1_a.up.sql': 'create table a ();\n',
  '1_a.down.sql': 'drop table a;\n',
  '2_b.up.sql': 'create table b ();\n',
  '2_b.down.sql': 'drop table b;\n',
};
const needing = (needs: object) => ({ ...files, 'dependencies.json': JSON.stringify({ needs }) });

let serial = 0;
/** Two services with names of their own: the receipts of a server are seen by every test. */
function names() {
  serial += 1;
  return { first: `first-${process.pid}-${serial}`, second: `second-${process.pid}-${serial}` };
}

test('up waits for the other service, which may be under way right now', async () => {
  const { first, second } = names();
  const one = await setTable(needing({ 2: [`${second}@2`] }));
  const two = await setTable(needing({ 2: [`${first}@1`] }));
  const waiting = one.begin(['up'], { MIGRATION_SERVICE: first });
  await waiting.saw(
    new RegExp(
      `2 b waits: ${second}@2 is needed, and no database of this server says it is that of ${second}`,
    ),
  );
  // Each needs a part of the other, and both get through.
  const other = await two.migrate(['up'], { MIGRATION_SERVICE: second });
  expect(other.status, other.stderr).toBe(0);
  const ended = await waiting.ended;
  expect(ended.status, ended.stderr).toBe(0);
  expect(await one.value("select to_regclass('b')::text")).toBe('b');
  // What the other needs cannot be taken back before it.
  const down = await one.migrate(['down', '2'], { MIGRATION_SERVICE: first });
  expect(down.status).toBe(6);
  expect(down.stderr).toMatch(
    new RegExp(
      `${first} cannot go down to none: another service needs more\\n {2}${second} \\(database .*\\) needs ${first}@1`,
    ),
  );
  expect(await one.value("select to_regclass('b')::text")).toBe('b');
  expect((await two.migrate(['down'], { MIGRATION_SERVICE: second })).status).toBe(6);
  expect((await one.migrate(['down'], { MIGRATION_SERVICE: first })).status).toBe(0);
  expect((await two.migrate(['down'], { MIGRATION_SERVICE: second })).status).toBe(0);
  expect((await one.migrate(['down'], { MIGRATION_SERVICE: first })).status).toBe(0);
});

test('what never comes ends with the deadline, says what is missing, and keeps what was applied', async () => {
  const { first, second } = names();
  const one = await setTable(needing({ 2: [`${second}@9`] }));
  const two = await setTable(needing({}));
  expect((await two.migrate(['up'], { MIGRATION_SERVICE: second })).status).toBe(0);
  const ended = await one.migrate(['up', '--timeout', '3s'], { MIGRATION_SERVICE: first });
  expect(ended.status, ended.stderr).toBe(3);
  expect(ended.stderr).toMatch(
    new RegExp(
      `2 b waits for another service, which did not get there within 3 s\\n {2}${second}@9 is needed, and ${second} is at 2 in `,
    ),
  );
  expect(await one.value('select version::int from schema_migrations where not dirty')).toBe(1);
  const interrupted = one.begin(['up'], { MIGRATION_SERVICE: first });
  await interrupted.saw(/2 b waits/);
  interrupted.child.kill('SIGINT');
  expect((await interrupted.ended).status).toBe(130);
});

test('a dirty version of the other service is not there yet', async () => {
  const { first, second } = names();
  const one = await setTable(needing({ 1: [`${second}@2`] }));
  const two = await setTable({ ...needing({}), '2_b.up.sql': 'create index concurrently i on a (x);\n' });
  expect((await two.migrate(['up', '1'], { MIGRATION_SERVICE: second })).status).toBe(0);
  await two.migrate(['force', '2', '--yes'], { MIGRATION_SERVICE: second });
  await two.database.query('update schema_migrations set dirty = true');
  await two.migrate(['version'], { MIGRATION_SERVICE: second });
  const ended = await one.migrate(['up', '--timeout', '2s'], { MIGRATION_SERVICE: first });
  expect(ended.status, ended.stderr).toBe(3);
});

test('a comment that somebody wrote on the database is left alone', async () => {
  const { first } = names();
  const one = await setTable(needing({}));
  const name = String(await one.value('select current_database()'));
  await one.database.query(`comment on database "${name}" is 'ours'`);
  const ended = await one.migrate(['up'], { MIGRATION_SERVICE: first });
  expect(ended.status, ended.stderr).toBe(0);
  expect(ended.stderr).toMatch(/is not written \(another comment is there\)/);
  expect(
    await one.value(
      "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()",
    ),
  ).toBe('ours');
});

test('without a dependencies.json nothing is published', async () => {
  const one = await setTable(files);
  await one.migrate(['up']);
  expect(
    await one.value(
      "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()",
    ),
  ).toBeNull();
});

const roots: string[] = [];
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

async function root(services: Readonly<Record<string, string | object | undefined>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-deps-'));
  roots.push(folder);
  for (const [name, dependencies] of Object.entries(services)) {
    const migrations = join(folder, name, 'migrations');
    await mkdir(migrations, { recursive: true });
    for (const [file, text] of Object.entries(files)) await writeFile(join(migrations, file), text);
    if (dependencies === undefined) continue;
    const text = typeof dependencies === 'string' ? dependencies : JSON.stringify(dependencies);
    await writeFile(join(migrations, 'dependencies.json'), text);
  }
  return folder;
}

test('deps shows the order and the graph, as text, JSON and Mermaid', async () => {
  const folder = await root({ shop: { needs: { 2: ['stock@1'] } }, stock: { needs: {} } });
  const run = async (...args: string[]) =>
    (
      await startMigrate(['deps', '--root', folder, ...args], {
        PATH: process.env['PATH'],
        LOG_FORMAT: 'text',
      }).ended
    ).stdout;
  expect(await run()).toBe(
    '2 services, 1 dependency\n  1. shop 1\n  2. stock 1 to 2\n  3. shop 2\n  shop 2 b needs stock 1 a\n',
  );
  expect(JSON.parse(await run('--format', 'json'))).toMatchObject({
    success: true,
    needs: [{ from: { service: 'shop', version: 2 }, to: { service: 'stock', version: 1 } }],
    order: [
      { service: 'shop', from: 1, to: 1 },
      { service: 'stock', from: 1, to: 2 },
      { service: 'shop', from: 2, to: 2 },
    ],
  });
  expect(await run('--mermaid')).toMatch(/^flowchart LR\n {2}subgraph s0\["shop"\]\n[\s\S]* {2}m0 --> m1\n$/);
});

test.each([
  [
    { shop: { needs: { 1: ['stock@2'] } }, stock: { needs: { 1: ['shop@1'] } } },
    3,
    /a cycle: shop@1 needs stock@1 needs shop@1/,
  ],
  [
    { shop: { needs: { 1: ['stok@1'] } }, stock: { needs: {} } },
    3,
    /dependencies.json:1:\d+ {2}shop@1 needs stok@1: there is no service stok; did you mean stock\?/,
  ],
  [
    { shop: '{ "needs": { "1": ["x"], "01": [], "y": 1, "2": "z" }, "more": 1 }' },
    2,
    /unknown key "more"[\s\S]*expected service@version[\s\S]*expected a list[\s\S]*version 1 is there twice, as 1 and 01[\s\S]*"y" is no version/,
  ],
  [{ shop: '{ "needs": { "1": ["a@1", "a@2"] } }' }, 2, /a is there twice/],
  [{ shop: '[1]' }, 2, /expected \{ "needs"/],
  [{ shop: '{ "needs": { "99999999999999999999": [] } }' }, 2, /is no version/],
  [{}, 2, /holds no <service>\/migrations/],
] as const)('deps refuses %j', async (services, status, expected) => {
  const folder = await root(services);
  const ended = await startMigrate(['deps', '--root', folder], {
    PATH: process.env['PATH'],
    LOG_FORMAT: 'text',
  }).ended;
  expect(ended).toMatchObject({ status, stderr: expect.stringMatching(expected) });
});
