import type { DatabaseState } from '../history.ts';
import { quoteIdentifier } from '../identifiers.ts';
import type { Step } from '../plan.ts';
import type { Row, Session } from '../session.ts';

/** Tables of a plan, quoted for SQL. */
export interface Touched {
  /**
   * Whose rows the steps may change: each one whose name stands anywhere in their files, what refers to those by foreign key or
   * inherits from them, and the migrator's own two. What a function does to others is not seen.
   */
  readonly changed: ReadonlySet<string>;
  /** These, and all that they refer to: without those rows their foreign keys could not be restored. */
  readonly needed: ReadonlySet<string>;
}

/** Finds the tables that `steps` touch. */
export async function findTouched(
  session: Session,
  { tables }: DatabaseState,
  steps: readonly Step[],
): Promise<Touched> {
  const text = steps.map(({ file }) => file.text).join('\n');
  const words = new Set(text.toLowerCase().match(/[\p{L}_][\p{L}\p{N}_$]*/gu) ?? []);
  const names = await session.query(
    `select n.nspname::text as schema, c.relname::text as name, c.oid::int8::text as oid
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`,
  );
  const named = names.filter(({ name }) => {
    const table = String(name);
    return words.has(table) || text.includes(quoteIdentifier(table));
  });
  const changed = await reach(session, oidsOf(named), 'dependents');
  const needed = await reach(session, oidsOf(changed), 'bases');
  const own = [tables.version, tables.history];
  return { changed: new Set([...namesOf(changed), ...own]), needed: new Set([...namesOf(needed), ...own]) };
}

/** Follows foreign keys and inheritance from tables to what depends on them, or to what they depend on. */
function reach(session: Session, from: readonly string[], towards: 'dependents' | 'bases'): Promise<Row[]> {
  const [here, there] = towards === 'dependents' ? ['base', 'dependent'] : ['dependent', 'base'];
  return session.query(
    `with recursive edge as (
       select confrelid as base, conrelid as dependent from pg_constraint where contype = 'f'
       union all select inhparent, inhrelid from pg_inherits
     ), touched(oid) as (
       select unnest($1::int8[])::oid union select edge.${there} from touched join edge on edge.${here} = touched.oid)
     select n.nspname::text as schema, c.relname::text as name, c.oid::int8::text as oid
     from touched join pg_class c on c.oid = touched.oid join pg_namespace n on n.oid = c.relnamespace`,
    [from],
  );
}

function oidsOf(rows: readonly Row[]): string[] {
  return rows.map(({ oid }) => String(oid));
}

function namesOf(rows: readonly Row[]): string[] {
  return rows.map(({ schema, name }) =>
    [schema, name].map((part) => quoteIdentifier(String(part))).join('.'),
  );
}
