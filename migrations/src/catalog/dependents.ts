import type { Migration } from '../migration.ts';
import type { Session } from '../session.ts';
import { type Catalog, keyOf } from './catalog.ts';
import { partsOf } from './names.ts';
import type { Scope } from './scope.ts';

/** A view of whatever schema, or a foreign key, that Postgres keeps a table or a column for. */
interface Dependent {
  readonly kind: string;
  readonly name: string;
  readonly table: string;
  /** With its table; undefined where only the table matters. */
  readonly column: string | undefined;
}

/**
 * Finds views and foreign keys of others that depend on what pending files drop or change the type of: Postgres refuses that as long
 * as they are there. Where a file says CASCADE, renames anything, or names the dependent itself, it is left to the file.
 *
 * @returns why, by the key of the dependent
 */
export async function findDependentsInTheWay(
  session: Session,
  { expected, found }: Scope,
  planned: Catalog,
  pending: readonly Migration[],
): Promise<ReadonlyMap<string, string>> {
  const obstacles = new Map<string, string>();
  const text = pending.map(({ up }) => up.text).join('\n');
  const fates = fatesOf(expected, planned);
  if (fates.size === 0 || /\b(?:cascade|rename|set\s+schema)\b/i.test(text)) return obstacles;
  const words = new Set(text.match(/[\p{L}_][\p{L}\p{N}_$]*/gu) ?? []);
  for (const { kind, name, table, column } of await readDependents(session)) {
    const key = keyOf({ kind, name });
    const used = column !== undefined && fates.has(column) ? column : table;
    const fate = fates.get(used);
    if (fate === undefined || expected.objects.has(key) || !found.objects.has(key)) continue;
    if (words.has(partsOf(name).parts.at(-1) ?? '')) continue;
    obstacles.set(key, `depends on ${used}, ${fate}`);
  }
  return obstacles;
}

/** What becomes of each table, view and column that pending files drop or change, by name. */
function fatesOf(made: Catalog, planned: Catalog): ReadonlyMap<string, string> {
  const fates = new Map<string, string>();
  for (const [key, { kind, name, properties }] of made.objects) {
    if (!['table', 'view', 'materialized view', 'foreign table', 'column'].includes(kind)) continue;
    const there = planned.objects.get(key);
    if (there === undefined) fates.set(name, 'which a pending migration drops');
    else if (kind === 'column' && there.properties['type'] !== properties['type'])
      fates.set(name, 'whose type a pending migration changes');
  }
  return fates;
}

async function readDependents(session: Session): Promise<Dependent[]> {
  const name = (schema: string, relation: string) =>
    `quote_ident(${schema}) || '.' || quote_ident(${relation})`;
  const rows = await session.query(
    `select distinct case v.relkind when 'm' then 'materialized view' else 'view' end as kind,
       ${name('vn.nspname', 'v.relname')} as name, ${name('tn.nspname', 't.relname')} as "table",
       ${name('tn.nspname', 't.relname')} || '.' || quote_ident(a.attname) as "column"
     from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class v on v.oid = r.ev_class and v.relkind in ('v', 'm')
     join pg_namespace vn on vn.oid = v.relnamespace join pg_class t on t.oid = d.refobjid and t.oid <> v.oid
     join pg_namespace tn on tn.oid = t.relnamespace
     left join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid and d.refobjsubid > 0
     where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
       and vn.nspname not in ('pg_catalog', 'information_schema')
     union all select 'constraint', ${name('n.nspname', 'c.relname')} || '.' || quote_ident(k.conname),
       ${name('tn.nspname', 't.relname')}, null
     from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
     join pg_class t on t.oid = k.confrelid join pg_namespace tn on tn.oid = t.relnamespace where k.contype = 'f'`,
  );
  return rows.map((row) => ({
    kind: String(row['kind']),
    name: String(row['name']),
    table: String(row['table']),
    column: typeof row['column'] === 'string' ? row['column'] : undefined,
  }));
}
