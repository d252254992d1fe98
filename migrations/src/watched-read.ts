import { BlockWatch } from './block-watch.ts';
import { describeDuration, HistoryLockedError } from './errors.ts';
import { type DatabaseState, readState } from './history.ts';
import { describeHolder } from './holder.ts';
import type { Operation } from './operation.ts';
import type { Session } from './session.ts';

/**
 * Reads the state, and tells who holds a lock on the history when that takes long.
 *
 * @throws {HistoryLockedError} when the deadline passes meanwhile
 * @throws what {@link readState} throws
 */
export function readWatched(
  operation: Operation,
  session: Session,
  reading: { downSql: boolean },
): Promise<DatabaseState> {
  const { scripts, versions, settings } = operation;
  return watched(operation, session, () =>
    readState(session, settings.table, { ...reading, scripts, versions }),
  );
}

/**
 * Runs `read`, a reading of the history on `session`, and tells who holds a lock on it when that takes long.
 *
 * @throws {HistoryLockedError} when the deadline passes meanwhile
 * @throws what `read` throws
 */
export async function watched<T>(operation: Operation, session: Session, read: () => Promise<T>): Promise<T> {
  const { deadline } = operation;
  const watch = new BlockWatch(operation, session);
  operation.onLastMoment(() => watch.look());
  try {
    return await deadline.during('database', () => watch.during('reading the history', read));
  } catch (error) {
    const blockage = watch.seen;
    if (blockage === undefined || !deadline.passed) throw error;
    const lines = blockage.holders.map((holder) => `${blockage.on} is locked by ${describeHolder(holder)}`);
    const timeout = describeDuration(deadline.timeoutMilliseconds);
    throw new HistoryLockedError(session.parameters.database, timeout, lines, error);
  } finally {
    operation.onLastMoment(undefined);
    await watch.close();
  }
}
