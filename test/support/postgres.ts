import { randomBytes } from 'node:crypto';
import { Client, escapeIdentifier, escapeLiteral, type QueryResult } from 'pg';
import { inject } from 'vitest';
import type { PostgresServer } from './postgres-servers.ts';

export { freePort } from './free-port.ts';
export {
  npmPrograms,
  type PostgresServer,
  programOf,
  type RunningServer,
  startServer,
} from './postgres-servers.ts';

/** A database as the bootstrap makes one: an owner that migrates, an app role with DML only. Each has its own roles. */
export interface TestDatabase {
  readonly name: string;
  readonly owner: string;
  readonly app: string;
  readonly ownerUrl: string;
  readonly appUrl: string;
  /** The superuser, connected to this database. */
  readonly superuserUrl: string;
  /** Runs as the superuser in this database, on a connection of its own. */
  query(sql: string, parameters?: readonly unknown[]): Promise<QueryResult>;
  /** Removes the database, those recreated beside it, and its roles. */
  drop(): Promise<void>;
}

/** The real servers of this run: 18, and 15 where Debian's is installed. */
export function postgresServers(): PostgresServer[] {
  return inject('postgresServers');
}

/** Makes an empty database with an owner and an app role; on Postgres 18 unless another server is given. */
export async function createTestDatabase(
  server: Pick<PostgresServer, 'superuserUrl'> | undefined = postgresServers()[0],
): Promise<TestDatabase> {
  if (server === undefined) throw new Error('no Postgres server was started');
  const { superuserUrl } = server;
  const name = `t_${randomBytes(5).toString('hex')}`;
  const owner = `${name}_migrator`;
  const app = `${name}_app`;
  const password = `pw-${randomBytes(6).toString('hex')}`;
  const [db, ownerRole, appRole] = [name, owner, app].map((identifier) => escapeIdentifier(identifier));
  const connection = (user: string, secret: string) => {
    const url = new URL(superuserUrl);
    url.username = user;
    url.password = secret;
    url.pathname = `/${name}`;
    return url.href;
  };
  const own = connection('postgres', new URL(superuserUrl).password);

  await each(superuserUrl, [
    `create role ${ownerRole} login createdb password ${escapeLiteral(password)}`,
    `create role ${appRole} login password ${escapeLiteral(password)}`,
    `grant ${appRole} to ${ownerRole}`,
    `create database ${db} owner ${ownerRole}`,
    `revoke all on database ${db} from public`,
    `grant connect on database ${db} to ${appRole}`,
  ]);
  await each(own, [
    'revoke create on schema public from public',
    `grant usage on schema public to ${appRole}`,
    `alter default privileges for role ${ownerRole} grant select, insert, update, delete on tables to ${appRole}`,
    `alter default privileges for role ${ownerRole} grant usage, select on sequences to ${appRole}`,
    `alter default privileges for role ${ownerRole} grant execute on functions to ${appRole}`,
  ]);
  return {
    name,
    owner,
    app,
    ownerUrl: connection(owner, password),
    appUrl: connection(app, password),
    superuserUrl: own,
    query: (sql, parameters) => once(own, sql, parameters),
    drop: async () => {
      // What a run left to the server may still be making a database.
      const leaving = 'select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = any($1)';
      await once(superuserUrl, leaving, [[owner, app]]);
      const related = await once(
        superuserUrl,
        'select datname from pg_database where datname = $1 or datname like $2',
        [name, `${name}\\_\\_%`],
      );
      const names = (related.rows as { datname: string }[]).map((row) => row.datname);
      await each(superuserUrl, [
        ...names.map((database) => `drop database if exists ${escapeIdentifier(database)} with (force)`),
        `drop role if exists ${ownerRole}`,
        `drop role if exists ${appRole}`,
      ]);
    },
  };
}

/** Runs one query on a connection of its own. */
export async function once(url: string, sql: string, parameters?: readonly unknown[]): Promise<QueryResult> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return parameters === undefined ? await client.query(sql) : await client.query(sql, [...parameters]);
  } finally {
    await client.end();
  }
}

async function each(url: string, statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
