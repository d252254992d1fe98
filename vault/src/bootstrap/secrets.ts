import { randomBytes } from 'node:crypto';
import { type Deadline, markSecret } from '@lockstep/foundation';
import type { Client } from 'pg';
import { readEntry, writeEntry } from '../admin.ts';
import type { VaultSession } from '../session.ts';
import { type Address, connectionString, leadsTo, passwordOf } from './connection-string.ts';
import { hasGrants, setPassword, tryLogin } from './postgres.ts';
import type { Service, ServiceRole } from './service.ts';

/** The KV v2 engine that holds the connection strings. */
export const secretMount = 'secret';

/** The key of every entry the bootstrap writes. */
export const connectionStringKey = 'connection_string';

/** What a role's secret is kept in and checked against. */
export interface SecretPlaces {
  readonly session: VaultSession;
  readonly address: Address;
  readonly deadline: Deadline;
}

export interface SecretStores extends SecretPlaces {
  readonly client: Client;
}

/**
 * Whether both roles of a service log in to its database with what Vault holds, and have their grants there. It is asked as these
 * roles, with the two connections that this takes anyway: at every start but the first, nothing more is needed.
 */
export async function worksAsItIs(
  { session, address, deadline }: SecretPlaces,
  { database, migrator, app }: Service,
): Promise<boolean> {
  const [owner, reader] = await Promise.all(
    [migrator, app].map(async (role) => {
      const entry = await readEntry(session, `${secretMount}/data/${role.entry}`);
      const stored = entry?.data[connectionStringKey];
      const kept = passwordOf(stored);
      if (kept === undefined) return undefined;
      markSecret(kept);
      const wanted = connectionString(address, role.user, kept, database);
      return typeof stored === 'string' && leadsTo(stored, wanted) ? stored : undefined;
    }),
  );
  if (owner === undefined || reader === undefined) return false;
  const [granted, connects] = await Promise.all([
    tryLogin(owner, deadline, (client) => hasGrants(client, { migrator, app })),
    tryLogin(reader, deadline),
  ]);
  return granted === 'in' && connects === 'in';
}

/**
 * Makes sure that Vault holds a connection string with which `role` can log in to Postgres at `address`.
 *
 * One that works is left alone; one with another address keeps its password; any other is replaced, role and entry.
 * The role gets its password first: killed between the two, the next run finds an entry that does not work and
 * replaces both again.
 *
 * @returns what was done, for the log; undefined when nothing was
 */
export async function ensureSecret(
  { session, client, address, deadline }: SecretStores,
  { database }: Service,
  role: ServiceRole,
): Promise<string | undefined> {
  const path = `${secretMount}/data/${role.entry}`;
  const entry = await readEntry(session, path);
  const stored = entry?.data[connectionStringKey];
  const kept = passwordOf(stored);
  if (kept !== undefined) {
    markSecret(kept);
    const wanted = connectionString(address, role.user, kept, database);
    const works = async (text: string) => (await tryLogin(text, deadline)) !== 'refused';
    if (typeof stored === 'string' && leadsTo(stored, wanted) && (await works(stored))) return undefined;
    if (stored !== wanted && (await works(wanted))) {
      await writeEntry(session, path, { ...entry?.data, [connectionStringKey]: wanted }, entry?.version);
      return `address in ${path}`;
    }
  }
  const password = randomBytes(24).toString('base64url');
  markSecret(password);
  await setPassword(client, role, password);
  const value = connectionString(address, role.user, password, database);
  await writeEntry(session, path, { ...entry?.data, [connectionStringKey]: value }, entry?.version);
  return `${entry === undefined ? 'secret' : 'new password in'} ${path}`;
}
