import type { Tables } from '../history.ts';
import type { Row, Session } from '../session.ts';

/** A schema as its page shows it; every list in an order of its own that no run changes. */
export interface Schema {
  readonly relations: readonly Relation[];
  readonly types: readonly {
    readonly name: string;
    readonly definition: string;
    readonly comment: string | undefined;
  }[];
  readonly functions: readonly { readonly signature: string; readonly comment: string | undefined }[];
  readonly extensions: readonly string[];
}

export interface Relation {
  readonly name: string;
  readonly kind: 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table';
  readonly comment: string | undefined;
  readonly columns: readonly Column[];
  readonly constraints: readonly { readonly name: string; readonly definition: string }[];
  readonly indexes: readonly { readonly name: string; readonly definition: string }[];
  readonly triggers: readonly { readonly name: string; readonly definition: string }[];
  readonly references: readonly Reference[];
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly default: string | undefined;
  readonly comment: string | undefined;
  readonly primary: boolean;
  readonly unique: boolean;
}

/** A foreign key of a table. */
export interface Reference {
  readonly constraint: string;
  readonly to: string;
  readonly columns: readonly string[];
  /** Whether every row must refer to one. */
  readonly required: boolean;
  /** Whether a row is referred to by one at most. */
  readonly single: boolean;
}

