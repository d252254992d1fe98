/**
 * What is read of a database's catalogs: each query yields kind, name and properties (jsonb; nulls are left out).
 *
 * Everything that belongs to an extension, to the server or to the migrator's own tables is left out, as is what a
 * database cannot choose: object ids, the order of columns, statistics. https://www.postgresql.org/docs/current/catalogs.html
 */
export function catalogQueries(): string[] {
  return queries.map((text) => `with ${sources} ${text}`);
}

/** Written as in SQL, `quote_ident` where it must be. */
const qualified = (schema: string, name: string) => `quote_ident(${schema}) || '.' || quote_ident(${name})`;

const notOfExtension = (catalog: string, oid: string) =>
  `not exists (select from pg_depend belongs where belongs.classid = '${catalog}'::regclass and belongs.objid = ${oid}
    and belongs.deptype = 'e')`;

/** $1 and $2 are the oids of the tracking tables, 0 for none. */
const sources = `
  own as (select datdba as oid from pg_database where datname = current_database()),
  ns as (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
    and ${notOfExtension('pg_namespace', 'pg_namespace.oid')}),
  rel as (select c.*, ${qualified('ns.nspname', 'c.relname')} as name from pg_class c join ns on ns.oid = c.relnamespace
    where c.oid not in ($1::oid, $2::oid) and ${notOfExtension('pg_class', 'c.oid')}),
  holder as (select * from rel where relkind in ('r', 'p', 'v', 'm', 'f'))`;

/** The owner's name is the database's own business: two copies of one schema may belong to different roles. */
const role = (oid: string) =>
  `case when ${oid} = (select oid from own) then '‹owner›' else pg_get_userbyid(${oid})::text end`;

/** Privileges as one sorted text; unset ones are those that Postgres gives by default. */
const privileges = (acl: string, kind: string, owner: string) =>
  `(select string_agg(entry, '; ' order by entry collate "C") from (
     select case when a.grantee = 0 then 'public' else ${role('a.grantee')} end || ': ' ||
       string_agg(a.privilege_type || case when a.is_grantable then ' with grant option' else '' end, ', '
         order by a.privilege_type collate "C") as entry
     from aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) a group by a.grantee) entries)`;

const comment = (oid: string, catalog: string) => `obj_description(${oid}, '${catalog}')`;

const select = (kind: string, name: string, properties: Readonly<Record<string, string>>, from: string) => {
  const pairs = Object.entries(properties).map(([property, sql]) => `'${property}', (${sql})::text`);
  return `select ${kind} as kind, ${name} as name, jsonb_strip_nulls(jsonb_build_object(${pairs.join(', ')})) as properties ${from}`;
};

const kindOfHolder = `case rel.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end`;

