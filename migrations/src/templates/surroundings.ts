import type { Session } from '../session.ts';

/** Of pg_settings: those that say what a statement means. */
const categories = '^(Client Connection Defaults|Version and Platform Compatibility|Customized Options)';
/** Settings of our own connections, and those that say nothing of what a migration makes. */
const passing = [
  'application_name',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'client_connection_check_interval',
  'client_min_messages',
];

/**
 * All of the server that a migrated database depends on, as this role sees it: the server's version, who migrates, settings other than
 * the defaults, the extensions that could be installed, and the roles that matter, with their attributes and memberships.
 *
 * @param matters which roles do, besides the session's own and its neighbours
 */
export async function readSurroundings(
  maintenance: Session,
  matters: (role: string) => boolean,
): Promise<readonly unknown[]> {
  const [[row], roles, memberships] = await Promise.all([
    maintenance.query(
      `select jsonb_build_array(
         current_setting('server_version_num'), current_user::text,
         (select jsonb_agg(jsonb_build_array(name, setting) order by name) from pg_settings
            where setting is distinct from boot_val and source not in ('override', 'database') and context <> 'internal'
              and category ~ $1 and name <> all($2)),
         (select jsonb_agg(jsonb_build_array(name, default_version) order by name) from pg_available_extensions)
       )::text as surroundings`,
      [categories, passing],
    ),
    maintenance.query(
      `select r.rolname, r.rolname = current_user or exists (select from pg_auth_members m join pg_roles me on me.rolname = current_user
           where (m.member = me.oid and m.roleid = r.oid) or (m.roleid = me.oid and m.member = r.oid)) as near,
         jsonb_build_array(r.oid::int8, rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolbypassrls, rolconfig)::text as role
       from pg_roles r where rolname !~ '^pg_' order by r.oid`,
    ),
    maintenance.query(
      `select pg_get_userbyid(roleid)::text as role, pg_get_userbyid(member)::text as member, admin_option from pg_auth_members
       order by roleid, member`,
    ),
  ]);
  const relevant = roles.filter(({ rolname, near }) => near === true || matters(String(rolname)));
  const names = new Set(relevant.map(({ rolname }) => String(rolname)));
  return [
    row?.['surroundings'],
    relevant.map(({ role }) => role),
    memberships.filter(({ role, member }) => names.has(String(role)) && names.has(String(member))),
  ];
}

/** Whether nobody made anything in the session's database yet: no object beside those that initdb made. */
export async function isPristine(session: Session): Promise<boolean> {
  const places = catalogs.map(
    (name) => `exists (select from pg_catalog.${name} where oid >= ${firstOwnObject})`,
  );
  const [row] = await session.query(`select ${places.join(' or ')} as touched`);
  return row?.['touched'] === false;
}

/** Postgres' FirstNormalObjectId: what initdb makes lies below. */
const firstOwnObject = 16_384;
const catalogs = [
  'pg_class',
  'pg_proc',
  'pg_type',
  'pg_namespace',
  'pg_extension',
  'pg_operator',
  'pg_cast',
  'pg_collation',
  'pg_ts_config',
  'pg_language',
  'pg_foreign_data_wrapper',
  'pg_event_trigger',
  'pg_publication',
  'pg_largeobject_metadata',
];
