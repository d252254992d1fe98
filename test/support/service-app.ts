import { createApp, Database, type Service } from '@lockstep/chassis';
import { Deadline } from '@lockstep/foundation';
import { at, type Json, type JsonPath, listAt, textAt } from './json.ts';
import { createTestDatabase, type PostgresServer, type TestDatabase } from './postgres.ts';
import { migrateByHand } from './service-migrations.ts';

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
  readonly testDatabase: TestDatabase;
  request(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD',
    url: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  close(): Promise<void>;
}

/** Opens `service` on a fresh, migrated database, as its app role. */
export async function openService(service: Service, server?: PostgresServer): Promise<TestService> {
  const testDatabase = await createTestDatabase(server);
  await migrateByHand(testDatabase.ownerUrl, service.name);
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