const notOfExtension = (catalog: string, oid: string) =>
  `not exists (select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;
const visible = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";
const named = (schema: string, name: string) =>
  `case when ${schema} = 'public' then '' else quote_ident(${schema}) || '.' end || quote_ident(${name})`;

/** Reads everything but the migrator's own tables. */
export async function readSchema(
  session: Session,
  tables: Pick<Tables, 'version' | 'history'>,
): Promise<Schema> {
  const own = [tables.version, tables.history];
  const relations = await session.query(
    `select c.oid::int8::text as oid, ${named('n.nspname', 'c.relname')} as name, c.relkind::text as kind, obj_description(c.oid, 'pg_class') as comment
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f') and ${visible} and ${notOfExtension('pg_class', 'c.oid')}
       and c.oid not in (select to_regclass(t)::oid from unnest($1::text[]) t where to_regclass(t) is not null)`,
    [own],
  );
  const oids = relations.map(({ oid }) => String(oid));
  const columns = await readColumns(session, oids);
  const constraints = await readParts(
    session,
    `select conrelid::int8::text as oid, quote_ident(conname) as name, pg_get_constraintdef(oid, true) as definition
     from pg_constraint where conrelid = any ($1::int8[]) and contype in ('c', 'f', 'p', 'u', 'x') order by contype <> 'p', conname collate "C"`,
    oids,
  );
  const indexes = await readParts(
    session,
    `select i.indrelid::int8::text as oid, quote_ident(c.relname) as name, regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', case when i.indisunique then 'unique ' else '' end) as definition
     from pg_index i join pg_class c on c.oid = i.indexrelid
     where i.indrelid = any ($1::int8[]) and not exists (select from pg_constraint where conindid = i.indexrelid and contype in ('p', 'u', 'x'))
     order by c.relname collate "C"`,
    oids,
  );
  const triggers = await readParts(
    session,
    `select tgrelid::int8::text as oid, quote_ident(tgname) as name, regexp_replace(regexp_replace(pg_get_triggerdef(oid, true), '^CREATE (CONSTRAINT )?TRIGGER \\S+ ', ''), '\\s+', ' ', 'g') as definition
     from pg_trigger where tgrelid = any ($1::int8[]) and not tgisinternal order by tgname collate "C"`,
    oids,
  );
  const references = await readReferences(session, oids);
  return {
    relations: byName(relations, 'name').map(({ oid, name, kind, comment }) => ({
      name: String(name),
      kind: kinds[String(kind)] ?? 'table',
      comment: optional(comment),
      columns: columns.get(String(oid)) ?? [],
      constraints: constraints.get(String(oid)) ?? [],
      indexes: indexes.get(String(oid)) ?? [],
      triggers: triggers.get(String(oid)) ?? [],
      references: references.get(String(oid)) ?? [],
    })),
    types: await readTypes(session),
    functions: await readFunctions(session),
    extensions: (
      await session.query(
        `select extname::text as name from pg_extension where extname <> 'plpgsql' order by extname collate "C"`,
      )
    ).map(({ name }) => String(name)),
  };
}

const kinds: Readonly<Record<string, Relation['kind']>> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
};

async function readColumns(
  session: Session,
  oids: readonly string[],
): Promise<ReadonlyMap<string, readonly Column[]>> {
  const rows = await session.query(
    `select a.attrelid::int8::text as oid, quote_ident(a.attname) as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
            case when a.attidentity = 'a' then 'generated always as identity' when a.attidentity = 'd' then 'generated by default as identity'
                 when a.attgenerated = 's' then 'generated: ' || pg_get_expr(d.adbin, d.adrelid) when a.attgenerated = 'v' then 'virtual: ' || pg_get_expr(d.adbin, d.adrelid)
                 else pg_get_expr(d.adbin, d.adrelid) end as default,
            col_description(a.attrelid, a.attnum) as comment,
            exists (select from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'p' and a.attnum = any (k.conkey)) as primary,
            exists (select from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'u' and k.conkey = array[a.attnum]) as unique
     from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = any ($1::int8[]) and a.attnum > 0 and not a.attisdropped order by a.attrelid, a.attnum`,
    [oids],
  );
  return grouped(rows, (row) => ({
    name: String(row['name']),
    type: String(row['type']),
    required: row['required'] === true,
    default: optional(row['default']),
    comment: optional(row['comment']),
    primary: row['primary'] === true,
    unique: row['unique'] === true,
  }));
}

async function readParts(session: Session, text: string, oids: readonly string[]) {
  return grouped(await session.query(text, [oids]), ({ name, definition }) => ({
    name: String(name),
    definition: String(definition),
  }));
}

async function readReferences(
  session: Session,
  oids: readonly string[],
): Promise<ReadonlyMap<string, readonly Reference[]>> {
  const rows = await session.query(
    `select f.conrelid::int8::text as oid, f.conname::text as constraint, ${named('n.nspname', 'b.relname')} as base,
            (select array_agg(quote_ident(a.attname) order by k.at) from unnest(f.conkey) with ordinality k(num, at) join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.num) as columns,
            (select bool_and(a.attnotnull) from pg_attribute a where a.attrelid = f.conrelid and a.attnum = any (f.conkey)) as required,
            exists (select from pg_constraint u where u.conrelid = f.conrelid and u.contype in ('p', 'u') and u.conkey <@ f.conkey) as single
     from pg_constraint f join pg_class b on b.oid = f.confrelid join pg_namespace n on n.oid = b.relnamespace
     where f.contype = 'f' and f.conrelid = any ($1::int8[]) and f.conparentid = 0 order by f.conname collate "C"`,
    [oids],
  );
  return grouped(rows, (row) => ({
    constraint: String(row['constraint']),
    to: String(row['base']),
    columns: Array.isArray(row['columns']) ? row['columns'].map(String) : [],
    required: row['required'] === true,
    single: row['single'] === true,
  }));
}

async function readTypes(session: Session) {
  const rows = await session.query(
    `select ${named('n.nspname', 't.typname')} as name, obj_description(t.oid, 'pg_type') as comment,
            case t.typtype when 'e' then 'enum: ' || (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid)
              when 'd' then 'domain over ' || format_type(t.typbasetype, t.typtypmod) ||
                coalesce((select string_agg(' ' || pg_get_constraintdef(oid, true), '' order by conname collate "C") from pg_constraint where contypid = t.oid and contype = 'c'), '')
              else 'composite: ' || (select string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum) from pg_attribute where attrelid = t.typrelid and attnum > 0 and not attisdropped) end as definition
     from pg_type t join pg_namespace n on n.oid = t.typnamespace
     where ${visible} and ${notOfExtension('pg_type', 't.oid')}
       and (t.typtype in ('e', 'd') or (t.typtype = 'c' and exists (select from pg_class where oid = t.typrelid and relkind = 'c')))`,
  );
  return byName(rows, 'name').map(({ name, definition, comment }) => ({
    name: String(name),
    definition: String(definition ?? ''),
    comment: optional(comment),
  }));
}

async function readFunctions(session: Session) {
  const rows = await session.query(
    `select ${named('n.nspname', 'p.proname')} || '(' || pg_get_function_identity_arguments(p.oid) || ')' ||
              coalesce(' returns ' || nullif(pg_get_function_result(p.oid), ''), '') as signature, obj_description(p.oid, 'pg_proc') as comment
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where ${visible} and ${notOfExtension('pg_proc', 'p.oid')}`,
  );
  return byName(rows, 'signature').map(({ signature, comment }) => ({
    signature: String(signature),
    comment: optional(comment),
  }));
}

function grouped<T>(rows: readonly Row[], make: (row: Row) => T): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const oid = String(row['oid']);
    const group = groups.get(oid);
    if (group === undefined) groups.set(oid, [make(row)]);
    else group.push(make(row));
  }
  return groups;
}

/** By code units, whatever the server's collation. */
function byName(rows: readonly Row[], key: string): Row[] {
  return rows.toSorted((a, b) => (String(a[key]) < String(b[key]) ? -1 : 1));
}

function optional(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
