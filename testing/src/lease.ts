import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Deadline } from '@lockstep/foundation';
import {
  createSecretId,
  openVault,
  readRoleId,
  writeAppRole,
  writeEntry,
  writePolicy,
} from '@lockstep/vault';
import { NoTestServerError } from './errors.ts';
import {
  createTestDatabase,
  originOf,
  type TestDatabase,
  type TestDatabaseOptions,
} from './test-database.ts';

/** A lease is of the running stack, so that it names no server. */
export type LeaseOptions = Omit<TestDatabaseOptions, 'server'>;

/** A database of one test alone, and a way into Vault that leads to it, for a real process of the app. */
export interface StackLease extends AsyncDisposable {
  readonly database: TestDatabase;
  /** The variables an app process needs to find Vault, log in as a role of its own, and read its connection string there. */
  readonly environment: Readonly<Record<string, string>>;
  /** Takes all of it back. */
  end(): Promise<void>;
}

const patience = 10_000;
/** A lease whose test was killed opens nothing any more after this. */
const longest = '1h';

/**
 * Leases the running stack to one test: a database of its own, and in Vault a secret, a policy and an AppRole that lead to it and to
 * nothing else.
 *
 * @throws {NoTestServerError} when the stack does not run: an app needs its Vault
 */
export async function leaseStack(options: LeaseOptions): Promise<StackLease> {
  const { stack } = await originOf(options);
  if (stack === undefined) {
    throw new NoTestServerError('a lease is of the running stack, and it does not run', [], 'make up');
  }
  const database = await createTestDatabase(options);
  const session = await openVault({
    address: stack.vaultAddress,
    token: stack.token,
    deadline: new Deadline(patience),
  });
  const id = `${options.service}-lease-${randomBytes(6).toString('hex')}`;
  const path = `secret/data/leases/${id}`;
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-lease-'));
  const end = async () => {
    rmSync(folder, { recursive: true, force: true });
    await Promise.allSettled([
      session.remove(`auth/approle/role/${id}`),
      session.remove(`sys/policies/acl/${id}`),
      session.remove(`secret/metadata/leases/${id}`),
      database.drop(),
    ]);
  };
  try {
    await writeEntry(session, path, { connection_string: database.appUrl });
    await writePolicy(session, id, `path "${path}" { capabilities = ["read"] }`);
    await writeAppRole(session, id, { token_policies: id, token_ttl: longest, secret_id_ttl: longest });
    const files = { role_id: await readRoleId(session, id), secret_id: await createSecretId(session, id) };
    for (const [name, value] of Object.entries(files))
      writeFileSync(join(folder, name), value ?? '', { mode: 0o600 });
  } catch (error) {
    await end();
    throw error;
  }
  const environment = {
    VAULT_ADDR: stack.vaultAddress,
    VAULT_ROLE_ID_FILE: join(folder, 'role_id'),
    VAULT_SECRET_ID_FILE: join(folder, 'secret_id'),
    VAULT_SECRET_PATH: path,
    LISTEN_ADDRESS: '127.0.0.1:0',
  };
  return { database, environment, end, [Symbol.asyncDispose]: end };
}
