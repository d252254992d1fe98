/** What a record ends with when another session has the lock: a division by zero. */
export const lockLost = '22012';

/** Milliseconds since the transaction of the step began. */
export const elapsed = '(extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000)::int';

/** When a step landed that is recorded `milliseconds` later. */
export function landedBefore(milliseconds: number): string {
  return `clock_timestamp() - interval '${milliseconds.toFixed(3)} milliseconds'`;
}

/** Takes the lock once more, in case the step let go of it; fails with {@link lockLost} when another session has it. */
export function holdLock(lock: bigint | undefined): string {
  return lock === undefined ? '' : `select 1 / pg_try_advisory_lock(${lock})::int; `;
}