const queries = [
  select(
    `'schema'`,
    'quote_ident(n.nspname)',
    {
      owner: role('n.nspowner'),
      privileges: privileges('n.nspacl', 'n', 'n.nspowner'),
      comment: comment('n.oid', 'pg_namespace'),
    },
    'from pg_namespace n join ns on ns.oid = n.oid',
  ),
  select(
    kindOfHolder,
    'rel.name',
    {
      owner: role('rel.relowner'),
      privileges: privileges('rel.relacl', 'r', 'rel.relowner'),
      comment: comment('rel.oid', 'pg_class'),
      persistence: `case rel.relpersistence when 'u' then 'unlogged' end`,
      options: `(select string_agg(o, ', ' order by o collate "C") from unnest(rel.reloptions) o)`,
      access: `(select amname from pg_am where oid = rel.relam and amname <> 'heap')`,
      'partitioned by': `case rel.relkind when 'p' then pg_get_partkeydef(rel.oid) end`,
      'partition bound': 'pg_get_expr(rel.relpartbound, rel.oid)',
      inherits: `(select string_agg(inhparent::regclass::text, ', ' order by inhseqno) from pg_inherits where inhrelid = rel.oid)`,
      'row security': `case when rel.relforcerowsecurity then 'forced' when rel.relrowsecurity then 'enabled' end`,
      'replica identity': `case rel.relreplident when 'f' then 'full' when 'n' then 'nothing' when 'i' then 'index' end`,
      definition: `case when rel.relkind in ('v', 'm') then pg_get_viewdef(rel.oid) end`,
      populated: `case when rel.relkind = 'm' and not rel.relispopulated then 'no' end`,
      server: `(select s.srvname from pg_foreign_table t join pg_foreign_server s on s.oid = t.ftserver where t.ftrelid = rel.oid)`,
      'foreign options': `(select array_to_string(t.ftoptions, ', ') from pg_foreign_table t where t.ftrelid = rel.oid)`,
    },
    'from holder rel',
  ),
  select(
    `'column'`,
    `rel.name || '.' || quote_ident(a.attname)`,
    {
      of: 'rel.name',
      type: 'format_type(a.atttypid, a.atttypmod)',
      nullable: `case when a.attnotnull then 'no' end`,
      'not null': `(select 'not validated' from pg_constraint k where k.conrelid = rel.oid and k.contype = 'n'
        and k.conkey = array[a.attnum] and not k.convalidated)`,
      default: `case a.attgenerated when '' then pg_get_expr(d.adbin, d.adrelid) end`,
      generated: `case a.attgenerated when 's' then 'stored ' || pg_get_expr(d.adbin, d.adrelid)
        when 'v' then 'virtual ' || pg_get_expr(d.adbin, d.adrelid) end`,
      identity: `case a.attidentity when 'a' then 'always' when 'd' then 'by default' end`,
      collation: `case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end`,
      storage: `case when a.attstorage <> t.typstorage and rel.relkind <> 'v' then a.attstorage::text end`,
      compression: `nullif(a.attcompression::text, '')`,
      statistics: `nullif(a.attstattarget::int, -1)`,
      // The two that can be set; a server may keep marks of its own beside them (Debian's 15.20 does).
      options: `(select string_agg(o, ', ' order by o collate "C") from unnest(a.attoptions) o where o ~ '^n_distinct')`,
      privileges: `(select string_agg(x.grantee || ' ' || x.privileges, '; ' order by x.grantee) from (
        select case when e.grantee = 0 then 'public' else ${role('e.grantee')} end as grantee,
          string_agg(e.privilege_type, ', ' order by e.privilege_type) as privileges
        from aclexplode(a.attacl) e group by e.grantee) x)`,
      comment: 'col_description(rel.oid, a.attnum)',
    },
    `from (select * from holder union all select * from rel where relkind = 'c') rel
     join pg_attribute a on a.attrelid = rel.oid and a.attnum > 0 and not a.attisdropped
     join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = rel.oid and d.adnum = a.attnum`,
  ),
  // NOT NULL is the column's own, since only from 18 on it is a constraint; constraint triggers are triggers.
  select(
    `'constraint'`,
    `rel.name || '.' || quote_ident(k.conname)`,
    {
      of: 'rel.name',
      definition: 'pg_get_constraintdef(k.oid)',
      validated: `case when k.convalidated then null else 'no' end`,
      'index validity': `(select 'invalid' from pg_index i where i.indexrelid = k.conindid and k.contype in ('p', 'u', 'x') and not i.indisvalid)`,
      comment: comment('k.oid', 'pg_constraint'),
    },
    `from pg_constraint k join holder rel on rel.oid = k.conrelid where k.contype not in ('n', 't')`,
  ),
  select(
    `'index'`,
    'rel.name',
    {
      of: 'holder.name',
      definition: 'pg_get_indexdef(rel.oid)',
      valid: `case when i.indisvalid and i.indisready then null else 'no' end`,
      clustered: `case when i.indisclustered then 'yes' end`,
      'replica identity': `case when i.indisreplident then 'yes' end`,
      comment: comment('rel.oid', 'pg_class'),
    },
    `from pg_index i join rel on rel.oid = i.indexrelid join holder on holder.oid = i.indrelid
     where not exists (select from pg_constraint k where k.conindid = rel.oid and k.contype in ('p', 'u', 'x'))`,
  ),
  select(
    `'sequence'`,
    'rel.name',
    {
      definition: `format('%s start %s increment %s from %s to %s cache %s%s', format_type(s.seqtypid, null), s.seqstart,
        s.seqincrement, s.seqmin, s.seqmax, s.seqcache, case when s.seqcycle then ' cycle' else '' end)`,
      'owned by': `(select r.name || '.' || quote_ident(a.attname) from pg_depend d join rel r on r.oid = d.refobjid
        join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where d.classid = 'pg_class'::regclass and d.objid = rel.oid and d.deptype in ('a', 'i') and d.refobjsubid > 0)`,
      persistence: `case rel.relpersistence when 'u' then 'unlogged' end`,
      owner: role('rel.relowner'),
      privileges: privileges('rel.relacl', 's', 'rel.relowner'),
      comment: comment('rel.oid', 'pg_class'),
    },
    'from rel join pg_sequence s on s.seqrelid = rel.oid',
  ),
  select(
    `case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end`,
    `${qualified('ns.nspname', 'p.proname')} || '(' || pg_get_function_identity_arguments(p.oid) || ')'`,
    {
      definition: `case when p.prokind <> 'a' then pg_get_functiondef(p.oid) else
        (select format('%s -> %s, state %s %s initially %s, final %s, combine %s, sort %s, kind %s', pg_get_function_arguments(p.oid),
           pg_get_function_result(p.oid), g.aggtransfn, format_type(g.aggtranstype, null), g.agginitval, g.aggfinalfn,
           g.aggcombinefn, g.aggsortop, g.aggkind) from pg_aggregate g where g.aggfnoid = p.oid) end`,
      owner: role('p.proowner'),
      privileges: privileges('p.proacl', 'f', 'p.proowner'),
      comment: comment('p.oid', 'pg_proc'),
    },
    `from pg_proc p join ns on ns.oid = p.pronamespace where ${notOfExtension('pg_proc', 'p.oid')}
     and not exists (select from pg_depend i where i.classid = 'pg_proc'::regclass and i.objid = p.oid and i.deptype = 'i')`,
  ),
  select(
    `'trigger'`,
    `rel.name || '.' || quote_ident(t.tgname)`,
    {
      of: 'rel.name',
      definition: 'pg_get_triggerdef(t.oid)',
      enabled: `case t.tgenabled when 'O' then null when 'D' then 'no' when 'R' then 'replica' when 'A' then 'always' end`,
      comment: comment('t.oid', 'pg_trigger'),
    },
    'from pg_trigger t join holder rel on rel.oid = t.tgrelid where not t.tgisinternal and t.tgparentid = 0',
  ),
  select(
    `'rule'`,
    `rel.name || '.' || quote_ident(r.rulename)`,
    {
      of: 'rel.name',
      definition: 'pg_get_ruledef(r.oid)',
      enabled: `nullif(r.ev_enabled::text, 'O')`,
      comment: comment('r.oid', 'pg_rewrite'),
    },
    `from pg_rewrite r join holder rel on rel.oid = r.ev_class where r.rulename <> '_RETURN'`,
  ),
  select(
    `'policy'`,
    `rel.name || '.' || quote_ident(p.polname)`,
    {
      of: 'rel.name',
      command: `case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end`,
      kind: `case when p.polpermissive then 'permissive' else 'restrictive' end`,
      roles: `(select string_agg(case when r.oid = 0 then 'public' else ${role('r.oid')} end, ', ' order by r.oid) from unnest(p.polroles) as r(oid))`,
      using: 'pg_get_expr(p.polqual, p.polrelid)',
      check: 'pg_get_expr(p.polwithcheck, p.polrelid)',
      comment: comment('p.oid', 'pg_policy'),
    },
    'from pg_policy p join holder rel on rel.oid = p.polrelid',
  ),
  // The types that tables and arrays bring along are those of their tables.
  select(
    `case t.typtype when 'd' then 'domain' else 'type' end`,
    qualified('ns.nspname', 't.typname'),
    {
      kind: `case t.typtype when 'e' then 'enum' when 'c' then 'composite' when 'r' then 'range' when 'b' then 'base' end`,
      labels: `(select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid)`,
      type: `case t.typtype when 'd' then format_type(t.typbasetype, t.typtypmod)
        when 'r' then (select format('subtype %s operator class %s collation %s canonical %s diff %s', format_type(r.rngsubtype, null),
          r.rngsubopc, r.rngcollation::regcollation, r.rngcanonical, r.rngsubdiff) from pg_range r where r.rngtypid = t.oid) end`,
      nullable: `case when t.typnotnull then 'no' end`,
      default: 't.typdefault',
      collation: `case when t.typtype = 'd' then (select t.typcollation::regcollation::text from pg_type b
        where b.oid = t.typbasetype and b.typcollation <> t.typcollation) end`,
      owner: role('t.typowner'),
      privileges: privileges('t.typacl', 'T', 't.typowner'),
      comment: comment('t.oid', 'pg_type'),
    },
    `from pg_type t join ns on ns.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
     where (t.typtype in ('e', 'd', 'r') or (t.typtype = 'c' and c.relkind = 'c') or (t.typtype = 'b' and t.typcategory <> 'A'))
       and ${notOfExtension('pg_type', 't.oid')}`,
  ),
  select(
    `'constraint'`,
    `${qualified('ns.nspname', 't.typname')} || '.' || quote_ident(k.conname)`,
    {
      of: qualified('ns.nspname', 't.typname'),
      definition: 'pg_get_constraintdef(k.oid)',
      validated: `case when k.convalidated then null else 'no' end`,
    },
    `from pg_constraint k join pg_type t on t.oid = k.contypid join ns on ns.oid = t.typnamespace
     where k.contype = 'c' and ${notOfExtension('pg_type', 't.oid')}`,
  ),
  select(
    `'extension'`,
    'quote_ident(e.extname)',
    { schema: 'quote_ident(n.nspname)' },
    'from pg_extension e join pg_namespace n on n.oid = e.extnamespace',
  ),
  select(
    `'default privileges'`,
    `${role('d.defaclrole')} || ' on ' || case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
       when 'T' then 'types' when 'n' then 'schemas' else d.defaclobjtype::text end || coalesce(' in ' || quote_ident(n.nspname), '')`,
    { privileges: privileges('d.defaclacl', 'r', 'd.defaclrole') },
    'from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace where d.defaclnamespace = 0 or n.oid in (select oid from ns)',
  ),
  select(
    `'statistics'`,
    qualified('ns.nspname', 's.stxname'),
    {
      of: 'rel.name',
      definition: 'pg_get_statisticsobjdef(s.oid)',
      comment: comment('s.oid', 'pg_statistic_ext'),
    },
    'from pg_statistic_ext s join ns on ns.oid = s.stxnamespace join holder rel on rel.oid = s.stxrelid',
  ),
  select(
    `'event trigger'`,
    'quote_ident(e.evtname)',
    {
      definition: `format('on %s execute %s%s', e.evtevent, e.evtfoid::regprocedure, ' when tag in ' || array_to_string(e.evttags, ', '))`,
      enabled: `nullif(e.evtenabled::text, 'O')`,
    },
    `from pg_event_trigger e where ${notOfExtension('pg_event_trigger', 'e.oid')}`,
  ),
  select(
    `'publication'`,
    'quote_ident(p.pubname)',
    {
      publishes: `concat_ws(', ', case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
        case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end)`,
      tables: `case when p.puballtables then 'all' else (select string_agg(r.prrelid::regclass::text, ', ' order by r.prrelid::regclass::text collate "C")
        from pg_publication_rel r where r.prpubid = p.oid) end`,
    },
    'from pg_publication p',
  ),
  select(
    `'collation'`,
    qualified('ns.nspname', 'c.collname'),
    {
      definition: `format('%s %s %s deterministic %s', c.collprovider, c.collcollate, c.collctype, c.collisdeterministic)`,
    },
    `from pg_collation c join ns on ns.oid = c.collnamespace where ${notOfExtension('pg_collation', 'c.oid')}`,
  ),
  select(
    `'operator'`,
    `${qualified('ns.nspname', 'o.oprname')} || '(' || format_type(nullif(o.oprleft, 0), null) || ', ' || format_type(o.oprright, null) || ')'`,
    { definition: `format('%s -> %s', o.oprcode, format_type(o.oprresult, null))` },
    `from pg_operator o join ns on ns.oid = o.oprnamespace where ${notOfExtension('pg_operator', 'o.oid')}`,
  ),
  select(
    `'cast'`,
    `format_type(c.castsource, null) || ' as ' || format_type(c.casttarget, null)`,
    { definition: `format('%s %s %s', c.castcontext, c.castmethod, nullif(c.castfunc, 0)::regprocedure)` },
    `from pg_cast c where c.oid >= 16384 and ${notOfExtension('pg_cast', 'c.oid')}`,
  ),
  select(
    `'text search configuration'`,
    qualified('ns.nspname', 'c.cfgname'),
    {
      mapping: `(select string_agg(m.maptokentype || ' ' || m.mapdict::regdictionary::text, ', ' order by m.maptokentype, m.mapseqno)
        from pg_ts_config_map m where m.mapcfg = c.oid)`,
    },
    `from pg_ts_config c join ns on ns.oid = c.cfgnamespace where ${notOfExtension('pg_ts_config', 'c.oid')}`,
  ),
];
