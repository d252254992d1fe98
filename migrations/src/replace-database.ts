import { Failure } from '@lockstep/foundation';
import { DatabaseError } from 'pg';
import { fits, freshPattern } from './database-names.ts';
import { type DatabaseProperties, readProperties } from './database-properties.ts';
import { DatabaseRefusedError, RecreateRefusedError, withEvidence } from './errors.ts';
import type { DatabaseState } from './history.ts';
import { longestIdentifier } from './identifiers.ts';
import { freeNames } from './kept.ts';
import { withLock } from './lock.ts';
import { replacementLock } from './lock-options.ts';
import {
  connectMaintenance,
  dropDatabase,
  findDatabases,
  findStaying,
  leaveOn,
  swapDatabases,
} from './maintenance.ts';
import type { Operation } from './operation.ts';
import type { PreviousDatabases } from './recreate/previous.ts';
import type { Session } from './session.ts';

/** What takes the place of a database. */
export interface NewDatabase {
  readonly state: DatabaseState;
  /** Makes the database `name` and everything in it. */
  build(maintenance: Session, name: string, properties: DatabaseProperties): Promise<void>;
  /** The failure when this role or server does not allow it; nothing was changed then. */
  refuse(obstacle: readonly string[], cause?: unknown): Failure;
  /** Called once the new one has the name. The old one is called `kept` now. */
  replaced(maintenance: Session, kept: string): Promise<Replaced>;
}

/** What becomes of the databases that were replaced. */
export interface Replaced extends PreviousDatabases {
  /** What is left to the server to do, as SQL. */
  readonly left: readonly string[];
}

/**
 * Builds a new database beside the old and swaps the two by name; the old one is kept. Returns what stays kept, and what goes.
 *
 * `session` holds the lock in the old database and is closed by this. At every moment, also when this process is
 * killed, one whole database has the name: the old one until the swap commits, the new one after. When building fails
 * the new one is dropped and the old one was never touched.
 */
export async function replaceDatabase(
  operation: Operation,
  session: Session,
  wanted: NewDatabase,
): Promise<PreviousDatabases> {
  const { state, refuse } = wanted;
  const { database } = state;
  const properties = await operation.deadline.during('database', () => readProperties(session));
  const obstacle = obstacleTo(state, properties);
  if (obstacle !== undefined) throw refuse(obstacle);
  const maintenance = await connectMaintenance(operation, database).catch((error: unknown) => {
    if (!(error instanceof DatabaseRefusedError)) throw error;
    throw refuse([error.message, ...error.evidence], error);
  });
  try {
    return await withLock(maintenance, replacementLock(operation, state), async () => {
      // Whoever held this lock before may have swapped the database: then our session there was ended, and we lost it.
      await session.query('select 1');
      const staying = await findStaying(maintenance, [database]);
      if (staying.length > 0) throw refuse(staying);
      for (const leftover of await findDatabases(maintenance, freshPattern(database))) {
        await dropDatabase(maintenance, leftover);
      }
      return await buildAndSwap(operation, { session, maintenance }, properties, wanted);
    });
  } finally {
    await maintenance.close();
  }
}

interface Sessions {
  /** In the old database; closed by this. */
  readonly session: Session;
  readonly maintenance: Session;
}

async function buildAndSwap(
  operation: Operation,
  sessions: Sessions,
  properties: DatabaseProperties,
  wanted: NewDatabase,
): Promise<PreviousDatabases> {
  const { maintenance } = sessions;
  const names = await freeNames(maintenance, wanted.state.database);
  // What the swap needs besides is opened while the new database is made; that it cannot be is heard of at the swap.
  const killer = operation.connect(maintenance.parameters.database);
  killer.catch(() => {});
  let isLeft = false;
  try {
    try {
      await wanted.build(maintenance, names.fresh, properties);
      await sessions.session.close();
      await swapDatabases(operation, maintenance, await killer, [
        { from: wanted.state.database, to: names.kept },
        { from: names.fresh, to: wanted.state.database },
      ]);
    } catch (error) {
      await discard(operation, maintenance, names.fresh);
      throw explain(error, operation, wanted);
    }
    const { kept, dropped, left } = await wanted.replaced(maintenance, names.kept);
    if (left.length > 0) {
      isLeft = true;
      await leaveOn(await killer, left).catch((error: unknown) =>
        operation.log.debug(`left as it is: ${String(error)}`),
      );
    }
    return { kept, dropped };
  } finally {
    if (!isLeft) await killer.then((session) => session.close()).catch(() => {});
  }
}

function explain(error: unknown, { signal }: Operation, { state, refuse }: NewDatabase): unknown {
  if (error instanceof RecreateRefusedError) return refuse(error.evidence, error);
  if (error instanceof Failure) return withEvidence(error, `${state.database} itself was not touched`);
  if (!(error instanceof DatabaseError) || signal.aborted) return error;
  return refuse([`${error.message} (${error.code})`], error);
}

/** Drops a new database that did not come to be, on a connection that still works; else the next one does. */
async function discard(operation: Operation, maintenance: Session, fresh: string): Promise<void> {
  maintenance.settle();
  try {
    await dropDatabase(maintenance, fresh);
  } catch {
    operation.log.debug(`${fresh} was left behind; the next recreate drops it`);
  }
}

/** Why this role cannot replace this database, when it cannot. */
export function obstacleTo(state: DatabaseState, properties: DatabaseProperties): string[] | undefined {
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
