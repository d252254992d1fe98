import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { markSecret } from '@lockstep/foundation';
import { prepareTestingTemplate, readConfig } from '@lockstep/migrations';
import { stopTestServer } from './embedded-server.ts';
import { findOrigin, findProject, type Origin, type TestServer } from './origin.ts';
import { ClonePool } from './pool.ts';
import { changeUrl, readUrl } from './url.ts';

export interface TestDatabaseOptions {
  /** The folder of the service, and its name in Vault: `services-api`. */
  readonly service: string;
  /** Whether the seeds of the environment `development` are in it; true when there are any. */
  readonly seeds?: boolean;
  /** The folder of compose.yaml; this one or the nearest above when absent. */
  readonly project?: string;
  /** A Postgres of your own, instead of that of the running stack or an embedded one. */
  readonly server?: TestServer | undefined;
}

/** A database of one test alone: migrated, seeded, and gone after it. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  /** As the role that migrates. */
  readonly ownerUrl: string;
  /** As the role that the app has: rows and no schema. */
  readonly appUrl: string;
  /** Ends every session in it and drops it. */
  drop(): Promise<void>;
}

interface Source {
  readonly origin: Origin;
  readonly pool: ClonePool;
}

/** One for each service of this process. */
const sources = new Map<string, Promise<Source>>();

/**
 * Gives a test (or a file of tests) a database of its own: a copy of the service's schema as its migrations make it, with its seeds.
 *
 * The first call of a process finds the server and makes sure of the template, which takes as long as what was changed in the
 * migrations; after that a copy is ready when it is asked for. Parallel workers do not see each other's. Copies that a killed process
 * left are dropped by the next.
 *
 * @throws {NoTestServerError} when there is neither a stack nor an embedded Postgres
 * @throws {Failure} when the migrations cannot be run
 */
export async function createTestDatabase(options: TestDatabaseOptions): Promise<TestDatabase> {
  const { origin, pool } = await sourceOf(options);
  const name = await pool.take();
  const drop = () => pool.drop(name);
  const [ownerUrl, appUrl] = [origin.ownerUrl, origin.appUrl].map((url) => inDatabase(url, name));
  return { name, ownerUrl: ownerUrl ?? '', appUrl: appUrl ?? '', drop, [Symbol.asyncDispose]: drop };
}

/** The stack that the service's test databases come from, when they come from one. */
export async function originOf(options: TestDatabaseOptions): Promise<Origin> {
  return (await sourceOf(options)).origin;
}

/** Drops what this process still has ready, and stops the server that it started. For the end of a test run, as `afterAll(closeTesting)`. */
export async function closeTesting(): Promise<void> {
  const open = [...sources.values()];
  sources.clear();
  await Promise.all(open.map(async (source) => (await source.catch(() => undefined))?.pool.close()));
  await stopTestServer();
}

function sourceOf(options: TestDatabaseOptions): Promise<Source> {
  const project = options.project ?? findProject(process.cwd());
  const key = JSON.stringify([project, options.service, options.seeds, options.server?.superuserUrl]);
  const known = sources.get(key);
  if (known !== undefined) return known;
  const opening = open(project, options);
  sources.set(key, opening);
  // A failure is not for ever: the next test asks again.
  opening.catch(() => sources.delete(key));
  return opening;
}

async function open(project: string, { service, seeds, server }: TestDatabaseOptions): Promise<Source> {
  const origin = await findOrigin(project, service, server);
  for (const url of [origin.ownerUrl, origin.appUrl])
    markSecret(readUrl(url, 'the server for tests').password ?? '');
  const folder = join(project, service, 'migrations');
  // Only what is stated here counts: a variable of this process may be meant for another database.
  const settings = readConfig(
    { '--path': folder, '--service': service, '--environment': 'development', '--timeout': '2m' },
    {
      DATABASE_CONNECTION_STRING: origin.ownerUrl,
    },
  );
  const wantsSeeds = seeds ?? existsSync(join(folder, 'seeds'));
  const template = await prepareTestingTemplate(settings, { seeds: wantsSeeds });
  const pool = await ClonePool.open(template, inDatabase(origin.ownerUrl, 'postgres'));
  return { origin, pool };
}

function inDatabase(url: string, database: string): string {
  return changeUrl(url, { database });
}
