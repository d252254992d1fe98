import { Failure } from '@lockstep/foundation';
import { checkReceipt, SchemaNotReadyError } from '@lockstep/migrations';
import type { Database } from './database.ts';
import { DatabaseRefusedError, DatabaseUnreachableError } from './errors.ts';
import { Problem } from './problem.ts';
import type { App, Service } from './service.ts';
import { within } from './within.ts';

/** A probe must answer before the one who asks gives up; compose waits 3 s. */
const probeTimeoutMilliseconds = 2_000;

/**
 * The gate: the receipt that the migrator left is there, clean, and at least as new as the service needs.
 *
 * @returns the schema's version
 * @throws {SchemaNotReadyError} saying what to run; {@link DatabaseUnreachableError} when there is no answer
 */
export async function passGate(service: Service, database: Database): Promise<bigint> {
  const { version } = await checkReceipt(database, {
    service: service.name,
    requiredVersion: service.requiredSchemaVersion,
  });
  return version;
}

/** Adds `/live` (the app runs) and `/ready` (it can serve: asked of the database each time). */
export function routeReadiness(app: App, service: Service, database: Database): void {
  let running: Promise<bigint> | undefined;
  app.get('/live', () => ({ status: 'live' }));
  app.get('/ready', async (_request, reply) => {
    // Probes that overlap share one question, so that a database that hangs is not asked by all of them.
    running ??= passGate(service, database).finally(() => {
      running = undefined;
    });
    reply.header('cache-control', 'no-store');
    try {
      const version = await within(probeTimeoutMilliseconds, running);
      return { status: 'ready', schemaVersion: Number(version) };
    } catch (error) {
      throw notReady(error);
    }
  });
}

const codes = [
  [SchemaNotReadyError, 'schema-not-ready'],
  [DatabaseUnreachableError, 'database-unreachable'],
  [DatabaseRefusedError, 'database-refused'],
] as const;

function notReady(error: unknown): unknown {
  const code = codes.find(([kind]) => error instanceof kind)?.[1];
  if (code === undefined || !(error instanceof Failure)) return error;
  const detail = error.hint === undefined ? error.message : `${error.message}; try: ${error.hint}`;
  return new Problem({ status: 503, code, title: 'The service is not ready', detail }, error);
}
