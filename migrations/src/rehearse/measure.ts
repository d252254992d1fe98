import { setTimeout as sleep } from 'node:timers/promises';
import { type LockMode, lockModes, stronger } from '../analysis/locks.ts';
import type { Statement } from '../migration.ts';
import type { Row, Session } from '../session.ts';

/** A lock that is held when a statement ends, or was while it ran alone. */
export interface HeldLock {
  readonly relation: string;
  readonly mode: LockMode;
  /** Whether an earlier statement of the migration took it, as strong as this. */
  readonly earlier: boolean;
}

/** What running one statement showed. */
export interface Measurement {
  readonly statement: Statement;
  readonly milliseconds: number;
  /** Written to the log by the whole server meanwhile. */
  readonly walBytes: number;
  /** On tables, views and indexes that were there before the migration; the strongest that was seen. */
  readonly locks: readonly HeldLock[];
  /** Whose storage was written anew: a rewrite. */
  readonly rewritten: readonly string[];
}

/** Locks of a statement outside a transaction are gone when it ends, so they are looked for this often while it runs. */
const sampleMilliseconds = 4;

/** Relations by oid, as they were before a migration. */
export type Relations = ReadonlyMap<
  string,
  { readonly name: string; readonly node: string; readonly isTable: boolean }
>;

export async function readRelations(session: Session): Promise<Relations> {
  const rows = await session.query(
    `select c.oid::int8::text as oid, c.oid::regclass::text as name, coalesce(pg_relation_filenode(c.oid), 0)::text as node,
            c.relkind in ('r', 'm', 'p') as is_table
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p', 'm', 'v', 'i', 'I', 'S')`,
  );
  return new Map(
    rows.map(({ oid, name, node, is_table: isTable }) => [
      String(oid),
      { name: String(name), node: String(node), isTable: isTable === true },
    ]),
  );
}

/** Runs one statement on `session`; `observer` is another connection to the same database. */
export async function measure(
  session: Session,
  observer: Session,
  statement: Statement,
  known: Relations,
): Promise<Measurement> {
  const pid = await backendOf(session);
  const before = await readRelations(session);
  const heldBefore = await locksOf(observer, pid, known);
  const wal = await walPosition(observer);
  const seen = new Map<string, LockMode>();
  const stop = { done: false };
  const sampling =
    statement.outsideTransaction === undefined ? undefined : sample(observer, pid, known, seen, stop);
  const startedAt = performance.now();
  try {
    await session.query(statement.text);
  } finally {
    stop.done = true;
    await sampling;
  }
  const milliseconds = performance.now() - startedAt;
  const [row] = await observer.query(
    'select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::text as bytes',
    [wal],
  );
  for (const [relation, mode] of await locksOf(observer, pid, known)) {
    note(seen, relation, mode);
  }
  const after = await readRelations(session);
  const rewritten = [...known].flatMap(([oid, { name, isTable }]) => {
    const [old, now] = [before.get(oid), after.get(oid)];
    return isTable && old !== undefined && now !== undefined && old.node !== now.node ? [name] : [];
  });
  return {
    statement,
    milliseconds,
    walBytes: Number(row?.['bytes'] ?? 0),
    locks: [...seen]
      .map(([relation, mode]) => ({ relation, mode, earlier: heldBefore.get(relation) === mode }))
      .sort((a, b) => (a.relation < b.relation ? -1 : 1)),
    rewritten,
  };
}

async function sample(
  observer: Session,
  pid: string,
  known: Relations,
  seen: Map<string, LockMode>,
  stop: { readonly done: boolean },
): Promise<void> {
  while (!stop.done) {
    for (const [relation, mode] of await locksOf(observer, pid, known)) note(seen, relation, mode);
    await sleep(sampleMilliseconds);
  }
}

function note(seen: Map<string, LockMode>, relation: string, mode: LockMode): void {
  seen.set(relation, stronger(seen.get(relation) ?? 'ACCESS SHARE', mode));
}

async function locksOf(
  observer: Session,
  pid: string,
  known: Relations,
): Promise<ReadonlyMap<string, LockMode>> {
  const rows: readonly Row[] = await observer.query(
    `select relation::int8::text as oid, mode from pg_locks
     where pid = $1 and locktype = 'relation' and granted
       and database = (select oid from pg_database where datname = current_database())`,
    [pid],
  );
  const held = new Map<string, LockMode>();
  for (const { oid, mode } of rows) {
    const relation = known.get(String(oid));
    const spelled = spellMode(String(mode));
    if (relation !== undefined && spelled !== undefined) note(held, relation.name, spelled);
  }
  return held;
}

/** `AccessExclusiveLock` of pg_locks is `ACCESS EXCLUSIVE` of the manual. */
function spellMode(mode: string): LockMode | undefined {
  const words = mode
    .replace(/Lock$/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toUpperCase();
  return lockModes.find((known) => known === words);
}

async function backendOf(session: Session): Promise<string> {
  const [row] = await session.query('select pg_backend_pid()::text as pid');
  return String(row?.['pid']);
}

async function walPosition(observer: Session): Promise<string> {
  const [row] = await observer.query('select pg_current_wal_insert_lsn()::text as lsn');
  return String(row?.['lsn']);
}
