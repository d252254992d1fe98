import { Agent, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { type Bundle, bundle, run } from './program.ts';
import { migrateByHand, runSql, type ServiceName } from './service-migrations.ts';

/** A request that commits a row, another one each time. */
export interface Committing {
  readonly path: string;
  readonly body: (number: number) => Readonly<Record<string, unknown>>;
  /** Counts the rows that such requests left. */
  readonly count: string;
}

const clients = 20;
const answersBeforeTheSignal = 320;
let posted = 0;

/** Proves with the real program: told to end under load, a service answers every request that reached it. */
export function proveDrain(service: ServiceName, committing: Committing): void {
  let program: Bundle;
  let database: TestDatabase;

  beforeAll(async () => {
    [program, database] = await Promise.all([bundle(`${service}/src/server.ts`), createTestDatabase()]);
    await migrateByHand(database.ownerUrl, service);
    await runSql(database.ownerUrl, [`grant select on schema_migrations to ${database.app}`]);
  });

  afterAll(() => Promise.all([program.remove(), database.drop()]));

  test.each(['kept open', 'opened for each request'] as const)(
    'F16.10 SIGTERM under the load of 20 clients cuts off none of their requests, on connections %s',
    async (connections) => {
      const before = await countRows(database, committing);
      const environment = { LISTEN_ADDRESS: '127.0.0.1:0', DATABASE_CONNECTION_STRING: database.appUrl };
      const app = run(program.file, environment);
      const { address } = await app.event('listening');
      const agent = new Agent({ keepAlive: connections === 'kept open', maxSockets: clients });
      const statuses: number[] = [];
      const lost: string[] = [];
      let closing = 0;
      const client = async () => {
        for (;;) {
          try {
            const { status, closes } = await post(`http://${address}`, committing, agent);
            statuses.push(status);
            if (closes) closing += 1;
          } catch (error) {
            const code = error instanceof Error && 'code' in error ? error.code : error;
            if (code !== 'ECONNREFUSED') lost.push(String(code));
            return;
          }
          if (statuses.length === answersBeforeTheSignal) app.child.kill('SIGTERM');
        }
      };
      await Promise.all(Array.from({ length: clients }, client));
      agent.destroy();
      expect(await app.ended, app.stderr()).toBe(0);
      expect(lost).toEqual([]);
      expect(statuses.filter((status) => status !== 201)).toEqual([]);
      // Some were under way when it was told to end.
      expect(statuses.length).toBeGreaterThan(answersBeforeTheSignal);
      expect(closing).toBeGreaterThan(0);
      expect((await countRows(database, committing)) - before).toBe(statuses.length);
    },
  );
}

async function countRows(database: TestDatabase, { count }: Committing): Promise<number> {
  const { rows } = await database.query(count);
  return Number(rows[0].count);
}

function post(
  address: string,
  { path, body }: Committing,
  agent: Agent,
): Promise<{ status: number; closes: boolean }> {
  posted += 1;
  const text = JSON.stringify(body(posted));
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${address}${path}`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume();
      answer.once('error', reject);
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, closes: answer.headers.connection === 'close' }),
      );
    });
    sent.once('error', reject);
    sent.end(text);
  });
}
