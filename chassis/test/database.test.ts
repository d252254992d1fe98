import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from '@lockstep/chassis';
import { Deadline, renderFailure } from '@lockstep/foundation';
import { Client, escapeIdentifier } from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  createTestDatabase,
  npmPrograms,
  type RunningServer,
  startServer,
  type TestDatabase,
} from '../../test/support/postgres.ts';
import { type Bundle, bundle, run } from '../../test/support/program.ts';

let testDatabase: TestDatabase;
const opened: Database[] = [];

beforeAll(async () => {
  testDatabase = await createTestDatabase();
});

afterAll(() => testDatabase.drop());

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
});

async function open(
  connectionString: () => Promise<string>,
  onEvent?: (event: string) => void,
): Promise<Database> {
  const database = new Database({ application: 'probe', connectionString, ...(onEvent && { onEvent }) });
  opened.push(database);
  await database.open(new Deadline(10_000));
  return database;
}

/** The app role's URL with `password`; set in Postgres too unless `wrong`. */
async function changePassword(password: string): Promise<string> {
  await testDatabase.query(`alter role ${escapeIdentifier(testDatabase.app)} password '${password}'`);
  const url = new URL(testDatabase.appUrl);
  url.password = encodeURIComponent(password);
  return url.href;
}

async function endSessions(): Promise<void> {
  await testDatabase.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
    testDatabase.app,
  ]);
}

test('when the login is refused, 20 requests share one re-read of the credentials and all succeed', async () => {
  let current = await changePassword('first^%&{@/');
  let reads = 0;
  const events: string[] = [];
  const database = await open(
    async () => {
      reads += 1;
      await sleep(50);
      return current;
    },
    (event) => events.push(event),
  );
  current = await changePassword('second^%&{@/');
  await endSessions();
  await sleep(100);

  const answers = await Promise.all(Array.from({ length: 20 }, () => database.query('select 1 as one')));

  expect(answers.map(({ rows }) => rows)).toEqual(Array(20).fill([{ one: 1 }]));
  expect(reads).toBe(2);
  expect(events.filter((event) => event === 'the credentials were renewed')).toHaveLength(1);
});

test('credentials that stay wrong are read again at most once a second, however many ask', async () => {
  const url = await changePassword('known');
  let reads = 0;
  const database = await open(async () => {
    reads += 1;
    return url;
  });
  await changePassword('changed behind its back');
  await endSessions();
  await sleep(100);
  const startedAt = performance.now();
  for (let round = 0; round < 5; round += 1) {
    const asked = Array.from({ length: 10 }, () => database.query('select 1'));
    for (const outcome of await Promise.allSettled(asked)) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'database-refused', exitStatus: 3 },
      });
    }
  }
  // One when it opened, one at the first refusal, and on a busy machine one for each second that has passed since.
  const seconds = Math.floor((performance.now() - startedAt) / 1000);
  expect(reads).toBeGreaterThanOrEqual(2);
  expect(reads).toBeLessThanOrEqual(2 + seconds);

  // Once they are right again, nobody needs to restart anything.
  await changePassword('known');
  expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('a connection that ends while idle, or inside a transaction, costs that transaction only', async () => {
  const url = await changePassword('steady');
  const database = await open(async () => url);
  await endSessions();
  await sleep(100);
  expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }]);

  const broken = database.transaction(async (transaction) => {
    await transaction.query('select 1');
    await endSessions();
    await sleep(100);
    await transaction.query('select 1');
  });
  await expect(broken).rejects.toMatchObject({ code: 'database-unreachable' });
  expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('a transaction that throws leaves nothing behind, and its connection is clean', async () => {
  const url = await changePassword('steady');
  await testDatabase.query(`create table t (n int); grant all on t to ${escapeIdentifier(testDatabase.app)}`);
  const database = await open(async () => url);
  const failing = database.transaction(async (transaction) => {
    await transaction.query('insert into t values (1)');
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  await expect(database.transaction((transaction) => transaction.query('select 1/0'))).rejects.toMatchObject({
    code: '22012',
  });
  expect((await database.query('select count(*)::int as count from t')).rows).toEqual([{ count: 0 }]);
  expect(
    await database.transaction(async (transaction) =>
      transaction.query('insert into t values (2) returning n'),
    ),
  ).toMatchObject({
    rows: [{ n: 2 }],
  });
});

test('a statement that takes too long is ended by the server', async () => {
  const url = await changePassword('steady');
  const database = new Database({
    application: 'probe',
    connectionString: async () => url,
    statementTimeoutMilliseconds: 300,
  });
  opened.push(database);
  await database.open(new Deadline(5_000));
  await expect(database.query('select pg_sleep(10)')).rejects.toMatchObject({ code: '57014' });
});

test('connection strings that Vault should not hold are refused without being shown', async () => {
  const { readConnectionString } = await import('../src/connection-source.ts');
  for (const connectionString of [
    '',
    'host=x password=swordfish',
    'http://a:swordfish@b/c',
    'postgres://a:swordfish@b/c?sslmode=bogus',
  ]) {
    const reading = readConnectionString(
      { kind: 'direct', connectionString },
      { deadline: new Deadline(1_000) },
    );
    const failure: unknown = await reading.catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'connection-string', exitStatus: 2 });
    expect(renderFailure('probe', failure)).not.toContain('fish');
  }
});

