import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Deadline, Failure, renderFailure } from '@lockstep/foundation';
import {
  createSecretId,
  type DevVault,
  type DevVaultOptions,
  ensureAppRoleAuth,
  openVault,
  type ReadOptions,
  readRoleId,
  type SecretAccess,
  startDevVault,
  type VaultSession,
  writeAppRole,
  writeEntry,
  writePolicy,
} from '@lockstep/vault';
import { expect, onTestFinished } from 'vitest';
// Loaded lazily by the first session; on a busy machine that alone outlasts the short deadlines of these tests.
import 'node-vault';

export const secretPath = 'secret/data/services-api/app';
export const secretValue = 'postgres://services_app:p%5E%25%26@127.0.0.1:15432/services';

/** Starts a development Vault on a free port; it ends with the test. */
export async function startVault(options: Partial<DevVaultOptions> = {}): Promise<DevVault> {
  const vault = await startDevVault({ port: 0, ...options });
  onTestFinished(() => vault.close());
  return vault;
}

/** A session with the root token, closed after the test. */
export async function openAsRoot(vault: DevVault, milliseconds = 20_000): Promise<VaultSession> {
  const session = await openVault({
    address: vault.address,
    token: vault.rootToken,
    deadline: new Deadline(milliseconds),
  });
  onTestFinished(() => session.close());
  return session;
}

/** One request as curl would send it: the answer's status and body. */
export async function api(
  vault: DevVault,
  method: string,
  path: string,
  body?: unknown,
  token = vault.rootToken,
) {
  const response = await fetch(`${vault.address}/v1/${path}`, {
    method,
    headers: {
      ...(token === '' ? {} : { 'X-Vault-Token': token }),
      ...(method === 'PATCH' ? { 'Content-Type': 'application/merge-patch+json' } : {}),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

/** A folder that is gone after the test. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-vault-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What a bootstrap leaves: an entry, a policy that lets one role read it, and that role's credentials in files. */
export async function seed(vault: DevVault, role: Record<string, string | number | string[]> = {}) {
  const session = await openAsRoot(vault);
  await ensureAppRoleAuth(session);
  await writePolicy(session, 'services-api-app', `path "${secretPath}" { capabilities = ["read"] }`);
  await writeAppRole(session, 'services-api-app', {
    token_policies: ['services-api-app'],
    token_ttl: '5m',
    ...role,
  });
  await writeEntry(session, secretPath, { connection_string: secretValue });
  const roleId = (await readRoleId(session, 'services-api-app')) ?? '';
  const secretId = await createSecretId(session, 'services-api-app');
  const folder = await scratchFolder();
  const roleIdFile = join(folder, 'role_id');
  const secretIdFile = join(folder, 'secret_id');
  await writeFile(roleIdFile, `${roleId}\n`);
  await writeFile(secretIdFile, `${secretId}\r\n`);
  const access: SecretAccess = {
    address: vault.address,
    credentials: { kind: 'approle', roleIdFile, secretIdFile },
    path: secretPath,
    key: 'connection_string',
  };
  return { session, access, roleId, secretId, roleIdFile, secretIdFile };
}

/** Runs `work` and returns what it threw; fails when it threw nothing. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

/** Options that give a read this long. */
export function within(milliseconds: number, more: Partial<ReadOptions> = {}): ReadOptions {
  return { deadline: new Deadline(milliseconds), ...more };
}

/** What a person reads of the failure, with ports, times and ids taken out. */
export async function textOf(work: Promise<unknown>): Promise<string> {
  const error = await failureOf(work);
  expect(error).toBeInstanceOf(Failure);
  return renderFailure('migrate', error)
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/tried \d+ times in [\d.]+ s/, 'tried N times in S s')
    .replace(/no answer within \d+ ms/, 'no answer within N ms')
    .replace(/role id [\da-f]{8}…/, 'role id 12345678…')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'TIME');
}

/** Access by a token, where only the address matters. */
export function accessAt(address: string): SecretAccess {
  return {
    address,
    credentials: { kind: 'token', token: 'any-token' },
    path: secretPath,
    key: 'connection_string',
  };
}

/** A token with this policy alone. */
export async function tokenWith(
  vault: DevVault,
  policy: string,
  more: Record<string, unknown> = {},
): Promise<string> {
  await api(vault, 'PUT', 'sys/policies/acl/test', { policy });
  return (
    await api(vault, 'POST', 'auth/token/create', { policies: ['test'], no_default_policy: true, ...more })
  ).body.auth.client_token;
}
