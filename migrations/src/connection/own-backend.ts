import { passingReason } from '@lockstep/postgres';
import { DatabaseError } from 'pg';
import { DatabaseRefusedError, SharedSessionError } from '../errors.ts';
import type { Session } from '../session.ts';

/** Long enough for a proxy to begin a server session; where each client has its own, there may be none left. */
const secondMilliseconds = 2000;
/** A pool that takes its server sessions in turn comes to ours within as many transactions as it has of them. */
const mostLooks = 40;

/**
 * Makes sure that a process of the server serves this session and nobody else, as the lock, SET and `RESET ALL` need it. A proxy
 * that shares its server sessions (PgBouncer with `pool_mode` transaction or statement, and its like) would let the lock of one
 * client pass for the lock of any other.
 *
 * Costs nothing on a connection to the server itself, once {@link Session.backend} is known: the server said at login which
 * process it is. Behind a proxy that process is another, and a second connection is opened to see whether it gets the same one.
 *
 * @throws {SharedSessionError} when it does; nothing was changed then
 * @throws {DatabaseRefusedError} when the proxy keeps the connection's `options` from the server
 */
export async function requireOwnBackend(session: Session): Promise<void> {
  const backend = session.backend ?? (await ask(session));
  if (backend === session.toldProcessId || session.isOwn) return;
  const shared = await findSharing(session, backend);
  if (shared !== undefined) throw new SharedSessionError(session.parameters, shared);
  await requireOptions(session);
  session.owned();
  // Not before: on a server session that others share they would be set for those.
  if (!session.hasOptions) await session.setLimits();
}

/**
 * Keeps which process answered.
 *
 * @throws {SharedSessionError} when it is another than the one that was proven to be the session's own
 */
export function noteBackend(session: Session, backend: number): void {
  const before = session.backend;
  session.servedBy(backend);
  if (session.isOwn && before !== backend) {
    throw new SharedSessionError(session.parameters, `process ${before} answered first, and then ${backend}`);
  }
}

/**
 * Makes sure that the `options` of the connection string arrived: without them, `search_path` for one, what is read is another
 * history.
 *
 * @throws {DatabaseRefusedError} when a proxy swallowed them
 */
export async function requireOptions(session: Session): Promise<void> {
  const { backend, toldProcessId, parameters } = session;
  if (backend === toldProcessId || session.hasOptions) return;
  const [row] = await session.query("select source from pg_settings where name = 'statement_timeout'");
  if (row?.['source'] === 'client') return session.tookOptions();
  if (parameters.options === undefined) return;
  throw new DatabaseRefusedError(
    `${parameters.host}:${parameters.port}`,
    'a proxy keeps the options of the connection string from it',
    ['connect to the server itself, or set them for the role: alter role … set search_path = …'],
    undefined,
  );
}

/**
 * Makes sure, once the lock is taken, that the session still is where it was, and has it.
 *
 * @throws {SharedSessionError} when not
 */
export async function requireHeld(session: Session, key: bigint): Promise<void> {
  if (session.backend === session.toldProcessId) return;
  const [row] = await session.query(
    `select pg_backend_pid() as pid, exists (
       select from pg_locks where locktype = 'advisory' and granted and pid = pg_backend_pid()
         and classid::int8 = $1::int8 >> 32 and objid::int8 = $1::int8 & 4294967295) as held`,
    [key.toString()],
  );
  if (row?.['held'] === true && Number(row['pid']) === session.backend) return;
  throw new SharedSessionError(
    session.parameters,
    `the lock was taken in process ${session.backend}, and process ${row?.['pid']} answers now`,
  );
}

async function ask(session: Session): Promise<number> {
  const [row] = await session.query('select pg_backend_pid() as pid');
  const backend = Number(row?.['pid']);
  session.servedBy(backend);
  return backend;
}

/** What shows that the session's server process serves others too; undefined when nothing does. */
async function findSharing(session: Session, backend: number): Promise<string | undefined> {
  const second = await openSecond(session);
  try {
    for (let look = 0; second !== undefined && look < mostLooks; look += 1) {
      const other = await within(secondMilliseconds, ask(second));
      // It waits for a server session of its own, and the first one has its: nothing is shared.
      if (other === undefined) break;
      if (other === backend) return `a second connection got the same server process, ${backend}`;
    }
  } finally {
    second?.abandon();
  }
  const now = await ask(session);
  return now === backend
    ? undefined
    : `process ${backend} of the server answered first, and then process ${now}`;
}

/** A second session by the same way; undefined when there is no room for one. */
async function openSecond(session: Session): Promise<Session | undefined> {
  try {
    return await session.another(secondMilliseconds);
  } catch (error) {
    if (error instanceof DatabaseError || passingReason(error) !== undefined) return undefined;
    throw error;
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  // Abandoned when it is late.
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