test('an app outlives a restart of Postgres: not ready meanwhile, ready again without a restart of its own', async () => {
  const [program, server]: [Bundle, RunningServer] = await Promise.all([
    bundle('chassis/test/programs/probe.ts'),
    startServer('postgres 18', await npmPrograms()),
  ]);
  const own = await createTestDatabase(server);
  await own.query(`create table schema_migrations (version bigint primary key, dirty boolean not null);
    insert into schema_migrations values (3, false);
    grant select on schema_migrations to ${own.app}`);
  const app = run(program.file, { LISTEN_ADDRESS: '127.0.0.1:0', DATABASE_CONNECTION_STRING: own.appUrl });
  try {
    const url = `http://${(await app.event('listening'))['address']}`;
    const ask = async (path: string) => {
      const answer = await fetch(url + path);
      return {
        status: answer.status,
        retryAfter: answer.headers.get('retry-after'),
        body: (await answer.json()) as Record<string, unknown>,
      };
    };
    expect((await ask('/ready')).status).toBe(200);
    const held = ask('/hold?milliseconds=800');

    await sleep(200);
    await server.stop();
    const down = await ask('/ready');
    expect([down.status, down.body['type'], down.body['detail']]).toEqual([
      503,
      'urn:lockstep:problem:database-unreachable',
      'the database did not answer; try: make status',
    ]);
    expect(await held).toMatchObject({
      status: 503,
      retryAfter: '1',
      body: { type: 'urn:lockstep:problem:database-unreachable' },
    });
    expect(await ask('/who')).toMatchObject({ status: 503, retryAfter: '1' });
    expect((await ask('/live')).status).toBe(200);

    await server.start();
    expect((await ask('/ready')).status).toBe(200);
    expect((await ask('/who')).body['user']).toBe(own.app);

    // A server that takes connections and says nothing: the probe answers before those who ask give up.
    const { rows } = await own.query('select pid from pg_stat_activity where usename = $1', [own.app]);
    const stopped = [server.pid, ...rows.map(({ pid }: { pid: number }) => pid)];
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    const began = performance.now();
    const [silent, also] = await Promise.all([ask('/ready'), ask('/ready')]);
    const waited = performance.now() - began;
    for (const pid of stopped) process.kill(pid, 'SIGCONT');
    expect([silent.status, also.status]).toEqual([503, 503]);
    expect(silent.body['detail']).toBe('the database did not answer in 2 s; try: make status');
    expect(waited).toBeLessThan(2_500);
    expect((await ask('/ready')).status).toBe(200);
    expect(app.child.exitCode).toBeNull();
  } finally {
    app.child.kill('SIGTERM');
    await app.ended;
    await server.destroy();
    await program.remove();
  }
});

test('F6.5 while the database changes its name again and again, no request that needs a new connection fails', async () => {
  const { name, appUrl, superuserUrl } = testDatabase;
  const [live, aside] = [name, `${name}__aside`].map((one) => escapeIdentifier(one));
  const elsewhere = superuserUrl.replace(/\/[^/]*$/, '/postgres');
  const url = new URL(appUrl);
  url.password = encodeURIComponent(new URL(await changePassword('during-the-swap')).password);
  const database = await open(async () => url.href);
  // As the swap does: for as long as the pause lasts nobody finds the name.
  const swap = new Client({ connectionString: elsewhere });
  await swap.connect();
  const rename = async (from: string | undefined, to: string | undefined) => {
    for (;;) {
      await swap.query(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname in ($1, $2) and pid <> pg_backend_pid()`,
        [name, `${name}__aside`],
      );
      try {
        await swap.query(`alter database ${from} rename to ${to}`);
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== '55006') throw error;
      }
    }
  };
  try {
    for (let round = 0; round < 5; round++) {
      await rename(live, aside);
      const asked = database.query('select 1 as one');
      // Handled below: it must not count as unhandled while the name is away.
      asked.catch(() => {});
      await sleep(150);
      await rename(aside, live);
      await expect(asked).resolves.toMatchObject({ rows: [{ one: 1 }] });
    }
  } finally {
    await swap.end();
  }
});

test('F6.5 a database that is gone for good is refused within a second or two, as before', async () => {
  const url = new URL(await changePassword('gone-for-good'));
  url.pathname = '/no_such_database';
  const startedAt = performance.now();
  await expect(open(async () => url.href)).rejects.toThrow('the database refused the connection');
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});
