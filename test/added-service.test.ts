import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { incarnation, removeImages } from './support/containers.ts';
import { freePort } from './support/free-port.ts';
import { project } from './support/project-copy.ts';
import { createTestStack, type Ended, type TestStack } from './support/stack.ts';
import { connectionString, login, readSecret } from './support/vault.ts';

/** The project's own images are the other tests'. */
const tag = `added-${randomBytes(4).toString('hex')}`;
let stack: TestStack;
let added: Ended;
let url = '';

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  stack = await createTestStack({ ZEBRA_API_PORT: String(port), LOCKSTEP_IMAGE_TAG: tag });
  // What adding a service reads, and what building one needs.
  for (const file of [
    'package-lock.json',
    'chassis/package.json',
    'scripts/build.mjs',
    'scripts/build',
    'vault/absent-axios.cjs',
  ]) {
    await mkdir(dirname(stack.path(file)), { recursive: true });
    await cp(join(project, file), stack.path(file), { recursive: true });
  }
  await symlink(join(project, 'node_modules'), stack.path('node_modules'));
  added = await stack.stack('service', 'zebra-api');
  expect(added.status, added.stderr).toBe(0);
  execFileSync(process.execPath, ['scripts/build.mjs', 'zebra-api'], { cwd: stack.folder });
  const up = await stack.stack('up');
  expect(up.status, up.stderr + up.stdout).toBe(0);
});
afterAll(async () => {
  await stack?.destroy();
  if (stack !== undefined) await removeImages(stack, tag);
});

test('the new service is ready on its own port, and its route keeps rows in its own database', async () => {
  expect(await (await fetch(`${url}/ready`)).json()).toEqual({ status: 'ready', schemaVersion: 1 });
  const created = await fetch(`${url}/items`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-actor': 'tester' },
    body: '{"name":"first"}',
  });
  expect(created.status).toBe(201);
  const client = new Client({ connectionString: await connectionString(stack, 'zebra-api', 'app') });
  await client.connect();
  const { rows } = await client.query('select current_database() as database, name, created_by from items');
  await client.end();
  expect(rows).toEqual([{ database: 'zebra', name: 'first', created_by: 'tester' }]);
});

test('the services that were there before serve as they did', async () => {
  for (const other of [stack.servicesUrl, stack.contentUrl]) {
    expect((await fetch(`${other}/ready`)).status).toBe(200);
  }
});

test("the new service's roles read their own secret and no other, and nobody else reads theirs", async () => {
  const roles = ['zebra-api/migrator', 'zebra-api/app', 'services-api/migrator', 'services-api/app'];
  for (const role of roles) {
    const token = await login(stack, role.replace('/', '-'));
    for (const other of roles) {
      const expected = other === role ? 200 : 403;
      expect([role, other, (await readSecret(stack, other, token)).status]).toEqual([role, other, expected]);
    }
  }
});

test("the new service's app role gets into no other service's database", async () => {
  const theirs = new URL(await connectionString(stack, 'zebra-api', 'app'));
  theirs.pathname = '/services';
  const stranger = new Client({ connectionString: theirs.href });
  await expect(stranger.connect()).rejects.toMatchObject({ code: '42501' });
});

test('the commands know it by its name', async () => {
  const status = await stack.stack('migrate', '--service', 'zebra-api', 'status', '--format', 'json');
  expect(JSON.parse(status.stdout)).toMatchObject({ version: 1 });
});

test('added once more, nothing changes, and `up` restarts nothing', async () => {
  const running = ['postgres', 'vault', 'services-api', 'content-api', 'zebra-api'];
  const observe = () => Promise.all(running.map((service) => incarnation(stack, service)));
  const before = await observe();
  expect(await stack.stack('service', 'zebra-api')).toEqual({
    status: 0,
    stdout: 'zebra-api is part of the stack; there is nothing to write\n',
    stderr: '',
  });
  expect((await stack.stack('up')).status).toBe(0);
  expect(await observe()).toEqual(before);
});
