import { type Deadline, Failure } from '@lockstep/foundation';
import {
  type ConnectionParameters,
  LibpqClient,
  parseConnectionString,
  toParameters,
  untilThere,
} from '@lockstep/postgres';
import { type Client, DatabaseError, escapeIdentifier, escapeLiteral } from 'pg';
import type { Address } from './connection-string.ts';
import { PostgresRefusedError, PostgresUnreachableError, RoleUnusableError } from './errors.ts';
import { scramVerifier } from './scram.ts';
import type { Service, ServiceRole } from './service.ts';

/** How the bootstrap reaches Postgres as its superuser. */
export interface Superuser {
  readonly address: Address;
  readonly user: string;
  readonly password: string;
}

// Any constant will do: it only keeps two bootstraps of one server apart. "lockboot" in ASCII.
const bootstrapLockKey = '7813577648610406260';

/** Connects to `database`, waiting until `deadline` for a server that is not up yet. */
export async function connectSuperuser(
  superuser: Superuser,
  database: string,
  { deadline, signal }: { deadline: Deadline; signal?: AbortSignal | undefined },
): Promise<Client> {
  const { address, user, password } = superuser;
  const parameters = toParameters(
    new Map([
      ['host', address.host.replace(/^\[|\]$/g, '')],
      ['port', String(address.port)],
      ['user', user],
      ['password', password],
      ['dbname', database],
    ]),
  );
  if ('rule' in parameters)
    throw new PostgresRefusedError(address, user, database, new Error(parameters.rule));
  return untilThere(() => open(parameters, Math.min(5000, deadline.remaining()), deadline), {
    deadline,
    signal,
    reasonOf: (error) => (isRefusal(error) ? undefined : String(error)),
    late: (_reason, error) => new PostgresUnreachableError(address, deadline.timeoutMilliseconds, error),
  }).catch((error: unknown) => {
    throw isRefusal(error) ? new PostgresRefusedError(address, user, database, error) : error;
  });
}

/** Connects once; whoever gets the client ends it. */
async function open(
  parameters: ConnectionParameters,
  connectMilliseconds: number,
  deadline: Deadline,
): Promise<Client> {
  const client = new LibpqClient(parameters, {
    application_name: 'vault-bootstrap',
    connectionTimeoutMillis: Math.ceil(Math.max(1, connectMilliseconds)),
    statement_timeout: Math.ceil(deadline.remaining()) || 1,
  });
  // Without a listener a connection that breaks while idle would end the program.
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/** Waits for any other bootstrap of this server to end; the lock goes with `client`'s connection. */
export async function lockBootstrap(client: Client): Promise<void> {
  await client.query(`select pg_advisory_lock(${bootstrapLockKey})`);
}

/** What {@link ensureDatabase} made, for the log, and whether the database lets anybody in. */
export interface EnsuredDatabase {
  readonly made: string[];
  readonly open: boolean;
}

/**
 * Makes the service's roles and its database when they are missing.
 *
 * What an interrupted DROP DATABASE left (`datconnlimit = -2`) is no database: nobody can connect to it, and Postgres lets it only be
 * dropped. That is done, and a new one made. One that somebody closed (`datallowconn`) stays as it is.
 */
export async function ensureDatabase(
  client: Client,
  { database, migrator, app }: Service,
): Promise<EnsuredDatabase> {
  const found = await client.query<{ name: string }>(
    `select rolname as name from pg_roles where rolname in ($1, $2)
     union all select case when datconnlimit = -2 then 'invalid' when datallowconn then 'database' else 'closed' end
       from pg_database where datname = $3`,
    [migrator.user, app.user, database],
  );
  const names = new Set(found.rows.map((row) => row.name));
  const made: string[] = [];
  if (!names.has(app.user)) {
    await client.query(`create role ${escapeIdentifier(app.user)} login`);
    made.push(`role ${app.user}`);
  }
  if (!names.has(migrator.user)) {
    // createdb and the membership are what a recreate needs: a database beside the old, the app's sessions ended.
    await client.query(`create role ${escapeIdentifier(migrator.user)} login createdb`);
    made.push(`role ${migrator.user}`);
  }
  const { rows } = await client.query<{ member: boolean }>("select pg_has_role($1, $2, 'member') as member", [
    migrator.user,
    app.user,
  ]);
  if (rows[0]?.member !== true) {
    await client.query(`grant ${escapeIdentifier(app.user)} to ${escapeIdentifier(migrator.user)}`);
  }
  if (names.has('invalid')) await client.query(`drop database if exists ${escapeIdentifier(database)}`);
  if (!names.has('database') && !names.has('closed')) {
    await client.query(
      `create database ${escapeIdentifier(database)} owner ${escapeIdentifier(migrator.user)}`,
    );
    made.push(
      `database ${database}${names.has('invalid') ? ', as an interrupted DROP had left an invalid one' : ''}`,
    );
  }
  return { made, open: !names.has('closed') };
}

/**
 * Grants, inside the service's database, what each role may: the owner all, the app DML on what the owner makes.
 *
 * Grants nothing that is granted: even a grant that changes nothing writes to the catalog, and the migrator takes a
 * database in which something was written for one that somebody uses.
 */
export async function ensureGrants(client: Client, { database, migrator, app }: Service): Promise<void> {
  if (await hasGrants(client, { migrator, app })) return;
  const [db, owner, reader] = [database, migrator.user, app.user].map((name) => escapeIdentifier(name));
  const defaults = `alter default privileges for role ${owner} grant`;
  await client.query(`
    revoke all on database ${db} from public;
    grant connect on database ${db} to ${reader};
    revoke create on schema public from public;
    grant usage on schema public to ${reader};
    ${defaults} usage on schemas to ${reader};
    ${defaults} select, insert, update, delete on tables to ${reader};
    ${defaults} usage, select on sequences to ${reader};
    ${defaults} execute on functions to ${reader};`);
  if ((await client.query(downSqlReadable, [app.user])).rowCount === 0) return;
  const { rows } = await client.query<{ columns: string }>(otherColumns);
  await client.query(`revoke select on public.schema_migrations_history from ${reader};
    grant select (${rows[0]?.columns}) on public.schema_migrations_history to ${reader}`);
}

const otherColumns = `
  select string_agg(quote_ident(attname), ', ' order by attnum) as columns from pg_attribute
  where attrelid = to_regclass('public.schema_migrations_history')
    and attnum > 0 and not attisdropped and attname <> 'down_sql'`;

/**
 * Whether what {@link ensureGrants} grants, and the membership of {@link ensureDatabase}, is there; whoever asks. False too where a
 * role is missing, which Postgres answers with an error.
 */
export async function hasGrants(
  client: Client,
  { migrator, app }: Pick<Service, 'migrator' | 'app'>,
): Promise<boolean> {
  try {
    const { rows } = await client.query<{ granted: boolean }>(grantsInPlace, [migrator.user, app.user]);
    return rows[0]?.granted === true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '42704') return false;
    throw error;
  }
}

