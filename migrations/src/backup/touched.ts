import type { DatabaseState } from '../history.ts';
import { quoteIdentifier } from '../identifiers.ts';
import type { Step } from '../plan.ts';
import type { Session } from '../session.ts';

/**
 * The tables whose rows `steps` may change, quoted for SQL: each one whose name stands anywhere in their files, what refers to those
 * by foreign key or inherits from them, and the migrator's own two. What a function does to others is not seen.
 */
export async function findTouched(
  session: Session,
  { tables }: DatabaseState,
  steps: readonly Step[],
): Promise<ReadonlySet<string>> {
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
  const reached = await session.query(
    `with recursive touched(oid) as (
       select unnest($1::int8[])::oid
       union select dependent.oid from touched join (
         select confrelid as base, conrelid as oid from pg_constraint where contype = 'f'
         union all select inhparent, inhrelid from pg_inherits) dependent on dependent.base = touched.oid)
     select n.nspname::text as schema, c.relname::text as name
     from touched join pg_class c on c.oid = touched.oid join pg_namespace n on n.oid = c.relnamespace`,
    [named.map(({ oid }) => String(oid))],
  );
  const found = reached.map(({ schema, name }) =>
    [schema, name].map((part) => quoteIdentifier(String(part))).join('.'),
  );
  return new Set([...found, tables.version, tables.history]);
}
