import { Failure } from '@lockstep/foundation';
import { type AppliedStep, applySteps } from './apply.ts';
import { prepareTables } from './bookkeeping.ts';
import type { DatabaseProperties } from './database-properties.ts';
import { createDatabase, reproduceInside } from './database-reproduction.ts';
import { RecreateRefusedError } from './errors.ts';
import { type DatabaseState, readState } from './history.ts';
import { keepOne } from './kept.ts';
import type { MigrateResult } from './migrate.ts';
import type { Migration } from './migration.ts';
import type { Operation } from './operation.ts';
import { type Anomaly, computePlan } from './plan.ts';
import { describeAnomalies, refusal } from './refusal.ts';
import { type NewDatabase, replaceDatabase } from './replace-database.ts';
import type { Session } from './session.ts';
import { markRecreated } from './untouched.ts';

/** What is to be recreated, and why. */
export interface RecreateOptions {
  readonly state: DatabaseState;
  /** None when a recreate was asked for by name. */
  readonly anomalies: readonly Anomaly[];
  readonly migrations: readonly Migration[];
  /** Grows as steps land in the new database. */
  readonly applied: AppliedStep[];
}

/**
 * Builds a new database beside the old, migrates it fully, and swaps the two by name; the old one is kept. See
 * replace-database.ts for what holds meanwhile.
 *
 * `session` holds the lock in the old database and is closed by this.
 *
 * @throws {RefusedError} or {RecreateRefusedError} when this role or server does not allow it
 */
export async function recreate(
  operation: Operation,
  session: Session,
  options: RecreateOptions,
): Promise<MigrateResult> {
  const { state, anomalies } = options;
  const { database } = state;
  const fresh: NewDatabase = {
    state,
    refuse: (obstacle, cause) => refuse(operation, options, obstacle, cause),
    build: async (maintenance, name, properties) => {
      for (const line of describeAnomalies(anomalies, state)) operation.log.info(line);
      operation.log.info(`recreating ${database}: a new database is built beside it`);
      await build(operation, maintenance, name, properties, options);
    },
    replaced: (maintenance, replaced) =>
      keepOne(operation, maintenance, { database, replaced, history: state.tables.history }),
  };
  const kept = await replaceDatabase(operation, session, fresh).catch((error: unknown) => {
    // A lost connection is followed by a new attempt, which counts for itself.
    if (!(error instanceof Failure)) options.applied.length = 0;
    throw error;
  });
  return {
    outcome: 'recreated',
    database,
    from: state.history.current?.version,
    to: options.applied.at(-1)?.version,
    steps: options.applied,
    takenBack: [],
    anomalies,
    kept,
    milliseconds: operation.deadline.elapsed(),
    affectedTables: undefined,
    safeguards: undefined,
  };
}

/** The new database, as the old one was before its first migration, then fully migrated. */
async function build(
  operation: Operation,
  maintenance: Session,
  fresh: string,
  properties: DatabaseProperties,
  { state, migrations, applied }: RecreateOptions,
): Promise<void> {
  await operation.deadline.during('sql', () => createDatabase(maintenance, fresh, properties));
  const first = await operation.connect(fresh);
  const missed = await operation.deadline
    .during('sql', () => reproduceInside(first, properties, state.tables.schema))
    .finally(() => first.close());
  for (const line of missed) operation.log.warn(`not reproduced in the new database: ${line}`);
  // A session of its own, so that the settings just made hold for it.
  const session = await operation.connect(fresh);
  try {
    const fromScratch = await readState(
      session,
      { schema: state.tables.schema, name: state.tables.name },
      { downSql: false, scripts: operation.scripts },
    );
    const plan = computePlan(migrations, fromScratch.history, { kind: 'latest' });
    await operation.deadline.during('sql', () => prepareTables(session, fromScratch, []));
    applied.length = 0;
    await applySteps(operation, session, {
      steps: plan.steps,
      migrations,
      tables: fromScratch.tables,
      role: fromScratch.role,
      from: undefined,
      applied,
      grouped: true,
    });
    await markRecreated(session, fromScratch.tables.history);
    const extensions = await session.query('select extname from pg_extension');
    const present = new Set(extensions.map(({ extname }) => String(extname)));
    for (const extension of properties.extensions) {
      if (!present.has(extension)) operation.log.warn(`the new database lacks the extension ${extension}`);
    }
  } finally {
    await session.close();
  }
}

function refuse(
  operation: Operation,
  options: RecreateOptions,
  obstacle: readonly string[],
  cause?: unknown,
) {
  const { state, anomalies } = options;
  if (anomalies.length === 0)
    return new RecreateRefusedError(`${state.database} cannot be recreated`, obstacle, cause);
  return refusal(operation, state, anomalies, `not recreated: ${obstacle.join('; ')}`, cause);
}
