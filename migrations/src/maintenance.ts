import { DatabaseError } from 'pg';
import { DatabaseRefusedError, RecreateRefusedError } from './errors.ts';
import { quoteIdentifier } from './identifiers.ts';
import type { Operation } from './operation.ts';
import type { Session } from './session.ts';

/** Databases are renamed from outside. `template1` is everywhere; a connection to it only hinders copies of it. */
const candidates = ['postgres', 'template1'];
const pollMilliseconds = 25;

/** Opens a session in a database that is not the one to be renamed. */
export async function connectMaintenance(operation: Operation, database: string): Promise<Session> {
  let refused: unknown;
  for (const candidate of candidates.filter((name) => name !== database)) {
    try {
      return await operation.connect(candidate);
    } catch (error) {
      if (!(error instanceof DatabaseRefusedError)) throw error;
      refused = error;
    }
  }
  throw refused;
}

/** The databases whose name matches `pattern` and which this role may drop or rename, newest name first. */
export async function findDatabases(session: Session, pattern: string): Promise<string[]> {
  const rows = await session.query(
    `select datname from pg_database where datname ~ $1 and pg_has_role(current_user, datdba, 'USAGE')
     order by datname collate "C" desc`,
    [pattern],
  );
  return rows.map(({ datname }) => String(datname));
}

/** Databases by name: those that somebody can be in, and those that can only be dropped. Newest name first, both. */
export interface Found {
  readonly usable: readonly string[];
  /** An interrupted DROP DATABASE left them (`datconnlimit = -2`): https://www.postgresql.org/docs/current/catalog-pg-database.html */
  readonly invalid: readonly string[];
}

/** As {@link findDatabases}, apart by what they are good for. One that allows no connections is neither: somebody closed it by hand. */
export async function findByUse(session: Session, pattern: string): Promise<Found> {
  const rows = await session.query(
    `select datname, datallowconn as open, datconnlimit = -2 as invalid from pg_database
     where datname ~ $1 and pg_has_role(current_user, datdba, 'USAGE') order by datname collate "C" desc`,
    [pattern],
  );
  const namesOf = (some: typeof rows) => some.map(({ datname }) => String(datname));
  return {
    usable: namesOf(rows.filter(({ open, invalid }) => open === true && invalid === false)),
    invalid: namesOf(rows.filter(({ invalid }) => invalid === true)),
  };
}

/** Drops a database and ends its sessions. */
export async function dropDatabase(session: Session, database: string): Promise<void> {
  await session.query(dropText(database));
}

/** What {@link dropDatabase} sends. */
export function dropText(database: string): string {
  return `drop database if exists ${quoteIdentifier(database)} with (force)`;
}

/**
 * Leaves to the server, on a session that is not needed any more, what takes it a fifth of a second each and what nobody waits for;
 * waits for all but the last two. See {@link Session.leave}.
 */
export async function leaveOn(session: Session, texts: readonly string[]): Promise<void> {
  for (const text of texts.slice(0, -2)) await session.query(text);
  const [last, ...others] = texts.slice(-2).reverse();
  if (last !== undefined) await session.leave(others[0] === undefined ? [last] : [others[0], last]);
}

/** One database gets another's name. */
export interface Rename {
  readonly from: string;
  readonly to: string;
}

/**
 * Renames databases in one transaction, ending the sessions that stand in the way.
 *
 * RENAME first locks the database against new connections and then waits for the old ones to leave (five seconds, in
 * Postgres' CountOtherDBBackends). So sessions are ended before it and, from `killer`, a second session, while it waits.
 *
 * @throws {RecreateRefusedError} when sessions stay that this role may not end
 */
export async function swapDatabases(
  operation: Operation,
  maintenance: Session,
  killer: Session,
  renames: readonly [Rename, Rename],
): Promise<void> {
  const names = renames.map(({ from }) => from);
  // pg_terminate_backend warns of each session that takes its time, or is gone already.
  await killer.query('set client_min_messages = error');
  for (;;) {
    // Before RENAME, which would wait five seconds for them in vain.
    const staying = await findStaying(killer, names);
    if (staying.length > 0) throw inTheWay(staying);
    await endSessions(killer, names);
    const error = await rename(operation, maintenance, killer, renames);
    if (error === undefined) return;
    // Object in use: somebody came in before the lock, or may not be ended by us.
    if (error.code !== '55006' || operation.signal.aborted) throw error;
    if (/prepared transaction/.test(error.detail ?? '')) throw inTheWay([error.detail ?? ''], error);
  }
}

function inTheWay(lines: readonly string[], cause?: unknown): RecreateRefusedError {
  return new RecreateRefusedError('the database cannot be renamed while sessions stay in it', lines, cause);
}

async function rename(
  operation: Operation,
  maintenance: Session,
  killer: Session,
  renames: readonly Rename[],
): Promise<DatabaseError | undefined> {
  await maintenance.query('begin');
  const state = { done: false };
  const renaming = (async () => {
    try {
      for (const { from, to } of renames) {
        await maintenance.query(`alter database ${quoteIdentifier(from)} rename to ${quoteIdentifier(to)}`);
      }
      await maintenance.query('commit');
      return undefined;
    } catch (error) {
      await maintenance.query('rollback').catch(() => {});
      if (error instanceof DatabaseError) return error;
      throw error;
    } finally {
      state.done = true;
    }
  })();
  const ending = (async () => {
    while (!state.done) {
      await operation.deadline.sleep(pollMilliseconds, operation.signal);
      if (state.done || operation.signal.aborted) return;
      await endSessions(
        killer,
        renames.map(({ from }) => from),
      );
    }
  })();
  const [outcome] = await Promise.all([renaming, ending.catch(() => {})]);
  return outcome;
}

/** Whether a session of `a` (pg_stat_activity) may be ended by us: Postgres' own rule for pg_terminate_backend. */
const endable = `coalesce(pg_has_role(current_user, a.usesysid, 'USAGE')
  and (select rolsuper from pg_roles where rolname = current_user)
    >= (select rolsuper from pg_roles where oid = a.usesysid), false)`;

/** Ends what it may, and waits a moment for each to be gone. */
async function endSessions(session: Session, databases: readonly string[]): Promise<void> {
  await session.query(
    `select pg_terminate_backend(a.pid, 100) from pg_stat_activity a
     where a.datname = any($1) and a.pid <> pg_backend_pid() and a.usesysid is not null and ${endable}`,
    [databases],
  );
}

/** Sessions that stand in the way of a rename, and that this role may not end; one line each. */
export async function findStaying(session: Session, databases: readonly string[]): Promise<string[]> {
  // Autovacuum has no user; RENAME itself ends that.
  const rows = await session.query(
    `select a.pid, a.usename, a.application_name from pg_stat_activity a
     where a.datname = any($1) and a.pid <> pg_backend_pid() and a.usesysid is not null and not ${endable}
     order by a.pid limit 5`,
    [databases],
  );
  return rows.map(({ pid, usename, application_name }) => {
    const application = String(application_name ?? '').replace(/\p{C}+/gu, ' ');
    return `pid ${pid}, user ${usename}, application "${application}": only a superuser may end it`;
  });
}
