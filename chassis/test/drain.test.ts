import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, freePort, type TestDatabase } from '../../test/support/postgres.ts';
import { type Bundle, bundle, type RunningProgram, run } from '../../test/support/program.ts';

let program: Bundle;
let database: TestDatabase;

beforeAll(async () => {
  [program, database] = await Promise.all([bundle('chassis/test/programs/probe.ts'), createTestDatabase()]);
  await database.query(`create table schema_migrations (version bigint primary key, dirty boolean not null);
    insert into schema_migrations values (3, false);
    grant select on schema_migrations to ${database.app}`);
});

afterAll(() => Promise.all([program.remove(), database.drop()]));

async function start(
  environment: Record<string, string> = {},
): Promise<{ app: RunningProgram; url: string }> {
  const app = run(program.file, {
    LISTEN_ADDRESS: '127.0.0.1:0',
    DATABASE_CONNECTION_STRING: database.appUrl,
    ...environment,
  });
  const { address } = await app.event('listening');
  return { app, url: `http://${address}` };
}

async function sessions(state: string): Promise<number> {
  const { rows } = await database.query(
    `select count(*)::int as count from pg_stat_activity
     where usename = $1 and application_name ~ '^probe needs [0-9]+$' and state like $2`,
    [database.app, state],
  );
  return rows[0].count;
}

/** `answered`, or why not. */
async function reach(url: string): Promise<unknown> {
  try {
    await (await fetch(`${url}/live`)).text();
    return 'answered';
  } catch (error) {
    return (
      error instanceof Error && error.cause instanceof Error && 'code' in error.cause && error.cause.code
    );
  }
}

/** Begins a request that lasts `milliseconds`, and waits until the app is at work on it. */
async function hold(url: string, milliseconds: number): Promise<{ answer: Promise<Response> }> {
  const answer = fetch(`${url}/hold?milliseconds=${milliseconds}`);
  answer.catch(() => {});
  await expect.poll(() => sessions('idle in transaction')).toBe(1);
  return { answer };
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s lets a request in flight finish, closes the pool and ends with 0',
  async (signal) => {
    const { app, url } = await start();
    const inFlight = await hold(url, 700);
    app.child.kill(signal);
    await app.event('draining');
    // It accepts a little longer, and then refuses.
    await expect.poll(() => reach(url)).toBe('ECONNREFUSED');
    const answer = await inFlight.answer;
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    expect(await app.ended).toBe(0);
    await expect.poll(() => sessions('%')).toBe(0);
    expect(app.stdout()).toBe('');
  },
);

test('an idle keep-alive connection does not hold the end up', async () => {
  const { app, url } = await start();
  await (await fetch(`${url}/live`)).text();
  const signalled = performance.now();
  app.child.kill('SIGTERM');
  expect(await app.ended).toBe(0);
  expect(performance.now() - signalled).toBeLessThan(1_500);
});

test('F16.10 a request on a connection that was open and idle when it was told to end is answered', async () => {
  const { app, url } = await start();
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) }).setEncoding('utf8');
  let heard = '';
  socket.on('data', (text: string) => {
    heard += text;
  });
  const ask = () => socket.write('GET /live HTTP/1.1\r\nhost: probe\r\n\r\n');
  ask();
  await expect.poll(() => heard).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*connection: keep-alive/i);
  heard = '';
  app.child.kill('SIGTERM');
  await app.event('draining');
  ask();
  await expect.poll(() => heard).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*connection: close/i);
  expect(await app.ended).toBe(0);
});

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('a second %s ends it at once with %i', async (signal, status) => {
  const { app, url } = await start();
  const inFlight = await hold(url, 9_000);
  app.child.kill(signal);
  await app.event('draining');
  app.child.kill(signal);
  expect(await app.ended).toBe(status);
  await expect(inFlight.answer).rejects.toThrow('fetch failed');
});

test('a request that does not finish within the drain timeout is cut off, and the status says so', async () => {
  const { app, url } = await start({ DRAIN_TIMEOUT: '700ms' });
  const inFlight = await hold(url, 9_000);
  const signalled = performance.now();
  app.child.kill('SIGTERM');
  expect(await app.ended).toBe(143);
  const waited = performance.now() - signalled;
  expect(waited).toBeGreaterThan(690);
  expect(waited).toBeLessThan(1_700);
  await expect(inFlight.answer).rejects.toThrow('fetch failed');
  expect(app.stderr()).toContain('requests in flight were cut off');
});

test('a signal while it waits for the database ends it at once', async () => {
  const port = await freePort();
  const app = run(program.file, { DATABASE_CONNECTION_STRING: `postgres://a:bcdef@127.0.0.1:${port}/x` });
  await app.event('waiting');
  const signalled = performance.now();
  app.child.kill('SIGTERM');
  expect(await app.ended).toBe(143);
  expect(performance.now() - signalled).toBeLessThan(1_000);
});
