import { DatabaseError } from 'pg';
import { quoteIdentifier, quoteLiteral } from './identifiers.ts';
import type { Session } from './session.ts';

/**
 * Marks the session's database as just made by a recreate, in the comment of its history table: this very database of
 * this very server, so that a copy or a restored dump does not pass for it, and the transaction since which everything
 * in it is somebody's work.
 */
export async function markRecreated(session: Session, historyTable: string): Promise<void> {
  await session.query('begin');
  const [row] = await session.query(`select ${mark} as mark, pg_current_xact_id()::text as since`);
  const text = `${String(row?.['mark'])} ${String(row?.['since'])}`;
  await session.query(`comment on table ${historyTable} is ${quoteLiteral(text)}`);
  await session.query('commit');
}

/**
 * Whether nobody changed the session's database since {@link markRecreated}: no row was inserted or updated, nothing was
 * created or altered. Rows that were only deleted do not count: what migrations inserted, migrations insert again.
 *
 * Certain when true. Any doubt is false: no mark, a table closed to this role, row security in the way, many transactions
 * since. Nobody else may be writing meanwhile.
 */
export async function isUntouched(session: Session, historyTable: string): Promise<boolean> {
  try {
    // An error instead of rows that are silently left out.
    await session.query('set row_security = off');
    const [marked] = await session.query(
      `select substring(comment from length(${mark}) + 2) as since
       from obj_description(${quoteLiteral(historyTable)}::regclass, 'pg_class') as comment
       where comment ~ '^recreated: \\d+ \\d+ \\d+$' and comment like ${mark} || ' %'`,
    );
    const since = marked?.['since'];
    if (typeof since !== 'string') return false;
    // A file without a page holds no row, and most tables of a schema that is being developed are that.
    const tables = await session.query(
      `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and pg_relation_size(c.oid) > 0`,
    );
    const places = [
      ...catalogs,
      ...tables.map(({ schema, name }) =>
        [schema, name].map((part) => quoteIdentifier(String(part))).join('.'),
      ),
    ];
    const [found] = await session.query(
      `select pg_snapshot_xmax(pg_current_snapshot())::text::numeric - ${since} > ${longestAge} or ${places.map((place) => changed(place, since)).join(' or ')} as touched`,
    );
    return found?.['touched'] === false;
  } catch (error) {
    if (error instanceof DatabaseError) return false;
    throw error;
  }
}

const mark = `(select 'recreated: ' || system_identifier || ' ' || (select oid from pg_database where datname = current_database())
  from pg_control_system())`;
/** What VACUUM and ANALYZE change in these, they change in place. */
const catalogs = ['class', 'type', 'proc', 'namespace', 'attribute', 'largeobject_metadata'].map(
  (name) => `pg_catalog.pg_${name}`,
);
/** Rows hold transaction ids modulo 2^32; half of that is where an old one turns young. */
const longestAge = 1_000_000_000;

/** An updated row is a new row; freezing keeps the id that inserted it. */
function changed(table: string, since: string): string {
  return `exists (select from only ${table} where age(xmin) < age('${since}'::xid8::xid))`;
}
