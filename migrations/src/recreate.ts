import { Failure } from '@lockstep/foundation';
import { DatabaseError } from 'pg';
import { type AppliedStep, applySteps } from './apply.ts';
import { prepareTables } from './bookkeeping.ts';
import { fits, freshPattern } from './database-names.ts';
import { type DatabaseProperties, readProperties } from './database-properties.ts';
import { createDatabase, reproduceInside } from './database-reproduction.ts';
import { DatabaseRefusedError, RecreateRefusedError, withEvidence } from './errors.ts';
import { type DatabaseState, readState } from './history.ts';
import { longestIdentifier } from './identifiers.ts';
import { freeNames, keepOne } from './kept.ts';
import { withLock } from './lock.ts';
import { replacementLock } from './lock-options.ts';
import {
  connectMaintenance,
  dropDatabase,
  findDatabases,
  findStaying,
  swapDatabases,
} from './maintenance.ts';
import type { MigrateResult } from './migrate.ts';
import type { Migration } from './migration.ts';
import type { Operation } from './operation.ts';
import { type Anomaly, computePlan } from './plan.ts';
import { describeAnomalies, refusal } from './refusal.ts';
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
 * Builds a new database beside the old, migrates it fully, and swaps the two by name; the old one is kept.
 *
 * `session` holds the lock in the old database and is closed by this. At every moment, also when this process is
 * killed, one whole database has the name: the old one until the swap commits, the new one after. When building fails
 * the new one is dropped and the old one was never touched.
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
  const properties = await operation.deadline.during('database', () => readProperties(session));
  const obstacle = obstacleTo(state, properties);
  if (obstacle !== undefined) throw refuse(operation, options, obstacle);
  for (const line of describeAnomalies(anomalies, state)) operation.log.info(line);
  operation.log.info(`recreating ${database}: a new database is built beside it`);
  const maintenance = await connectMaintenance(operation, database).catch((error: unknown) => {
    if (!(error instanceof DatabaseRefusedError)) throw error;
    throw refuse(operation, options, [error.message, ...error.evidence], error);
  });
  try {
    return await withLock(maintenance, replacementLock(operation, state), async () => {
      // Whoever held this lock before may have swapped the database: then our session there was ended, and we lost it.
      await session.query('select 1');
      const staying = await findStaying(maintenance, [database]);
      if (staying.length > 0) throw refuse(operation, options, staying);
      for (const leftover of await findDatabases(maintenance, freshPattern(database))) {
        await dropDatabase(maintenance, leftover);
      }
      const { fresh, kept } = await freeNames(maintenance, database);
      try {
        await build(operation, maintenance, fresh, properties, options);
        await session.close();
        await swapDatabases(operation, maintenance, [
          { from: database, to: kept },
          { from: fresh, to: database },
        ]);
      } catch (error) {
        await discard(operation, maintenance, fresh);
        // A lost connection is followed by a new attempt, which counts for itself.
        if (!(error instanceof Failure)) options.applied.length = 0;
        if (error instanceof RecreateRefusedError) throw refuse(operation, options, error.evidence, error);
        if (error instanceof Failure) throw withEvidence(error, `${database} itself was not touched`);
        if (!(error instanceof DatabaseError) || operation.signal.aborted) throw error;
        throw refuse(operation, options, [`${error.message} (${error.code})`], error);
      }
      const stays = await keepOne(operation, maintenance, {
        database,
        replaced: kept,
        history: state.tables.history,
      });
      return {
        outcome: 'recreated',
        database,
        from: state.history.current?.version,
        to: options.applied.at(-1)?.version,
        steps: options.applied,
        anomalies,
        kept: stays,
        milliseconds: operation.deadline.elapsed(),
      };
    });
  } finally {
    await maintenance.close();
  }
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
      { downSql: false },
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

/** Drops a new database that did not come to be, on a connection that still works; else the next recreate does. */
async function discard(operation: Operation, maintenance: Session, fresh: string): Promise<void> {
  maintenance.settle();
  try {
    await dropDatabase(maintenance, fresh);
  } catch {
    operation.log.debug(`${fresh} was left behind; the next recreate drops it`);
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

/** Why this role cannot recreate this database, when it cannot. */
function obstacleTo(state: DatabaseState, properties: DatabaseProperties): string[] | undefined {
  const { database, role } = state;
  if (!fits(database)) {
    return [
      `the name ${database} is too long: __before_ and a time must fit into ${longestIdentifier} bytes with it`,
    ];
  }
  if (!properties.mayCreate) return [`${role} may not create databases (CREATEDB)`];
  if (!properties.owns) return [`${role} does not own ${database}`];
  return undefined;
}
