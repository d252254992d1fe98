import { Failure } from '@lockstep/foundation';
import type { DatabaseState } from '../history.ts';
import { type Migration, titleOf } from '../migration.ts';
import type { Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { runInScratch, stepDown, stepUp } from './build-schema.ts';
import type { Catalog } from './catalog.ts';
import { tableOf } from './compliance.ts';
import { compareCatalogs, type Difference } from './differences.ts';
import { readCatalog } from './read-catalog.ts';
import { withScratch } from './scratch.ts';

/** What running a migration up, down and up again in a scratch database showed. */
export interface RollbackProof {
  readonly migration: Migration;
  readonly verdict: 'proven' | 'irreversible' | 'down leaves differences' | 'up again differs' | 'failed';
  readonly differences: readonly Difference[];
  /** What failed, with its place. */
  readonly failure: Failure | undefined;
}

/** What is to be proven. */
export interface ProofRequest {
  /** Run up before them, unproven. */
  readonly before: readonly Migration[];
  readonly proven: readonly Migration[];
  /** All there are. */
  readonly migrations: readonly Migration[];
}

/**
 * Runs each migration up, down and up again, in order, in a scratch database: the down file must bring back the very schema
 * that was there, and the second up what the first one made. Tables are empty there: what becomes of rows is not shown.
 *
 * A migration that fails ends it, as those after it build on it.
 */
export async function proveRollbacks(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  { before: applied, proven, migrations }: ProofRequest,
): Promise<RollbackProof[]> {
  return withScratch(operation, session, state.tables.schema, async (scratch) => {
    const scratched = await scratch.connect();
    try {
      const proofs: RollbackProof[] = [];
      let from = applied.at(-1)?.version;
      const steps = applied.map(stepUp);
      await runInScratch(operation, scratched, tableOf(state), { steps, migrations, from: undefined });
      let before = await readCatalog(scratched, state.tables);
      for (const migration of proven) {
        const run = (direction: 'up' | 'down') =>
          runOne(operation, scratched, state, migrations, migration, from, direction);
        const proof = await prove(migration, before, run, () => readCatalog(scratched, state.tables));
        proofs.push(proof.proof);
        operation.log.info(`${titleOf(migration)}: ${proof.proof.verdict}`);
        if (proof.after === undefined) break;
        before = proof.after;
        from = migration.version;
      }
      return proofs;
    } finally {
      await scratched.close();
    }
  });
}

async function prove(
  migration: Migration,
  before: Catalog,
  run: (direction: 'up' | 'down') => Promise<void>,
  read: () => Promise<Catalog>,
): Promise<{ proof: RollbackProof; after: Catalog | undefined }> {
  const base = { migration, differences: [], failure: undefined };
  try {
    await run('up');
    const first = await read();
    if (migration.down === undefined) return { proof: { ...base, verdict: 'irreversible' }, after: first };
    await run('down');
    const left = compareCatalogs(before, await read());
    await run('up');
    const second = await read();
    const again = compareCatalogs(first, second);
    const differences = left.length > 0 ? left : again;
    const verdict =
      left.length > 0 ? 'down leaves differences' : again.length > 0 ? 'up again differs' : 'proven';
    return { proof: { ...base, verdict, differences }, after: second };
  } catch (error) {
    // The deadline and an interruption end the run, not the proof.
    if (!(error instanceof Failure) || error.exitStatus !== 1) throw error;
    return { proof: { ...base, verdict: 'failed', failure: error }, after: undefined };
  }
}

async function runOne(
  operation: Operation,
  scratched: Session,
  state: DatabaseState,
  migrations: readonly Migration[],
  migration: Migration,
  from: bigint | undefined,
  direction: 'up' | 'down',
): Promise<void> {
  const step = direction === 'up' ? stepUp(migration) : stepDown(migration, from);
  if (step === undefined) return;
  await runInScratch(operation, scratched, tableOf(state), {
    steps: [step],
    migrations,
    from: direction === 'up' ? from : migration.version,
  });
}
