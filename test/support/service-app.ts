import { join } from 'node:path';
import { createApp, Database, type Service } from '@lockstep/chassis';
import { Deadline } from '@lockstep/foundation';
import { closeTesting, createTestDatabase, type TestDatabase } from '@lockstep/testing';
import type { QueryResult } from 'pg';
import { afterAll } from 'vitest';
import { at, type Json, type JsonPath, listAt, textAt } from './json.ts';
import { once, type PostgresServer, postgresServers } from './postgres.ts';

/** What a request was answered with; `body` is undefined when there was none. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Json | undefined;
  /** What stands at a path of the body; undefined when there is no such place. */
  at(...path: JsonPath): Json | undefined;
  /** The text at a path of the body; throws when there is anything else. */
  text(...path: JsonPath): string;
  /** The list at a path of the body; throws when there is anything else. */
  list(...path: JsonPath): Json[];
}

/** A service on a migrated database of its own, asked without a socket. */
export interface TestService {
  readonly testDatabase: ServiceDatabase;
  request(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD',
    url: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  close(): Promise<void>;
}

/** The database of a service under test. */
export interface ServiceDatabase extends TestDatabase {
  readonly superuserUrl: string;
  /** Runs as the superuser. */
  query(sql: string, parameters?: readonly unknown[]): Promise<QueryResult>;
}

// Each file of tests has a pool of its own.
afterAll(closeTesting);

/** Opens `service` on a migrated database of its own, as its app role. */
export async function openService(service: Service, server?: PostgresServer): Promise<TestService> {
  const testDatabase = await databaseOf(service, server ?? postgresServers()[0]);
  const database = new Database({
    application: service.name,
    connectionString: async () => testDatabase.appUrl,
  });
  await database.open(new Deadline(10_000));
  const app = createApp(service, database);
  return {
    testDatabase,
    request: async (method, url, body, headers = {}) => {
      const answer = await app.inject({
        method,
        url,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const json = /json/.test(String(answer.headers['content-type'])) && answer.payload !== '';
      const read = json ? answer.json<Json>() : undefined;
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: read,
        at: (...path) => at(read, ...path),
        text: (...path) => textAt(read, ...path),
        list: (...path) => listAt(read, ...path),
      };
    },
    close: async () => {
      await app.close();
      await database.close();
      await testDatabase.drop();
    },
  };
}

async function databaseOf({ name }: Service, server: PostgresServer | undefined): Promise<ServiceDatabase> {
  const project = join(import.meta.dirname, '../..');
  const database = await createTestDatabase({ service: name, project, server, seeds: false });
  const superuser = new URL(server?.superuserUrl ?? database.ownerUrl);
  superuser.pathname = `/${database.name}`;
  const superuserUrl = superuser.href;
  return { ...database, superuserUrl, query: (sql, parameters) => once(superuserUrl, sql, parameters) };
}
