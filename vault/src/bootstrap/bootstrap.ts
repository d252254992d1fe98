import { Deadline, type Log, mapAtMost, markSecret } from '@lockstep/foundation';
import { type Client, DatabaseError } from 'pg';
import { ensureAppRoleAuth, ensureKvMount, waitUntilReady } from '../admin.ts';
import { readCredentialsFile } from '../credentials-file.ts';
import { openVault, type VaultSession } from '../session.ts';
import { ensureCredentials, ensurePolicy } from './credentials.ts';
import { PostgresFailedError } from './errors.ts';
import { closeMaintenance } from './maintenance.ts';
import { connectSuperuser, ensureDatabase, ensureGrants, lockBootstrap, type Superuser } from './postgres.ts';
import { ensureSecret, secretMount, worksAsItIs } from './secrets.ts';
import type { Service, ServiceRole } from './service.ts';
import type { BootstrapSettings } from './settings.ts';

/** Services at a time: each takes up to four connections of a server that has a hundred by default. */
const mostServices = 8;

/** What one service needed; empty lists mean that all was there and worked. */
export interface ServiceReport {
  readonly service: string;
  readonly made: readonly string[];
}

interface Tools {
  readonly settings: BootstrapSettings;
  readonly session: VaultSession;
  readonly superuser: Superuser;
  readonly deadline: Deadline;
  readonly log: Log;
}

/**
 * Makes, for each service, a database, an owner and an app role, their secrets, policies, AppRoles and credentials files.
 *
 * Idempotent: what works is left alone. Repairing: what does not (Vault lost its memory, a password changed, an
 * address moved, a file gone) is made again. Waits for Postgres and Vault within one deadline. Two at once take turns.
 */
export async function bootstrap(settings: BootstrapSettings, log: Log): Promise<ServiceReport[]> {
  const deadline = new Deadline(settings.timeoutMilliseconds);
  const [token, password] = await Promise.all([
    readCredentialsFile(settings.vaultTokenFile),
    readCredentialsFile(settings.postgresPasswordFile),
  ]);
  markSecret(password);
  const superuser = { address: settings.postgresAddress, user: settings.postgresUser, password };
  const session = await openVault({
    address: settings.vaultAddress,
    token,
    deadline,
    onWait: (reason) => log.info(`waiting: ${reason}`),
  });
  const locked = connectSuperuser(superuser, 'postgres', { deadline });
  try {
    // Both are waited for at once; the lock first of all, so that two bootstraps do not mount the same engine.
    const [client] = await Promise.all([locked, waitUntilReady(session)]);
    await lockBootstrap(client);
    const plumbing = await ensureMounts(session);
    if (plumbing.length > 0) log.info(`vault: made ${plumbing.join(', ')}`);
    const tools = { settings, session, superuser, deadline, log };
    const reports = await mapAtMost(settings.services, mostServices, (service) =>
      ensureService(tools, service),
    );
    if (settings.ownsServer && (await closeMaintenance(client, settings.services))) {
      log.info('postgres: app roles may connect to no database but their own');
    }
    for (const { service, made } of reports) {
      log.info(`${service}: ${made.length === 0 ? 'nothing to do' : `made ${made.join(', ')}`}`, {
        service,
        made,
      });
    }
    return reports;
  } catch (error) {
    throw isServerError(error) ? new PostgresFailedError(error) : error;
  } finally {
    session.close();
    await locked.then((client) => client.end()).catch(() => {});
  }
}

function isServerError(error: unknown): error is Error & { code: string } {
  return error instanceof DatabaseError && typeof error.code === 'string';
}

async function ensureMounts(session: VaultSession): Promise<string[]> {
  const [kv, approle] = await Promise.all([ensureKvMount(session, secretMount), ensureAppRoleAuth(session)]);
  return [...(kv ? [`KV engine ${secretMount}/`] : []), ...(approle ? ['auth method approle/'] : [])];
}

async function ensureService(tools: Tools, service: Service): Promise<ServiceReport> {
  const made = await Promise.all([
    ensureInPostgres(tools, service),
    ...[service.migrator, service.app].map((role) => ensureLogin(tools, role)),
  ]);
  return { service: service.name, made: made.flat() };
}

/** Makes or repairs what Postgres has of a service, and the secrets that lead there. */
async function ensureInPostgres(tools: Tools, service: Service): Promise<string[]> {
  const { session, settings, superuser, deadline, log } = tools;
  const places = { session, address: settings.postgresAddress, deadline };
  if (await worksAsItIs(places, service)) return [];
  const { made, open } = await using(connectSuperuser(superuser, 'postgres', { deadline }), (client) =>
    ensureDatabase(client, service),
  );
  // One that lets nobody in is its own service's trouble, which its migrator tells of: the others go on.
  if (!open) log.warn(`${service.name}: the database ${service.database} accepts no connections`);
  await using(
    connectSuperuser(superuser, open ? service.database : 'postgres', { deadline }),
    async (client) => {
      if (open) await ensureGrants(client, service);
      const secrets = await Promise.all(
        [service.migrator, service.app].map((role) => ensureSecret({ ...places, client }, service, role)),
      );
      made.push(...secrets.filter((entry) => entry !== undefined));
    },
  );
  return made;
}

/** Makes or repairs what a role logs in to Vault with, and what it may do there. */
async function ensureLogin({ settings, session }: Tools, role: ServiceRole): Promise<string[]> {
  const [policy, credentials] = await Promise.all([
    ensurePolicy(session, settings.policiesPath, role),
    ensureCredentials(session, settings.credentialsFolders.get(role.name) ?? '', role),
  ]);
  return [policy, ...credentials].filter((entry) => entry !== undefined);
}

async function using<T>(connecting: Promise<Client>, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connecting;
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
