import type { Row, Session } from './session.ts';

/** A session that others wait for, as far as Postgres shows it to us. */
export interface Holder {
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  readonly since: Date | undefined;
  /** What it runs, or `idle in transaction`; undefined when hidden from us. */
  readonly activity: string | undefined;
}

/** A statement that waits for a lock. */
export interface Blockage {
  /** What is locked: a relation, or the kind of lock. */
  readonly on: string;
  readonly holders: readonly Holder[];
}

const columns = 'a.pid, a.usename, a.application_name, a.backend_start, a.state, a.query';

/** The session that holds the advisory lock `key` in the session's database. */
export async function findLockHolder(session: Session, key: bigint): Promise<Holder | undefined> {
  const rows = await session.query(
    `select ${columns} from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1
       and l.database = (select oid from pg_database where datname = current_database())
       and l.classid::int8 = $1::int8 >> 32 and l.objid::int8 = $1::int8 & 4294967295`,
    [key.toString()],
  );
  return rows[0] === undefined ? undefined : toHolder(rows[0]);
}

/** What the session with process id `pid` waits for; undefined when it does not wait. */
export async function findBlockage(session: Session, pid: number): Promise<Blockage | undefined> {
  const [holders, locks] = await Promise.all([
    session.query(
      `select ${columns} from unnest(pg_blocking_pids($1)) as b(pid) join pg_stat_activity a on a.pid = b.pid
       order by a.backend_start, a.pid limit 5`,
      [pid],
    ),
    session.query(
      `select coalesce(relation::regclass::text, locktype) as target from pg_locks
       where pid = $1 and not granted limit 1`,
      [pid],
    ),
  ]);
  if (holders.length === 0) return undefined;
  return { on: String(locks[0]?.['target'] ?? 'a lock'), holders: holders.map(toHolder) };
}

/** How far a statement is, where Postgres tells: building an index, copying, vacuuming, clustering. */
export async function findProgress(session: Session, pid: number): Promise<string | undefined> {
  const [row] = await session.query(
    `select coalesce(
       (select format('%s, %s of %s blocks', phase, blocks_done, blocks_total) from pg_stat_progress_create_index where pid = $1),
       (select format('copying, %s bytes', bytes_processed) from pg_stat_progress_copy where pid = $1),
       (select format('%s, %s of %s blocks', phase, heap_blks_scanned, heap_blks_total) from pg_stat_progress_cluster where pid = $1),
       (select format('%s, %s of %s blocks', phase, heap_blks_scanned, heap_blks_total) from pg_stat_progress_vacuum where pid = $1),
       (select format('%s, %s of %s blocks', phase, sample_blks_scanned, sample_blks_total) from pg_stat_progress_analyze where pid = $1)
     ) as progress, (select wait_event_type || ' ' || wait_event from pg_stat_activity where pid = $1) as wait`,
    [pid],
  );
  const { progress, wait } = row ?? {};
  if (typeof progress === 'string') return progress;
  return typeof wait === 'string' ? describeWait(wait) : undefined;
}

/** What Postgres calls a wait (`wait_event_type wait_event`), in words; what has none by its own name. */
export function describeWait(wait: string): string {
  const [type = '', event = ''] = wait.split(' ');
  if (event === 'PgSleep') return 'sleeping (pg_sleep)';
  const known: Record<string, string> = {
    Lock: 'waiting for a lock',
    IO: 'waiting for the disk',
    Client: 'waiting for its client',
    Timeout: 'pausing',
    BufferPin: 'waiting for a page that another session uses',
    LWLock: 'waiting for other sessions',
    IPC: 'waiting for another process of the server',
  };
  return `${known[type] ?? 'waiting'} (${event})`;
}

/** `pid 4711, user services_migrator, application "migrate services-api", since 14:02:11, running: create index …` */
export function describeHolder({ pid, user, application, since, activity }: Holder): string {
  const parts = [`pid ${pid}`, `user ${user}`];
  if (application !== '') parts.push(`application "${application}"`);
  if (since !== undefined) parts.push(`since ${since.toTimeString().slice(0, 8)}`);
  if (activity !== undefined) parts.push(activity);
  return parts.join(', ');
}

function toHolder(row: Row): Holder {
  const { pid, usename, application_name, backend_start, state, query } = row;
  return {
    pid: Number(pid),
    user: printable(String(usename ?? 'unknown'), 63),
    application: printable(String(application_name ?? ''), 63),
    since: backend_start instanceof Date ? backend_start : undefined,
    activity: activityOf(state, String(query ?? '')),
  };
}

function activityOf(state: unknown, query: string): string | undefined {
  if (typeof state !== 'string') return undefined;
  // Somebody else's statement: its strings may be secrets.
  return state === 'active' ? `running: ${printable(query.replace(/'(?:[^']|'')*'?/g, "'…'"), 80)}` : state;
}

function printable(text: string, longest: number): string {
  const line = text.replace(/[\s\p{C}]+/gu, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
