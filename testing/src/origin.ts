import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { Deadline } from '@lockstep/foundation';
import { LibpqClient } from '@lockstep/postgres';
import { openVault, readEntry } from '@lockstep/vault';
import { parse } from 'dotenv';
import { escapeIdentifier, escapeLiteral } from 'pg';
import { startTestServer } from './embedded-server.ts';
import { NoTestServerError } from './errors.ts';
import { changeUrl, readUrl } from './url.ts';

/** A Postgres of the caller's own, by its superuser. */
export interface TestServer {
  readonly superuserUrl: string;
}

/** Where a service's databases for tests come from: its two roles, on a server. */
export interface Origin {
  /** The owner's, who migrates and may create databases; names the database whose properties the copies have. */
  readonly ownerUrl: string;
  /** The app's, which has rows and no schema. */
  readonly appUrl: string;
  /** The running stack, when that is where they come from. */
  readonly stack: RunningStack | undefined;
}

/** The stack as a developer started it, reached from this machine. */
export interface RunningStack {
  readonly vaultAddress: string;
  readonly token: string;
}

const patience = 10_000;
const knockMilliseconds = 1000;

/** The folder of compose.yaml, this one or the nearest above. */
export function findProject(from: string): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'compose.yaml'))) return folder;
    if (folder === dirname(folder)) {
      throw new NoTestServerError(
        `no compose.yaml in ${from} or above`,
        [],
        'createTestDatabase({ project: … })',
      );
    }
  }
}

/**
 * Finds the service's roles: on the server that is given, else in the running stack, else on an embedded server that is started for
 * this process.
 *
 * @throws {NoTestServerError} when the stack runs and does not know the service
 */
export async function findOrigin(
  project: string,
  service: string,
  server: TestServer | undefined,
): Promise<Origin> {
  if (server !== undefined) return onServer(server, service);
  const stack = await findStack(project);
  if (stack === undefined) return onServer(await startTestServer(project), service);
  return fromVault(stack, service);
}

/** The running stack of a project; undefined when its Vault or its Postgres does not answer. */
export async function findStack(
  project: string,
): Promise<(RunningStack & { readonly postgresPort: number }) | undefined> {
  let settings: Record<string, string>;
  try {
    settings = parse(readFileSync(join(project, '.env')));
  } catch {
    return undefined;
  }
  const of = (name: string) => process.env[name] || settings[name];
  const token = of('VAULT_ROOT_TOKEN');
  const postgresPort = Number(of('POSTGRES_PORT') ?? 15_432);
  const vaultPort = Number(of('VAULT_PORT') ?? 18_200);
  if (token === undefined) return undefined;
  const there = await Promise.all([answers(postgresPort), answers(vaultPort)]);
  if (there.includes(false)) return undefined;
  return { vaultAddress: `http://127.0.0.1:${vaultPort}`, token, postgresPort };
}

function answers(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (there: boolean) => () => {
      socket.destroy();
      settle(there);
    };
    socket.setTimeout(knockMilliseconds, end(false));
    socket.once('connect', end(true)).once('error', end(false));
  });
}

async function fromVault(
  stack: RunningStack & { readonly postgresPort: number },
  service: string,
): Promise<Origin> {
  const { vaultAddress, token, postgresPort } = stack;
  const session = await openVault({ address: vaultAddress, token, deadline: new Deadline(patience) });
  const [ownerUrl, appUrl] = await Promise.all(
    ['migrator', 'app'].map(async (role) => {
      const path = `secret/data/${service}/${role}`;
      const text = (await readEntry(session, path))?.data['connection_string'];
      if (typeof text !== 'string') {
        throw new NoTestServerError(`the running stack has no connection string at ${path}`, [], 'make up');
      }
      readUrl(text, path);
      // As it is reached from outside of a container.
      return changeUrl(text, { host: '127.0.0.1', hostaddr: undefined, port: postgresPort });
    }),
  );
  return { ownerUrl: ownerUrl ?? '', appUrl: appUrl ?? '', stack };
}

/** Makes the service's roles and an empty database on a server of one's own; each worker finds the same ones. */
async function onServer({ superuserUrl }: TestServer, service: string): Promise<Origin> {
  const base = `${service.replace(/[^a-z0-9]+/gi, '_').slice(0, 20)}_tests`;
  const [owner, app] = [`${base}_owner`, `${base}_app`];
  // Every worker must come to the same password, and nobody else.
  const passwordOf = (role: string) => createHmac('sha256', superuserUrl).update(role).digest('hex');
  const urlOf = (role: string) =>
    changeUrl(superuserUrl, { user: role, password: passwordOf(role), database: base });
  const [ownerUrl, appUrl] = [urlOf(owner), urlOf(app)];
  const run = async (url: string, texts: readonly string[]) => {
    const client = new LibpqClient(readUrl(url, 'the server for tests'));
    await client.connect();
    try {
      await client.query(
        `select pg_advisory_lock(hashtext('lockstep testing'), hashtext(${escapeLiteral(base)}))`,
      );
      for (const text of texts) await client.query(text);
    } finally {
      await client.end();
    }
  };
  const client = new LibpqClient(readUrl(superuserUrl, 'the server for tests'));
  await client.connect();
  try {
    await client.query(
      `select pg_advisory_lock(hashtext('lockstep testing'), hashtext(${escapeLiteral(base)}))`,
    );
    for (const [role, more] of [
      [owner, 'createdb'],
      [app, ''],
    ] as const) {
      const { rows } = await client.query('select from pg_roles where rolname = $1', [role]);
      const password = escapeLiteral(passwordOf(role));
      if (rows.length === 0)
        await client.query(`create role ${escapeIdentifier(role)} login ${more} password ${password}`);
    }
    const { rows } = await client.query('select from pg_database where datname = $1', [base]);
    if (rows.length === 0) {
      await client.query(`grant ${escapeIdentifier(app)} to ${escapeIdentifier(owner)}`);
      await client.query(
        `create database ${escapeIdentifier(base)} template template0 owner ${escapeIdentifier(owner)}`,
      );
      await client.query(`revoke all on database ${escapeIdentifier(base)} from public`);
      await client.query(`grant connect on database ${escapeIdentifier(base)} to ${escapeIdentifier(app)}`);
      await run(changeUrl(superuserUrl, { database: base }), grantsInside(owner, app));
    }
  } finally {
    await client.end();
  }
  return { ownerUrl, appUrl, stack: undefined };
}

/** As the bootstrap grants them: rows and no schema. */
function grantsInside(owner: string, app: string): string[] {
  const [of, to] = [escapeIdentifier(owner), escapeIdentifier(app)];
  const byDefault = `alter default privileges for role ${of} grant`;
  return [
    'revoke create on schema public from public',
    `grant usage on schema public to ${to}`,
    `${byDefault} select, insert, update, delete on tables to ${to}`,
    `${byDefault} usage, select on sequences to ${to}`,
    `${byDefault} execute on functions to ${to}`,
  ];
}
