import type { DatabaseState } from '../history.ts';
import type { Migration } from '../migration.ts';
import type { Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { readStandings } from '../standing.ts';
import { runInScratch, stepUp } from './build-schema.ts';
import type { Catalog } from './catalog.ts';
import { compareCatalogs, type Difference } from './differences.ts';
import { readCatalog } from './read-catalog.ts';
import { type Scratch, withScratch } from './scratch.ts';
import { applySpecification, readSpecification } from './specification.ts';

/** What a schema was compared with, and what came of it. */
export interface Comparison {
  /** As in `services-api/SERVICES-SCHEMA.md`, or `what the files make at 15`. */
  readonly expectation: string;
  /** Empty when the schema is as expected. */
  readonly differences: readonly Difference[];
}

/** Compares `live` with the specification file, applied to a scratch database. */
export async function compareWithSpecification(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  path: string,
  live: Catalog,
): Promise<Comparison> {
  const file = await readSpecification(path);
  const expected = await catalogOf(operation, session, state, (scratched) =>
    applySpecification(operation, scratched, tableOf(state), file),
  );
  return { expectation: file.path, differences: compareCatalogs(expected, live) };
}

/** Compares `live` with what the files of the applied migrations make in a scratch database. */
export async function compareWithFiles(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  migrations: readonly Migration[],
  live: Catalog,
): Promise<Comparison> {
  const standings = readStandings(migrations, state.history);
  const applied = standings.versions.flatMap(({ applied: landed, migration }) =>
    landed && migration !== undefined ? [migration] : [],
  );
  const expected = await buildSchema(operation, session, state, applied);
  const at = standings.highest < 0n ? 'none' : String(standings.highest);
  return { expectation: `what the files make at ${at}`, differences: compareCatalogs(expected, live) };
}

/** The catalog that `migrations`, run from nothing in a scratch database, make. */
export function buildSchema(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  migrations: readonly Migration[],
): Promise<Catalog> {
  return catalogOf(operation, session, state, (scratched) =>
    runInScratch(operation, scratched, tableOf(state), {
      steps: migrations.map(stepUp),
      migrations,
      from: undefined,
    }),
  );
}

/** The catalog of a scratch database after `work` in it. */
async function catalogOf(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  work: (scratched: Session) => Promise<void>,
): Promise<Catalog> {
  return withScratch(operation, session, state.tables.schema, async (scratch: Scratch) => {
    const scratched = await scratch.connect();
    try {
      await work(scratched);
      return await readCatalog(scratched, state.tables);
    } finally {
      await scratched.close();
    }
  });
}

/** The tracking table by its full name: a scratch database has no search_path of its own. */
export function tableOf({ tables }: DatabaseState): { schema: string; name: string } {
  return { schema: tables.schema, name: tables.name };
}
