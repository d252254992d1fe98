import type { Catalog } from '../catalog/catalog.ts';
import { readCatalogInside } from '../catalog/read-catalog.ts';
import type { Tables } from '../history.ts';
import { quoteIdentifier } from '../identifiers.ts';
import type { Session } from '../session.ts';

/** What a database holds, as far as two copies of it can be compared. */
export interface Contents {
  readonly catalog: Catalog;
  /** Rows by table, its name quoted and with its schema: `"public"."users"`. */
  readonly rows: ReadonlyMap<string, number>;
}

/** Counted in one statement. */
const tablesAtOnce = 50;

/** Reads both inside a transaction that is open, and in its snapshot. */
export async function readContents(session: Session, tracking: Tables): Promise<Contents> {
  // Rows that a policy hides would be left out silently; with this it is an error.
  await session.query('set local row_security = off');
  const rows = await readRows(session);
  return { catalog: await readCatalogInside(session, tracking), rows };
}

/** Counts the rows of every table that this role may read. */
export async function readRows(session: Session): Promise<ReadonlyMap<string, number>> {
  const names = await readTableNames(session);
  const rows = new Map<string, number>();
  for (let from = 0; from < names.length; from += tablesAtOnce) {
    const some = names.slice(from, from + tablesAtOnce);
    const counts = some.map((name, index) => `(select count(*) from only ${name}) as c${index}`);
    const [row] = await session.query(`select ${counts.join(', ')}`);
    for (const [index, name] of some.entries()) rows.set(name, Number(row?.[`c${index}`]));
  }
  return rows;
}

/** Every table that holds rows of its own, belongs to no extension and may be read, by quoted name, sorted. */
export async function readTableNames(session: Session): Promise<string[]> {
  const found = await session.query(
    `select n.nspname::text as schema, c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by n.nspname collate "C", c.relname collate "C"`,
  );
  return found.map(({ schema, name }) =>
    [schema, name].map((part) => quoteIdentifier(String(part))).join('.'),
  );
}
