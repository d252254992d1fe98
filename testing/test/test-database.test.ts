import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeCatalog } from '../../test/support/catalog.ts';
import { once, type PostgresServer, postgresServers } from '../../test/support/postgres.ts';
import { closeTesting, createTestDatabase, type TestDatabaseOptions } from '../src/index.ts';

const root = join(import.meta.dirname, '../..');
let project: string;

/** A project of one service, `shop`, with one table and one seed. */
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'lockstep test testing-'));
  await writeFile(join(project, 'compose.yaml'), 'services: {}\n');
  await mkdir(join(project, 'shop/migrations/seeds/development'), { recursive: true });
  await write({
    'migrations/1_goods.up.sql':
      'create table goods (id int generated always as identity primary key, name text not null unique);\n',
    'migrations/1_goods.down.sql': 'drop table goods;\n',
    'migrations/seeds/development/1_goods.sql':
      "insert into goods (name) values ('tea') on conflict do nothing;\n",
  });
});
afterEach(async () => {
  await closeTesting();
  await rm(project, { recursive: true });
});

async function write(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) await writeFile(join(project, 'shop', name), text);
}

const ask = async (url: string, sql: string) => (await once(url, sql)).rows as Record<string, unknown>[];

describe.each(postgresServers())('on $name', (server: PostgresServer) => {
  const base = 'shop_tests';
  const create = (more: Partial<TestDatabaseOptions> = {}) =>
    createTestDatabase({ service: 'shop', project, server, ...more });
  const databases = async (kind: string) =>
    (
      await ask(
        server.superuserUrl,
        `select datname from pg_database where datname like '${base}\\_\\_${kind}\\_%'`,
      )
    ).length;

  afterAll(async () => {
    const left = await ask(
      server.superuserUrl,
      `select datname from pg_database where datname like 'shop\\_tests%'`,
    );
    for (const { datname } of left)
      await once(server.superuserUrl, `drop database "${String(datname)}" with (force)`);
    for (const role of ['owner', 'app'])
      await once(server.superuserUrl, `drop role if exists ${base}_${role}`);
  });

  test('each test has its own: migrated, seeded, with both roles', async () => {
    const [one, other] = await Promise.all([create(), create()]);
    expect(one.name).not.toBe(other.name);
    await once(one.appUrl, "insert into goods (name) values ('milk')");
    expect(await ask(one.ownerUrl, 'select name from goods order by id')).toEqual([
      { name: 'tea' },
      { name: 'milk' },
    ]);
    expect(await ask(other.appUrl, 'select name from goods')).toEqual([{ name: 'tea' }]);
    await expect(once(one.appUrl, 'create table mine ()')).rejects.toThrow('permission denied');
    await once(one.ownerUrl, 'create table mine ()');
    expect(await describeCatalog(other.ownerUrl)).not.toContain('mine');
    await one.drop();
    await expect(once(one.appUrl, 'select 1')).rejects.toThrow('does not exist');
    expect(await ask(other.appUrl, 'select name from goods')).toEqual([{ name: 'tea' }]);
  });

  test('an edited migration and an edited seed are in the next one, and the template is made once for each content', async () => {
    await create({ seeds: false });
    await closeTesting();
    await write({ 'migrations/2_price.up.sql': 'alter table goods add column price int default 3;\n' });
    const priced = await create({ seeds: false });
    expect(await ask(priced.appUrl, 'select count(*)::int as n from goods')).toEqual([{ n: 0 }]);
    await closeTesting();
    await write({
      'migrations/seeds/development/1_goods.sql':
        "insert into goods (name) values ('rice') on conflict do nothing;\n",
    });
    const seeded = await create();
    expect(await ask(seeded.appUrl, 'select name, price from goods')).toEqual([{ name: 'rice', price: 3 }]);
    const before = await databases('testing');
    await closeTesting();
    await create();
    expect(await databases('testing')).toBe(before);
  });

  test('a migration that fails is what the test is told, and once it is mended the next one works', async () => {
    await write({ 'migrations/2_wrong.up.sql': 'alter table good add column price int;\n' });
    await expect(create()).rejects.toThrow('2_wrong.up.sql failed and was rolled back');
    await write({ 'migrations/2_wrong.up.sql': 'alter table goods add column price int;\n' });
    const { appUrl } = await create();
    expect(await ask(appUrl, 'select price from goods')).toEqual([{ price: null }]);
  });

  test('workers at once do not see each other’s, and what a killed one left goes with the next', async () => {
    const script = join(project, 'worker.mjs');
    await writeFile(
      script,
      `import { createTestDatabase } from ${JSON.stringify(join(root, 'testing/dist/index.js'))};
       const options = { service: 'shop', project: ${JSON.stringify(project)}, server: ${JSON.stringify({ superuserUrl: server.superuserUrl })} };
       const all = [];
       for (let turn = 0; turn < 6; turn++) all.push((await createTestDatabase(options)).name);
       console.log(all.join(' '));
       if (process.argv[2] === 'hang') setInterval(() => {}, 1000);`,
    );
    const hanging = start(script, 'hang');
    const others = [start(script, 'end'), start(script, 'end')];
    const said = await Promise.all([hanging, ...others].map(({ line }) => line));
    const names = said.flatMap((line) => line.split(' '));
    expect(new Set(names).size).toBe(18);
    await Promise.all(others.map(({ ended }) => ended));
    // Those that ended left theirs; the one that lives is not touched.
    const { name } = await create();
    const [survivors = ''] = said;
    for (const survivor of survivors.split(' ')) {
      expect(
        await ask(server.superuserUrl, `select from pg_database where datname = '${survivor}'`),
      ).toHaveLength(1);
    }
    hanging.child.kill('SIGKILL');
    await hanging.ended;
    await closeTesting();
    await create();
    const left = await ask(
      server.superuserUrl,
      `select datname from pg_database where datname like '${base}\\_\\_test\\_%'`,
    );
    expect(left.map(({ datname }) => datname)).not.toContain(name);
    expect(left.filter(({ datname }) => names.includes(String(datname)))).toEqual([]);
  });

  test('a test that hangs on to its connection loses it with its database', async () => {
    const { appUrl, drop } = await create();
    const client = new Client({ connectionString: appUrl });
    const lost = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await drop();
    await lost;
  });

  test('no role can connect to the template', async () => {
    const { ownerUrl } = await create();
    const [template] = await ask(
      server.superuserUrl,
      `select datname from pg_database where datname like '${base}\\_\\_testing\\_%'`,
    );
    const url = new URL(ownerUrl);
    url.pathname = `/${String(template?.['datname'])}`;
    await expect(once(url.href, 'select 1')).rejects.toThrow(
      /not currently accepting connections|permission denied/,
    );
  });
});

