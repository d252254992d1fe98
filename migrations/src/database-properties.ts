import type { Session } from './session.ts';

/** One privilege of one role; `grantee` is quoted for SQL, `public` for everybody. */
export interface Grant {
  readonly grantee: string;
  readonly privilege: string;
  readonly grantable: boolean;
}

/** ALTER DATABASE … SET, or ALTER ROLE … IN DATABASE … SET when `role` is given. */
export interface DatabaseSetting {
  readonly role: string | undefined;
  readonly name: string;
  readonly value: string;
}

/** ALTER DEFAULT PRIVILEGES of one role, for one kind of object. */
export interface DefaultPrivileges {
  readonly role: string;
  /** Undefined for all schemas. */
  readonly schema: string | undefined;
  /** TABLES, SEQUENCES, FUNCTIONS, TYPES, SCHEMAS, LARGE OBJECTS. */
  readonly objects: string;
  readonly grants: readonly Grant[];
}

/** A schema that is there before the first migration. */
export interface SchemaProperties {
  readonly name: string;
  readonly owner: string;
  /** Undefined when nobody changed the default. */
  readonly grants: readonly Grant[] | undefined;
  readonly comment: string | undefined;
}

/** What a database is apart from its objects: all that a new one must have before the first migration. */
export interface DatabaseProperties {
  readonly mayCreate: boolean;
  readonly owns: boolean;
  readonly owner: string;
  readonly encoding: string;
  /** `c` libc, `i` ICU, `b` built in. */
  readonly provider: string;
  readonly collate: string | undefined;
  readonly characterType: string | undefined;
  readonly locale: string | undefined;
  readonly icuRules: string | undefined;
  readonly tablespace: string;
  readonly connectionLimit: number;
  readonly comment: string | undefined;
  readonly grants: readonly Grant[] | undefined;
  readonly settings: readonly DatabaseSetting[];
  readonly defaultPrivileges: readonly DefaultPrivileges[];
  readonly schemas: readonly SchemaProperties[];
  readonly extensions: readonly string[];
}

const objectWords: Readonly<Record<string, string>> = {
  r: 'TABLES',
  S: 'SEQUENCES',
  f: 'FUNCTIONS',
  T: 'TYPES',
  n: 'SCHEMAS',
  L: 'LARGE OBJECTS',
};

const grantColumns = `case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee,
  a.privilege_type as privilege, a.is_grantable as grantable`;

/** Reads the catalogs of the session's database; one round trip. */
export async function readProperties(session: Session): Promise<DatabaseProperties> {
  const [[database], grants, settings, defaults, schemas, schemaGrants, extensions] = await Promise.all([
    // As JSON, because columns differ between versions: daticulocale became datlocale in 17.
    session.query(
      `select to_jsonb(d) as catalog, pg_encoding_to_char(d.encoding) as encoding, pg_get_userbyid(d.datdba) as owner,
         t.spcname as tablespace, shobj_description(d.oid, 'pg_database') as comment, d.datacl is not null as granted,
         pg_has_role(current_user, d.datdba, 'USAGE') as owns, r.rolcreatedb or r.rolsuper as may_create
       from pg_database d join pg_tablespace t on t.oid = d.dattablespace join pg_roles r on r.rolname = current_user
       where d.datname = current_database()`,
    ),
    session.query(
      `select ${grantColumns} from pg_database d, aclexplode(d.datacl) a where d.datname = current_database()`,
    ),
    session.query(
      `select r.rolname as role, split_part(c.entry, '=', 1) as name,
         substr(c.entry, strpos(c.entry, '=') + 1) as value
       from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
         left join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) as c(entry)
       where d.datname = current_database()`,
    ),
    session.query(
      `select pg_get_userbyid(p.defaclrole) as role, n.nspname as schema, p.defaclobjtype as type, p.oid::text as entry,
         ${grantColumns}
       from pg_default_acl p left join pg_namespace n on n.oid = p.defaclnamespace
         left join aclexplode(p.defaclacl) a on true`,
    ),
    session.query(
      `select nspname as name, pg_get_userbyid(nspowner) as owner, nspacl is not null as granted,
         obj_description(oid, 'pg_namespace') as comment
       from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'`,
    ),
    session.query(`select n.nspname as name, ${grantColumns} from pg_namespace n, aclexplode(n.nspacl) a`),
    session.query('select extname from pg_extension'),
  ]);
  const catalog = Object(database?.['catalog']) as Record<string, unknown>;
  const optional = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return {
    mayCreate: database?.['may_create'] === true,
    owns: database?.['owns'] === true,
    owner: String(database?.['owner']),
    encoding: String(database?.['encoding']),
    provider: String(catalog['datlocprovider']),
    collate: optional(catalog['datcollate']),
    characterType: optional(catalog['datctype']),
    locale: optional(catalog['datlocale'] ?? catalog['daticulocale']),
    icuRules: optional(catalog['daticurules']),
    tablespace: String(database?.['tablespace']),
    connectionLimit: Number(catalog['datconnlimit']),
    comment: optional(database?.['comment']),
    grants: database?.['granted'] === true ? grants.map(toGrant) : undefined,
    settings: settings.map(({ role, name, value }) => ({
      role: optional(role),
      name: String(name),
      value: String(value),
    })),
    defaultPrivileges: [...groupBy(defaults, 'entry').values()].map((rows) => ({
      role: String(rows[0]?.['role']),
      schema: optional(rows[0]?.['schema']),
      objects: objectWords[String(rows[0]?.['type'])] ?? '',
      grants: rows.filter(({ privilege }) => privilege !== null).map(toGrant),
    })),
    schemas: schemas.map(({ name, owner, granted, comment }) => ({
      name: String(name),
      owner: String(owner),
      grants: granted === true ? schemaGrants.filter((row) => row['name'] === name).map(toGrant) : undefined,
      comment: optional(comment),
    })),
    extensions: extensions.map(({ extname }) => String(extname)),
  };
}

type Row = Readonly<Record<string, unknown>>;

function toGrant({ grantee, privilege, grantable }: Row): Grant {
  return { grantee: String(grantee), privilege: String(privilege), grantable: grantable === true };
}

function groupBy(rows: readonly Row[], column: string): Map<unknown, Row[]> {
  const groups = new Map<unknown, Row[]>();
  for (const row of rows) groups.set(row[column], [...(groups.get(row[column]) ?? []), row]);
  return groups;
}
