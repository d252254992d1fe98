import { Client } from 'pg';

// Each yields lines "kind name: definition" of what people made; the migrator's own tables are not the schema's.
const own = `n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'`;
const schemaOnly = `coalesce(c.relname, '') not like '%schema\\_migrations%'`;

const sections = [
  `select format('%s %I: options %s, persistence %s, row security %s',
     case c.relkind when 'r' then 'table' when 'v' then 'view' when 'S' then 'sequence' else c.relkind::text end,
     c.relname, c.reloptions, c.relpersistence, c.relrowsecurity)
   from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where ${own} and ${schemaOnly} and c.relkind in ('r', 'v', 'm', 'p', 'f')`,
  `select format('column %I.%I: #%s %s%s%s%s%s collation %s', c.relname, a.attname,
     row_number() over (partition by c.oid order by a.attnum),
     format_type(a.atttypid, a.atttypmod),
     case when a.attnotnull then ' not null' end,
     ' default ' || pg_get_expr(d.adbin, d.adrelid),
     case when a.attidentity <> '' then ' identity ' || a.attidentity::text end,
     case when a.attgenerated <> '' then ' generated ' || a.attgenerated::text end,
     a.attcollation::regcollation)
   from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
   left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where ${own} and ${schemaOnly} and c.relkind in ('r', 'v', 'm', 'p', 'f') and a.attnum > 0 and not a.attisdropped`,
  `select format('constraint %I.%I: %s%s%s', c.relname, k.conname, pg_get_constraintdef(k.oid),
     case when k.convalidated then '' else ' (not validated)' end,
     case when k.condeferrable then ' (deferrable, deferred ' || k.condeferred || ')' end)
   from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
   where ${own} and ${schemaOnly}`,
  `select format('index %I: %s%s', i.relname, pg_get_indexdef(x.indexrelid),
     case when x.indisvalid and x.indisready then '' else ' (invalid)' end)
   from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
   join pg_namespace n on n.oid = c.relnamespace
   where ${own} and ${schemaOnly}`,
  `select format('view %I: %s', c.relname, pg_get_viewdef(c.oid))
   from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${own} and c.relkind in ('v', 'm')`,
  `select format('function %s: %s', p.oid::regprocedure, pg_get_functiondef(p.oid))
   from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${own} and p.prokind in ('f', 'p')`,
  `select format('trigger %I.%I: %s, enabled %s', c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled)
   from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
   where ${own} and not t.tgisinternal`,
  `select format('sequence %I: %s from %s by %s, %s to %s, cache %s, cycle %s', c.relname,
     format_type(s.seqtypid, null), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
   from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
   where ${own} and ${schemaOnly}`,
  `select format('type %s: %s %s', t.oid::regtype, t.typtype,
     (select string_agg(e.enumlabel, ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid))
   from pg_type t join pg_namespace n on n.oid = t.typnamespace where ${own} and t.typtype in ('e', 'd', 'r')`,
  `select format('comment %s.%s: %s', d.classoid::regclass, d.objoid::regclass, d.description)
   from pg_description d join pg_class c on d.classoid = 'pg_class'::regclass and c.oid = d.objoid
   join pg_namespace n on n.oid = c.relnamespace where ${own} and ${schemaOnly}`,
  `select format('schema %I', n.nspname) from pg_namespace n where ${own}`,
];

/**
 * Describes a whole schema as sorted lines: tables, columns with type, default and nullability, constraints, indexes,
 * views, functions, triggers, sequences, types and comments, each with its definition as Postgres itself prints it.
 */
export async function describeCatalog(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const lines: string[] = [];
    for (const section of sections) {
      const { rows } = await client.query<[string]>({ text: section, rowMode: 'array' });
      lines.push(...rows.map(([line]) => line));
    }
    return lines.sort();
  } finally {
    await client.end();
  }
}