/** Runs a worker; `line` is what it says first. */
function start(script: string, mode: string) {
  const child = spawn(process.execPath, [script, mode], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const line = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.includes('\n')) resolve(stdout.trim());
    });
    void ended.then(() => reject(new Error(stderr)));
  });
  return { child, ended, line };
}

describe('where no stack runs', () => {
  beforeAll(() => closeTesting());

  test('a Postgres of its own is started, and ends with it', async () => {
    const { appUrl } = await createTestDatabase({ service: 'shop', project });
    expect(await ask(appUrl, 'select name from goods')).toEqual([{ name: 'tea' }]);
    // Letters as on the stack's server, where plain C knows none but ASCII's.
    expect(await ask(appUrl, "select lower('ÄÖÜ') as lower")).toEqual([{ lower: 'äöü' }]);
    await closeTesting();
    await expect(once(appUrl, 'select 1')).rejects.toThrow(/ECONNREFUSED|terminat/);
  });

  test('an .env whose ports nobody listens at is no running stack', async () => {
    await writeFile(join(project, '.env'), 'VAULT_ROOT_TOKEN=x\nPOSTGRES_PORT=1\nVAULT_PORT=1\n');
    const { appUrl } = await createTestDatabase({ service: 'shop', project });
    expect(await ask(appUrl, 'select count(*)::int as n from goods')).toEqual([{ n: 1 }]);
  });

  test('both services of this project can be had', async () => {
    for (const service of ['services-api', 'content-api']) {
      await cp(join(root, service, 'migrations'), join(project, service, 'migrations'), { recursive: true });
      const { ownerUrl } = await createTestDatabase({ service, project });
      const files = await readFile(join(root, service, 'migrations/docs/schema.md'), 'utf8');
      const rows = await ask(
        ownerUrl,
        "select count(*)::int as n from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
      );
      expect(Number(rows[0]?.['n'])).toBeGreaterThan(3);
      expect(files).toContain('##');
    }
  });
});
