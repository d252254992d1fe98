import { crc32 } from 'node:zlib';
import type { Deadline } from '@lockstep/foundation';
import type { Log } from '@lockstep/foundation/log';
import { DatabaseError } from 'pg';
import { requireHeld, requireOwnBackend } from './connection/own-backend.ts';
import { describeDuration, InterruptedError, LockHeldError } from './errors.ts';
import { describeHolder, findLockHolder, type Holder } from './holder.ts';
import type { Session } from './session.ts';

/** What the wait for a lock needs to know. */
export interface LockOptions {
  readonly key: bigint;
  /** As shown in messages: the database's name. */
  readonly database: string;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** The command that shows who holds it. */
  readonly hint: string;
}

/** https://github.com/golang-migrate/migrate/blob/v4.17.1/database/util.go */
const saltOfGolangMigrate = 1_486_364_155n;
const firstPause = 20;
const longestPause = 250;

/**
 * The advisory lock that golang-migrate takes for this table, so that the two exclude each other: CRC-32 (IEEE) of
 * `schema NUL table NUL database`, times its salt, modulo 2^32.
 */
export function lockKey(database: string, schema: string, table: string): bigint {
  const sum = BigInt(crc32([schema, table, database].join('\0')));
  return BigInt.asUintN(32, sum * saltOfGolangMigrate);
}

/**
 * Runs `work` while `session` holds the lock, and lets go of it however `work` ends.
 *
 * Polls until the deadline, then throws {@link LockHeldError}, which names the holder. Throws {@link SharedSessionError} first of all
 * where a proxy would let it exclude nobody. The lock belongs to the session:
 * give it one connection.
 */
export async function withLock<T>(
  session: Session,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  // Outside the `try`: a wait that failed took no lock, so there is none to release.
  await options.deadline.during('lock', () => acquire(session, options));
  try {
    return await work();
  } finally {
    // If the connection is gone the lock went with it, and `work`'s own error must win. All, because each step takes it once
    // more (see step.ts), and a session of ours holds no other.
    await session.query('select pg_advisory_unlock_all()').catch(() => {});
  }
}

/**
 * Tries again and again instead of waiting inside Postgres: a statement that waits there holds a snapshot, for which
 * the holder's CREATE INDEX CONCURRENTLY would wait in turn.
 */
async function acquire(session: Session, options: LockOptions): Promise<void> {
  const { key, deadline, signal } = options;
  // Before the lock is asked for: one that is taken in a session of others could not be given back.
  await requireOwnBackend(session);
  const startedAt = performance.now();
  let holder: Holder | undefined;
  try {
    for (
      let pause = firstPause;
      deadline.remaining() > lastLook;
      pause = Math.min(longestPause, pause * 1.5)
    ) {
      const rows = await session.query('select pg_try_advisory_lock($1) as taken', [key.toString()]);
      if (rows[0]?.['taken'] === true) return await requireHeld(session, key);
      if (performance.now() - startedAt > 1000) holder = await tell(session, options, holder);
      const jittered = pause * (0.75 + Math.random() / 2);
      await deadline.sleep(Math.min(jittered, Math.max(1, deadline.remaining() - lastLook)), signal);
      if (signal.reason instanceof InterruptedError) throw signal.reason;
    }
    holder = (await findLockHolder(session, key)) ?? holder;
  } catch (error) {
    // The deadline cancels what runs, also the question who holds the lock.
    if (!deadline.passed || !(error instanceof DatabaseError)) throw error;
  }
  await deadline.sleep(lastLook, signal);
  const timeout = describeDuration(deadline.timeoutMilliseconds);
  throw new LockHeldError(options.database, timeout, holder && describeHolder(holder), options.hint);
}

/** Milliseconds kept at the end to ask who holds the lock: after the deadline the session answers no more. */
const lastLook = 60;

async function tell(session: Session, { key, log }: LockOptions, known: Holder | undefined) {
  const holder = await findLockHolder(session, key);
  if (holder !== undefined && holder.pid !== known?.pid) {
    log.info(`waiting for the migration lock, held by ${describeHolder(holder)}`, { holder: holder.pid });
  }
  return holder ?? known;
}
