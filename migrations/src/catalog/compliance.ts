import { Failure } from '@lockstep/foundation';
import type { DatabaseState } from '../history.ts';
import type { Migration } from '../migration.ts';
import type { Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { readStandings } from '../standing.ts';
import { runInScratch, stepUp } from './build-schema.ts';
import type { Catalog } from './catalog.ts';
import { findDependentsInTheWay } from './dependents.ts';
import type { Difference } from './differences.ts';
import { findObstacles } from './obstacles.ts';
import { readCatalog } from './read-catalog.ts';
import { hasUnexpected, judge, type Note, type Scope } from './scope.ts';
import { type Scratch, withScratch } from './scratch.ts';
import { applySpecification, readSpecification } from './specification.ts';

/** What a schema was compared with, and what came of it. */
export interface Comparison {
  /** As in `services-api/SERVICES-SCHEMA.md`, or `what the files make at 15`. */
  readonly expectation: string;
  /** Failures; empty when the schema is as expected. */
  readonly differences: readonly Difference[];
  /** What is there besides, and no failure. */
  readonly notes: readonly Note[];
}

/** The comparison with the files, which knows how everything else is to be judged. */
export interface FilesComparison extends Comparison {
  readonly scope: Scope;
}

/** Compares what `files` compared with the specification file too, applied to a scratch database. */
export async function compareWithSpecification(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  path: string,
  { scope }: FilesComparison,
): Promise<Comparison> {
  const file = await readSpecification(path);
  const expected = await inScratch(operation, session, state, async (scratched) => {
    await applySpecification(operation, scratched, tableOf(state), file);
    return readCatalog(scratched, state.tables);
  });
  const { wrong, notes } = judge({ ...scope, expected });
  return { expectation: file.path, differences: wrong, notes };
}

/**
 * Compares `live` with what the files of the applied migrations make in a scratch database.
 *
 * @param pending what is to run next: what stands in its way is a failure
 */
export async function compareWithFiles(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  migrations: readonly Migration[],
  live: Catalog,
  pending: readonly Migration[] = [],
): Promise<FilesComparison> {
  const applied = appliedMigrations(migrations, state);
  const built = await inScratch(operation, session, state, async (scratched) => {
    const run = (some: readonly Migration[], from: bigint | undefined) =>
      runInScratch(operation, scratched, tableOf(state), { steps: some.map(stepUp), migrations, from });
    await run(applied, undefined);
    const made = await readCatalog(scratched, state.tables);
    if (pending.length === 0 || !hasUnexpected(made, live)) return { made, planned: undefined };
    await run(pending, applied.at(-1)?.version).catch(leaveToTheRun);
    return { made, planned: await readCatalog(scratched, state.tables) };
  });
  const { highest } = readStandings(migrations, state.history);
  const scope = scopeOf(operation, state, built.made, live);
  const { planned } = built;
  const judged =
    planned === undefined
      ? scope
      : {
          ...scope,
          planned,
          obstacles: new Map([
            ...(await findDependentsInTheWay(session, scope, planned, pending)),
            ...(await findObstacles(scope, planned, pending)),
          ]),
        };
  const { wrong, notes } = judge(judged);
  const at = highest < 0n ? 'none' : String(highest);
  return { expectation: `what the files make at ${at}`, differences: wrong, notes, scope: judged };
}

/** How `live` is judged where the files make `made`. */
export function scopeOf(
  { settings }: Operation,
  { tables }: DatabaseState,
  made: Catalog,
  live: Catalog,
): Scope {
  return {
    ...settings.compliance,
    expected: made,
    made,
    found: live,
    given: tables.schema,
  };
}

/** A pending file that fails in a scratch database may need rows; what it would make is not known then. */
function leaveToTheRun(error: unknown): void {
  if (!(error instanceof Failure) || error.exitStatus !== 1) throw error;
}

/** The migrations that are applied and have a file, ascending. */
export function appliedMigrations(migrations: readonly Migration[], { history }: DatabaseState): Migration[] {
  return readStandings(migrations, history).versions.flatMap(({ applied, migration }) =>
    applied && migration !== undefined ? [migration] : [],
  );
}

/** Runs `work` in a scratch database, with a session that is closed after it. */
function inScratch<T>(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  work: (scratched: Session) => Promise<T>,
): Promise<T> {
  return withScratch(operation, session, state.tables.schema, async (scratch: Scratch) => {
    const scratched = await scratch.connect();
    try {
      return await work(scratched);
    } finally {
      await scratched.close();
    }
  });
}

/** The tracking table by its full name: a scratch database has no search_path of its own. */
export function tableOf({ tables }: DatabaseState): { schema: string; name: string } {
  return { schema: tables.schema, name: tables.name };
}