/** A row when $1 may read the down SQL that the migrator keeps; only migrators before this rule granted it. */
const downSqlReadable = `
  select from pg_attribute where attrelid = to_regclass('public.schema_migrations_history')
    and attname = 'down_sql' and not attisdropped and has_column_privilege($1, attrelid, attnum, 'SELECT')`;

/** Whether all that {@link ensureGrants} grants to $2, for what $1 makes, is granted, and nothing to PUBLIC. */
const grantsInPlace = `
  select pg_has_role($1, $2, 'member') and has_database_privilege($2, current_database(), 'connect')
    and has_schema_privilege($2, 'public', 'usage')
    and not exists (
      select from pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) as entry
      where datname = current_database() and entry.grantee = 0)
    and not exists (
      select from pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) as entry
      where nspname = 'public' and entry.grantee = 0 and entry.privilege_type = 'CREATE')
    and not exists (
      select from (values ('n', 'USAGE'), ('r', 'SELECT'), ('r', 'INSERT'), ('r', 'UPDATE'), ('r', 'DELETE'),
        ('S', 'USAGE'), ('S', 'SELECT'), ('f', 'EXECUTE')) as wanted (kind, privilege)
      where not exists (
        select from pg_default_acl, aclexplode(defaclacl) as entry
        where defaclrole = (select oid from pg_roles where rolname = $1) and defaclnamespace = 0
          and defaclobjtype = wanted.kind::"char" and entry.privilege_type = wanted.privilege
          and entry.grantee = (select oid from pg_roles where rolname = $2)))
    and not exists (${downSqlReadable.replace('$1', '$2')}) as granted`;

/** Sets a role's password; only its verifier travels. */
export async function setPassword(client: Client, role: ServiceRole, password: string): Promise<void> {
  const verifier = await scramVerifier(password);
  await client.query(`alter role ${escapeIdentifier(role.user)} login password ${escapeLiteral(verifier)}`);
}

/** How a login ended: `closed` when the role was let in and the database lets in nobody. */
export type Login = 'in' | 'closed' | 'refused';

/**
 * Tries `connectionString`, and whether `look` agrees, which else counts as refused.
 *
 * @throws {RoleUnusableError} when no connection comes about, such as for its TLS; {@link Failure} for a TLS file
 */
export async function tryLogin(
  connectionString: string,
  deadline: Deadline,
  look: (client: Client) => Promise<boolean> = async () => true,
): Promise<Login> {
  const parameters = parseConnectionString(connectionString);
  if ('rule' in parameters) return 'refused';
  let client: Client | undefined;
  try {
    client = await open(parameters, deadline.remaining(), deadline);
    return (await look(client)) ? 'in' : 'refused';
  } catch (error) {
    // Postgres looks at the password before it looks at the database.
    if (error instanceof DatabaseError && error.code === closedCode) return 'closed';
    if (isRefusal(error)) return 'refused';
    if (error instanceof Failure) throw error;
    // Writing the secret anew would lose what somebody wrote there of TLS.
    if (!(error instanceof DatabaseError)) throw new RoleUnusableError(parameters.user, error);
    throw new Error('testing a role of the service failed', { cause: error });
  } finally {
    await client?.end().catch(() => {});
  }
}

/** A database that allows no connections, or that an interrupted DROP DATABASE left. */
const closedCode = '55000';

/** A server that answers and says no (28…: authentication, 3D000: no such database, 42501: no right to connect; or closed). */
function isRefusal(error: unknown): boolean {
  return error instanceof DatabaseError && /^(28...|3D000|42501|55000)$/.test(error.code ?? '');
}
