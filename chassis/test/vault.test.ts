import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DevVault, startDevVault } from '@lockstep/vault';
import { escapeIdentifier } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, freePort, type TestDatabase } from '../../test/support/postgres.ts';
import { type Bundle, bundle, run } from '../../test/support/program.ts';

const rootToken = 'root-token-of-this-test';
const secretPath = 'secret/data/probe/app';
let program: Bundle;
let database: TestDatabase;
let folder: string;
let vaultPort: number;
let vault: DevVault;

beforeAll(async () => {
  [program, database, folder, vaultPort] = await Promise.all([
    bundle('chassis/test/programs/probe.ts'),
    createTestDatabase(),
    mkdtemp(join(tmpdir(), 'lockstep-test-credentials-')),
    freePort(),
  ]);
  await database.query(`create table schema_migrations (version bigint primary key, dirty boolean not null);
    insert into schema_migrations values (3, false);
    grant select on schema_migrations to ${database.app}`);
  vault = await startVault();
});

afterAll(async () => {
  await vault.close();
  await Promise.all([program.remove(), database.drop(), rm(folder, { recursive: true })]);
});

beforeEach(() => rotate('first^%&{@/'));

async function call(method: string, path: string, body?: unknown): Promise<{ data: Record<string, string> }> {
  const answer = await fetch(`http://127.0.0.1:${vaultPort}/v1/${path}`, {
    method,
    headers: { 'x-vault-token': rootToken },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? { data: {} } : ((await answer.json()) as { data: Record<string, string> });
}

/** A Vault with an AppRole for the probe, whose credentials lie in files. */
async function startVault(): Promise<DevVault> {
  const started = await startDevVault({ port: vaultPort, rootToken });
  await call('POST', 'sys/auth/approle', { type: 'approle' });
  await call('PUT', 'sys/policies/acl/probe-app', {
    policy: `path "${secretPath}" { capabilities = ["read"] }`,
  });
  await call('POST', 'auth/approle/role/probe-app', { token_policies: ['probe-app'] });
  const roleId = (await call('GET', 'auth/approle/role/probe-app/role-id')).data['role_id'];
  const secretId = (await call('POST', 'auth/approle/role/probe-app/secret-id', {})).data['secret_id'];
  await writeFile(join(folder, 'role_id'), `${roleId}\n`);
  await writeFile(join(folder, 'secret_id'), `${secretId}\n`);
  return started;
}

/** Gives the app role a new password, in Postgres and in Vault. */
async function rotate(password: string): Promise<void> {
  await database.query(`alter role ${escapeIdentifier(database.app)} password '${password}'`);
  const url = new URL(database.appUrl);
  url.password = encodeURIComponent(password);
  await call('POST', secretPath, { data: { connection_string: url.href } });
}

function start(environment: Record<string, string> = {}) {
  return run(program.file, {
    LISTEN_ADDRESS: '127.0.0.1:0',
    VAULT_ADDR: `http://127.0.0.1:${vaultPort}`,
    VAULT_SECRET_PATH: secretPath,
    VAULT_ROLE_ID_FILE: join(folder, 'role_id'),
    VAULT_SECRET_ID_FILE: join(folder, 'secret_id'),
    ...environment,
  });
}

test('an app whose password was rotated reads Vault again and serves on', async () => {
  const app = start();
  const url = `http://${(await app.event('listening'))['address']}`;
  expect((await fetch(`${url}/who`)).status).toBe(200);

  await rotate('second^%&{@/');
  await database.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
    database.app,
  ]);
  await app.event('a connection broke');

  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/who`)));
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  await app.event('the credentials were renewed');
  expect(app.stderr().match(/the credentials were renewed/g)).toHaveLength(1);

  app.child.kill('SIGTERM');
  expect(await app.ended).toBe(0);
  expect(app.stderr()).not.toMatch(/first\^|second\^|first%5E|second%5E/);
});

test('when Postgres refuses the login and Vault knows nothing newer, the answer is 503 and /ready says why', async () => {
  const app = start();
  const url = `http://${(await app.event('listening'))['address']}`;
  await database.query(`alter role ${escapeIdentifier(database.app)} password 'changed behind Vault'`);
  await database.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
    database.app,
  ]);
  await app.event('a connection broke');
  const answer = await fetch(`${url}/who`);
  expect([answer.status, await answer.json()]).toMatchObject([
    503,
    { type: 'urn:lockstep:problem:database-unreachable' },
  ]);
  const ready = await fetch(`${url}/ready`);
  expect([ready.status, await ready.json()]).toMatchObject([
    503,
    {
      type: 'urn:lockstep:problem:database-refused',
      detail: 'the database refused the connection; try: make doctor',
    },
  ]);
  app.child.kill('SIGTERM');
  expect(await app.ended).toBe(0);
});

test('an app that is there before Vault waits for it', async () => {
  await vault.close();
  const app = start();
  await app.event('waiting');
  vault = await startVault();
  await rotate('first^%&{@/');
  await app.event('listening');
  app.child.kill('SIGTERM');
  expect(await app.ended).toBe(0);
});

test('a secret that is not there ends the start with 3, naming the path and no secret', async () => {
  const app = start({ VAULT_SECRET_PATH: 'secret/data/probe/nothing', VAULT_TOKEN: rootToken });
  expect(await app.ended).toBe(3);
  expect(app.stderr()).toContain('secret/data/probe/nothing');
  expect(app.stderr()).not.toContain(rootToken);
});

test('a secret that is no connection string is refused without being shown', async () => {
  await call('POST', secretPath, { data: { connection_string: 'mysql://app:swordfish@db/x' } });
  const app = start();
  expect([await app.ended, app.stderr()]).toEqual([
    2,
    `probe: the connection string from Vault (${secretPath}) is wrong\n  expected a postgres:// URL or key=value pairs\n`,
  ]);
});
