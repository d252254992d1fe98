import { Failure } from '@lockstep/foundation';
import type { DatabaseState } from '../history.ts';
import type { Migration } from '../migration.ts';
import type { Operation } from '../operation.ts';
import type { Step } from '../plan.ts';
import type { Session } from '../session.ts';
import { runInScratch, stepUp } from './build-schema.ts';
import type { Catalog } from './catalog.ts';
import { appliedMigrations, tableOf } from './compliance.ts';
import { compareCatalogs, describeDifferences } from './differences.ts';
import { readCatalog } from './read-catalog.ts';
import { withScratch } from './scratch.ts';

/** What running a rollback in a scratch database showed. */
export interface Rehearsal {
  /** What is wrong, a line each; empty when the rollback does what it should. */
  readonly findings: readonly string[];
  /** The schema that the files make at the version it leads to. */
  readonly expected: Catalog;
}

/**
 * Runs the steps down of a plan in a scratch database that the files built, and up again: down must lead to the schema that the
 * files make at that version, up again to the one that was left.
 */
export async function rehearseDown(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  migrations: readonly Migration[],
  steps: readonly Step[],
): Promise<Rehearsal> {
  const applied = appliedMigrations(migrations, state);
  const leaving = new Set(steps.map(({ version }) => version));
  const staying = applied.filter(({ version }) => !leaving.has(version));
  const upAgain = applied.filter(({ version }) => leaving.has(version));
  return withScratch(operation, session, state.tables.schema, async (scratch) => {
    const scratched = await scratch.connect();
    const run = (some: readonly Step[], from: bigint | undefined) =>
      runInScratch(operation, scratched, tableOf(state), { steps: some, migrations, from });
    const below = staying.at(-1)?.version;
    const above = applied.at(-1)?.version;
    try {
      await run(staying.map(stepUp), undefined);
      const expected = await readCatalog(scratched, state.tables);
      await run(upAgain.map(stepUp), below);
      const before = await readCatalog(scratched, state.tables);
      const findings = await downAndUp(run, () => readCatalog(scratched, state.tables), {
        steps,
        upAgain,
        below,
        above,
        before,
        expected,
      });
      return { findings, expected };
    } finally {
      await scratched.close();
    }
  });
}

interface Course {
  readonly steps: readonly Step[];
  readonly upAgain: readonly Migration[];
  readonly below: bigint | undefined;
  readonly above: bigint | undefined;
  readonly before: Catalog;
  readonly expected: Catalog;
}

async function downAndUp(
  run: (steps: readonly Step[], from: bigint | undefined) => Promise<void>,
  read: () => Promise<Catalog>,
  { steps, upAgain, below, above, before, expected }: Course,
): Promise<string[]> {
  const to = below ?? 'none';
  try {
    await run(steps, above);
    const left = describeDifferences(compareCatalogs(expected, await read()), 10);
    if (left.length > 0) return [`down to ${to} leaves another schema than the files make there`, ...left];
    await run(upAgain.map(stepUp), below);
    const again = describeDifferences(compareCatalogs(before, await read()), 10);
    return again.length === 0 ? [] : ['up again makes another schema than before', ...again];
  } catch (error) {
    // The deadline and an interruption end the run, not the rehearsal.
    if (!(error instanceof Failure) || error.exitStatus !== 1) throw error;
    return [error.message, ...error.evidence];
  }
}
