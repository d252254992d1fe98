import { count } from '@lockstep/foundation';
import type { Settings } from '../config.ts';
import type { DatabaseState } from '../history.ts';
import { withFilesAndState } from '../inspect.ts';
import { type Migration, titleOf } from '../migration.ts';
import type { Hooks, Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import {
  appliedMigrations,
  type Comparison,
  compareWithFiles,
  compareWithSpecification,
} from './compliance.ts';
import { describeDifferences } from './differences.ts';
import { NotCompliantError, RollbackUnprovenError } from './errors.ts';
import { fingerprintOf } from './fingerprint.ts';
import { readCatalog } from './read-catalog.ts';
import { proveRollbacks, type RollbackProof } from './rollbacks.ts';

/** What `verify` found right. */
export interface VerifyResult {
  readonly database: string;
  readonly version: bigint | undefined;
  /** SHA-256 of the live schema. */
  readonly fingerprint: string;
  readonly comparisons: readonly Comparison[];
}

/** What `verify --rollbacks` proved. */
export interface RollbacksResult {
  readonly database: string;
  readonly proofs: readonly RollbackProof[];
}

/**
 * Compares the live schema with what its applied files make, and with the specification when one is named. Changes nothing in the
 * database; both are built in scratch databases. What neither makes is a note, unless it stands in the way; see scope.ts.
 *
 * @throws {NotCompliantError} with every difference; exit status 6
 */
export function verifySchema(settings: Settings, hooks: Hooks = {}): Promise<VerifyResult> {
  return withFilesAndState(settings, hooks, async (operation, session, state, migrations) => {
    const live = await operation.deadline.during('database', () => readCatalog(session, state.tables));
    const comparisons = await compareAll(operation, session, state, migrations, live);
    const wrong = comparisons.filter(({ differences }) => differences.length > 0);
    const [first] = wrong;
    if (first !== undefined) throw notCompliant(settings.service ?? state.database, first, wrong.slice(1));
    const { current } = state.history;
    return {
      database: state.database,
      version: current === undefined || current.version < 0n ? undefined : current.version,
      fingerprint: fingerprintOf(live),
      comparisons,
    };
  });
}

/**
 * Proves in a scratch database that each down file undoes its up file.
 *
 * @throws {RollbackUnprovenError} naming each that does not; exit status 6
 */
export function verifyRollbacks(settings: Settings, hooks: Hooks = {}): Promise<RollbacksResult> {
  return withFilesAndState(settings, hooks, async (operation, session, state, migrations) => {
    const proofs = await proveRollbacks(operation, session, state, {
      before: [],
      proven: migrations,
      migrations,
    });
    const wrong = proofs.filter(({ verdict }) => verdict !== 'proven' && verdict !== 'irreversible');
    if (wrong.length > 0) throw unproven(proofs, wrong);
    return { database: state.database, proofs };
  });
}

async function compareAll(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  migrations: readonly Migration[],
  live: Awaited<ReturnType<typeof readCatalog>>,
): Promise<Comparison[]> {
  const { specification } = operation.settings;
  const applied = new Set(appliedMigrations(migrations, state));
  const pending = migrations.filter((migration) => !applied.has(migration));
  const files = await compareWithFiles(operation, session, state, migrations, live, pending);
  if (specification === undefined) return [files];
  return [await compareWithSpecification(operation, session, state, specification, files), files];
}

function notCompliant(name: string, first: Comparison, others: readonly Comparison[]): NotCompliantError {
  const also = others.map(
    ({ expectation, differences }) =>
      `it differs from ${expectation} as well, in ${count(differences.length, 'object')}`,
  );
  const places = count(first.differences.length, 'object');
  const fact = `the schema of ${name} differs from ${first.expectation} in ${places}`;
  return new NotCompliantError(fact, first, also[0]);
}

function unproven(proofs: readonly RollbackProof[], wrong: readonly RollbackProof[]): RollbackUnprovenError {
  const lines = wrong.flatMap(({ migration, verdict, differences, failure }) => [
    `${titleOf(migration)}: ${verdict}`,
    ...describeDifferences(differences, 5).map((line) => `  ${line}`),
    ...(failure === undefined ? [] : [failure.message, ...failure.evidence].map((line) => `  ${line}`)),
  ]);
  const fact = `${count(wrong.length, 'rollback')} of ${proofs.length} ${wrong.length === 1 ? 'is' : 'are'} not proven`;
  return new RollbackUnprovenError(fact, lines, { rollbacks: proofs.map(jsonProof) });
}

/** One proof, for machines. */
export function jsonProof({ migration, verdict, differences, failure }: RollbackProof) {
  return {
    version: String(migration.version),
    description: migration.description,
    verdict,
    differences: describeDifferences(differences, 1000),
    failure: failure?.message ?? null,
  };
}
