import { type Catalog, keyOf, toCatalog } from '../catalog/catalog.ts';
import { holderOf, schemaOf } from '../catalog/names.ts';
import { quoteIdentifier } from '../identifiers.ts';
import type { Row, Session } from '../session.ts';

/**
 * What others put into the database, as far as it is beyond the role that takes the backup: what it may not read is in no dump of its
 * own, and what it may not make cannot be made again in a scratch database.
 */
export interface Reach {
  /** Schemas without USAGE, without quotes; not in the dump. */
  readonly closedSchemas: readonly string[];
  /** Tables without SELECT in other schemas, as the catalog spells them; not in the dump. */
  readonly closedTables: readonly string[];
  /** Sequences likewise. */
  readonly closedSequences: readonly string[];
  /** In the dump; only a superuser can restore them. Kind and name, as in `extension pg_stat_statements`. */
  readonly superuserOnly: readonly string[];
  /** Whether something in the dump belongs to a role that this one may not act as, or was granted by one. */
  readonly hasOtherRoles: boolean;
}

/** Of a role that may do everything, or is alone in its database. */
export const everything: Reach = {
  closedSchemas: [],
  closedTables: [],
  closedSequences: [],
  superuserOnly: [],
  hasOtherRoles: false,
};

const schemas = `select oid, nspname, nspowner, nspacl, has_schema_privilege(oid, 'usage') as open from pg_namespace
  where nspname !~ '^pg_' and nspname <> 'information_schema'
    and not exists (select from pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = oid and d.deptype = 'e')`;
const ofExtension = (catalog: string, oid: string) =>
  `exists (select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;
const notAs = (owner: string) => `not pg_has_role(${owner}, 'member')`;

/** Reads it for the role of the session; two round trips. */
export async function readReach(session: Session): Promise<Reach> {
  const [role] = await session.query('select rolsuper as all from pg_roles where rolname = current_user');
  if (role?.['all'] === true) return everything;
  const rows = await session.query(`with ns as (${schemas}), rel as (
      select c.*, quote_ident(ns.nspname) || '.' || quote_ident(c.relname) as name,
        has_table_privilege(c.oid, 'select') as open from pg_class c join ns on ns.oid = c.relnamespace and ns.open
      where c.relkind in ('r', 'p', 'S', 'v', 'm', 'f') and not ${ofExtension('pg_class', 'c.oid')})
    select 'schema' as what, nspname::text as name from ns where not open
    union all select case relkind when 'S' then 'sequence' else 'table' end, name from rel
      where not open and relkind in ('r', 'p', 'S')
    union all select 'extension', quote_ident(e.extname) from pg_extension e join pg_available_extension_versions v
      on v.name = e.extname and v.version = e.extversion where v.superuser and not v.trusted
    union all select 'event trigger', quote_ident(evtname) from pg_event_trigger t
      where not ${ofExtension('pg_event_trigger', 't.oid')}
    union all select 'publication', quote_ident(pubname) from pg_publication where puballtables or ${notAs('pubowner')}
    union all select 'other roles', '' where
      exists (select from ns where open and ${notAs('nspowner')})
      or exists (select from rel where open and (${notAs('relowner')}
        or exists (select from aclexplode(relacl) a where ${notAs('a.grantor')})))
      or exists (select from pg_proc p join ns on ns.oid = p.pronamespace and ns.open
        where ${notAs('p.proowner')} and not ${ofExtension('pg_proc', 'p.oid')})
      or exists (select from pg_type t join ns on ns.oid = t.typnamespace and ns.open
        where ${notAs('t.typowner')} and t.typrelid = 0 and t.typelem = 0 and not ${ofExtension('pg_type', 't.oid')})
      or exists (select from pg_default_acl where ${notAs('defaclrole')})`);
  const named = (what: string) =>
    rows
      .filter((row) => row['what'] === what)
      .map(nameOf)
      .sort();
  return {
    closedSchemas: named('schema'),
    closedTables: named('table'),
    closedSequences: named('sequence'),
    superuserOnly: ['extension', 'event trigger', 'publication'].flatMap((kind) =>
      named(kind).map((name) => `${kind} ${name}`),
    ),
    hasOtherRoles: named('other roles').length > 0,
  };
}

function nameOf(row: Row): string {
  return String(row['name']);
}

/** What is not in the dump, in words; empty when all is. */
export function describeClosed({ closedSchemas, closedTables, closedSequences }: Reach): string[] {
  return [
    ...closedSchemas.map((name) => `the schema ${name}`),
    ...closedTables.map((name) => `the table ${name}`),
    ...closedSequences.map((name) => `the sequence ${name}`),
  ];
}

/** The arguments by which pg_dump leaves out what the role may not read. */
export function exclusions({ closedSchemas, closedTables, closedSequences }: Reach): string[] {
  return [
    ...closedSchemas.map((name) => `--exclude-schema=${quoteIdentifier(name)}`),
    // Postgres' own spelling is quoted where a pattern would need it.
    ...[...closedTables, ...closedSequences].map((name) => `--exclude-table=${name}`),
  ];
}

/** A catalog without what is not in the dump. */
export function within(catalog: Catalog, { closedSchemas, closedTables, closedSequences }: Reach): Catalog {
  const names = [...closedTables, ...closedSequences];
  if (closedSchemas.length + names.length === 0) return catalog;
  return toCatalog(
    [...catalog.objects.values()].filter((object) => {
      if (closedSchemas.includes(schemaOf(object) ?? '')) return false;
      return !names.includes(object.name) && !closedTables.includes(holderOf(object) ?? '');
    }),
  );
}

/** A catalog without what the role cannot make again either. */
export function restorable(catalog: Catalog, { superuserOnly }: Reach): Catalog {
  if (superuserOnly.length === 0) return catalog;
  return toCatalog([...catalog.objects.values()].filter((object) => !superuserOnly.includes(keyOf(object))));
}

/**
 * Comments out, in the list of contents that `pg_restore --list` gives, what only a superuser can restore. Lines are
 * `3400; 3079 16400 EXTENSION - pg_stat_statements`, and `3401; 0 0 COMMENT - EXTENSION pg_stat_statements`.
 */
export function withoutSuperuserOnly(list: string, { superuserOnly }: Reach): string {
  const skipped = superuserOnly.map((key) => {
    const kind = ['extension', 'event trigger', 'publication'].find((one) => key.startsWith(`${one} `)) ?? '';
    const name = key.slice(kind.length + 1);
    const bare = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
    const either = [...new Set([name, bare])]
      .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('|');
    const upper = kind.toUpperCase();
    const head = String.raw`^\d+; \d+ \d+ `;
    return new RegExp(
      `${head}(?:(?:COMMENT - )?${upper}(?: -)? (?:${either})(?: |$)|PUBLICATION TABLE \\S+ (?:${either}) )`,
    );
  });
  return list
    .split('\n')
    .map((line) => (skipped.some((pattern) => pattern.test(line)) ? `;${line}` : line))
    .join('\n');
}
