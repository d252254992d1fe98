import { DatabaseError } from 'pg';
import { quoteLiteral } from '../identifiers.ts';
import type { Session } from '../session.ts';

/**
 * What lockstep notes in a database about it, in the comment of its history table: whose work is in it since when. It counts for this
 * very database of this very server, so that a copy or a restored dump does not pass for it.
 */
export interface Mark {
  /** The transaction since which every row and object is somebody's, unless it is one of {@link own}. */
  readonly since: bigint;
  /**
   * When a person last wrote what is in it from before, as the time in a name; undefined when nothing is: lockstep made all of it
   * from the migrations.
   */
  readonly held: string | undefined;
  /** The time in the name that it had as a previous database, before undo brought it back. */
  readonly from: string | undefined;
  /** Transactions of lockstep's own since then, first and last of each row of them: each was noted by itself; see {@link signText}. */
  readonly own: readonly (readonly [first: bigint, last: bigint])[];
}

/** Sorts before every time of a name: a restored backup holds what somebody wrote before all that is kept now. */
export const longAgo = '00010101T000000';

/** Rows hold transaction ids modulo 2^32. */
export const modulo = 4_294_967_296n;
const opening = 'lockstep {';
/** A comment that grew longer is not added to: what follows counts as somebody's. */
const longest = 100_000;

/** Reads the mark; undefined when there is none that counts here. */
export async function readMark(session: Session, historyTable: string): Promise<Mark | undefined> {
  const [row] = await session.query(
    `select obj_description(to_regclass($1), 'pg_class') as note, ${here} as here`,
    [historyTable],
  );
  const [, json = '', list = ''] = /^lockstep (\{[^{}]*\})((?: \d+-\d+)*)$/.exec(String(row?.['note'])) ?? [];
  const noted = parse(json);
  if (noted['here'] !== row?.['here'] || typeof noted['since'] !== 'string') return undefined;
  const { since, held, from } = noted;
  return {
    since: BigInt(since),
    held: typeof held === 'string' ? held : undefined,
    from: typeof from === 'string' ? from : undefined,
    own: [...list.matchAll(/(\d+)-(\d+)/g)].map(([, first = '', last = '']) => [BigInt(first), BigInt(last)]),
  };
}

/** Marks the session's database, in which nobody else writes: from the next transaction on, what is not signed is somebody's. */
export async function writeMark(
  session: Session,
  historyTable: string,
  { held, from }: Pick<Mark, 'held' | 'from'>,
): Promise<void> {
  await session.query('begin');
  try {
    const [row] = await session.query(`select ${here} as here, pg_current_xact_id()::text as since`);
    const note = JSON.stringify({ here: row?.['here'], since: row?.['since'], held, from });
    await session.query(`comment on table ${historyTable} is ${quoteLiteral(`lockstep ${note}`)}`);
    await session.query('commit');
  } catch (error) {
    await session.query('rollback').catch(() => {});
    throw error;
  }
}

/** Takes the mark away: all that is in the database counts as somebody's from now on. */
export async function eraseMark(session: Session, historyTable: string): Promise<void> {
  await session.query(`comment on table ${historyTable} is null`);
}

/**
 * The SQL that notes the transaction it is in as lockstep's own, with its subtransactions (what a block with EXCEPTION writes has an
 * id of its own). It lands with the transaction's work or not at all, so no kill can part the two.
 *
 * A subtransaction of ours has an id above the transaction's and below that of the block here, and is still in progress. So is one of
 * another session: none is noted while another transaction of this database is at work, and what they wrote counts as somebody's.
 * (Ids of other databases are in none of its rows.) Postgres has no function that lists them.
 */
export function signText(historyTable: string): string {
  const comment = `execute format('comment on table %s is %L', ${quoteLiteral(historyTable)}, note);`;
  return `do ${quoteLiteral(`declare
  note text := obj_description(to_regclass(${quoteLiteral(historyTable)}), 'pg_class');
  top bigint := pg_current_xact_id_if_assigned()::text::bigint;
  ends bigint; last bigint := top; next_id bigint;
begin
  if top is null or note is null or not starts_with(note, ${quoteLiteral(opening)}) or length(note) > ${longest} then return; end if;
  note := note || ' ' || top;
  ${comment}
  select top + (d.xmin::text::bigint - top % ${modulo} + ${modulo}) % ${modulo} into ends from pg_description d
    where d.objoid = to_regclass(${quoteLiteral(historyTable)}) and d.classoid = 'pg_class'::regclass and d.objsubid = 0;
  perform pg_stat_clear_snapshot();
  if ends > top + 1 and ends < top + 1000000 and not exists (${others}) then
    for next_id in select x from generate_series(top + 1, ends - 1) x
      where pg_xact_status(x::text::xid8) = 'in progress' order by x loop
      if next_id > last + 1 then note := note || '-' || last || ' ' || next_id; end if;
      last := next_id;
    end loop;
  end if;
  note := note || '-' || last;
  ${comment}
exception when others then null;
end`)}`;
}

/** Transactions of other sessions in this database; one that was prepared has no session. */
const others = `select from pg_locks l
  where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted and l.pid is distinct from pg_backend_pid()
    and not exists (select from pg_stat_activity a where a.pid = l.pid and a.datname is distinct from current_database())`;

/** This database of this server. */
const here = `(select system_identifier || ' ' || (select oid from pg_database where datname = current_database())
  from pg_control_system())`;

/** Whether {@link signText} can be run at all. */
export async function canSign(session: Session): Promise<boolean> {
  try {
    const [row] = await session.query(
      "select exists (select from pg_language where lanname = 'plpgsql') as there",
    );
    return row?.['there'] === true;
  } catch (error) {
    if (error instanceof DatabaseError) return false;
    throw error;
  }
}

function parse(json: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(json)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
