import type { DatabaseState } from './history.ts';
import { type LockOptions, lockKey } from './lock.ts';
import type { Operation } from './operation.ts';

/**
 * The lock of whoever replaces the database, whichever table its migrations are recorded in: services that share a
 * database would else swap it at the same time. Taken in the maintenance database.
 */
export function replacementLock(operation: Operation, state: DatabaseState): LockOptions {
  return { ...lockOptions(operation, state), key: lockKey(state.database, '', '') };
}

/** The lock of the state's table in the state's database. */
export function lockOptions(operation: Operation, { database, tables }: DatabaseState): LockOptions {
  const { deadline, signal, log } = operation;
  return {
    key: lockKey(database, tables.schema, tables.name),
    database,
    deadline,
    signal,
    log,
    hint: operation.command('status'),
  };
}
