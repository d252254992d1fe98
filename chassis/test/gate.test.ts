import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, freePort, type TestDatabase } from '../../test/support/postgres.ts';
import { type Bundle, bundle, run } from '../../test/support/program.ts';

let program: Bundle;
let database: TestDatabase;

beforeAll(async () => {
  [program, database] = await Promise.all([bundle('chassis/test/programs/probe.ts'), createTestDatabase()]);
});

afterAll(() => Promise.all([program.remove(), database.drop()]));

beforeEach(() => database.query('drop table if exists schema_migrations'));

/** Runs the probe to its end. */
async function outcome(environment: Record<string, string> = {}) {
  const started = run(program.file, {
    LISTEN_ADDRESS: '127.0.0.1:0',
    DATABASE_CONNECTION_STRING: database.appUrl,
    ...environment,
  });
  const status = await started.ended;
  return { status, stderr: started.stderr(), stdout: started.stdout() };
}

async function receipt(version: number | undefined, dirty = false): Promise<void> {
  await database.query(`create table schema_migrations (version bigint primary key, dirty boolean not null);
    grant select on schema_migrations to ${database.app}`);
  if (version !== undefined)
    await database.query('insert into schema_migrations values ($1, $2)', [version, dirty]);
}

test('without a receipt the app does not listen and says what to run', async () => {
  expect(await outcome()).toEqual({
    status: 3,
    stdout: '',
    stderr:
      'probe: probe was never migrated: there is no schema_migrations\n  try: make db-migrate-up SERVICE=probe\n',
  });
  await receipt(undefined);
  expect(await outcome()).toEqual({
    status: 3,
    stdout: '',
    stderr:
      'probe: probe was never migrated: schema_migrations is empty\n  try: make db-migrate-up SERVICE=probe\n',
  });
});

test('on a dirty schema the app does not listen', async () => {
  await receipt(3, true);
  expect(await outcome()).toEqual({
    status: 3,
    stdout: '',
    stderr:
      'probe: the schema of probe is dirty at 3: a migration began and did not finish\n  try: make db-migrate-status SERVICE=probe\n',
  });
});

test('on an older schema the app does not listen', async () => {
  await receipt(2);
  expect(await outcome()).toEqual({
    status: 3,
    stdout: '',
    stderr:
      'probe: the schema of probe is at 2 and the app needs 3\n  try: make db-migrate-up SERVICE=probe\n',
  });
});

test('on a newer schema it listens, and /ready shows the version', async () => {
  await receipt(4);
  const app = run(program.file, {
    LISTEN_ADDRESS: '127.0.0.1:0',
    DATABASE_CONNECTION_STRING: database.appUrl,
  });
  const { address } = await app.event('listening');
  const answer = await fetch(`http://${address}/ready`);
  expect([answer.status, await answer.json()]).toEqual([200, { status: 'ready', schemaVersion: 4 }]);
  app.child.kill('SIGTERM');
  expect(await app.ended).toBe(0);
});

test('/ready says why when the schema goes away under a running app, and is ready again when it is back', async () => {
  await receipt(3);
  const app = run(program.file, {
    LISTEN_ADDRESS: '127.0.0.1:0',
    DATABASE_CONNECTION_STRING: database.appUrl,
  });
  const { address } = await app.event('listening');
  const ready = async () => {
    const answer = await fetch(`http://${address}/ready`);
    return [answer.status, answer.headers.get('content-type'), await answer.json()];
  };
  const problem = (detail: string) => [
    503,
    'application/problem+json',
    {
      type: 'urn:lockstep:problem:schema-not-ready',
      title: 'The service is not ready',
      status: 503,
      detail,
      instance: '/ready',
      requestId: expect.any(String),
    },
  ];
  await database.query('update schema_migrations set dirty = true');
  expect(await ready()).toEqual(
    problem(
      'the schema of probe is dirty at 3: a migration began and did not finish; try: make db-migrate-status SERVICE=probe',
    ),
  );
  await database.query('update schema_migrations set dirty = false, version = 1');
  expect(await ready()).toEqual(
    problem('the schema of probe is at 1 and the app needs 3; try: make db-migrate-up SERVICE=probe'),
  );
  expect((await fetch(`http://${address}/live`)).status).toBe(200);
  await database.query('update schema_migrations set version = 3');
  expect((await ready())[0]).toBe(200);
  app.child.kill('SIGTERM');
  await app.ended;
});

test('every wrong setting is listed at once, with status 2 and no secret', async () => {
  const { status, stderr } = await outcome({
    LISTEN_ADDRESS: 'everywhere',
    DATABASE_CONNECTION_STRING: 'mysql://app:swordfish@db/x',
    LOG_LEVEL: 'loud',
    START_TIMEOUT: 'soon',
    DRAIN_TIMEOUT: 'later',
  });
  expect([status, stderr]).toEqual([
    2,
    `config: 5 settings are wrong
  LISTEN_ADDRESS: expected host:port, such as 127.0.0.1:8080 or [::1]:8080, got "everywhere" (from the environment)
  DATABASE_CONNECTION_STRING: expected a postgres:// URL or key=value pairs
  LOG_LEVEL: expected debug, info, warn, error, got "loud" (from the environment)
  START_TIMEOUT: expected a duration such as 30s, 500ms or 5m, got "soon" (from the environment)
  DRAIN_TIMEOUT: expected a duration such as 30s, 500ms or 5m, got "later" (from the environment)
`,
  ]);
});

test('without a connection string and without Vault it says what is missing', async () => {
  const { status, stderr } = await outcome({ DATABASE_CONNECTION_STRING: '' });
  expect([status, stderr]).toEqual([
    2,
    `config: 4 settings are wrong
  VAULT_ADDR: required: the address of Vault, or give DATABASE_CONNECTION_STRING
  VAULT_SECRET_PATH: required: such as secret/data/services-api/app, or give DATABASE_CONNECTION_STRING
  VAULT_ROLE_ID_FILE: required: a file, or give VAULT_TOKEN
  VAULT_SECRET_ID_FILE: required: a file, or give VAULT_TOKEN
`,
  ]);
});

test('it waits for a database that is not there, says so, and gives up at its timeout', async () => {
  const port = await freePort();
  const { status, stderr } = await outcome({
    DATABASE_CONNECTION_STRING: `postgres://app:swordfish@127.0.0.1:${port}/x`,
    START_TIMEOUT: '1s',
  });
  const [waiting, ...failure] = stderr.split('\n');
  expect(JSON.parse(waiting ?? '')).toMatchObject({
    level: 'warn',
    program: 'probe',
    msg: 'waiting',
    reason: `connect ECONNREFUSED 127.0.0.1:${port}`,
  });
  expect([status, failure.join('\n')]).toEqual([
    3,
    `probe: the database did not answer in 1 s\n  connect ECONNREFUSED 127.0.0.1:${port}\n  try: make status\n`,
  ]);
});

test('a server that takes the connection and says nothing is given up at the same timeout', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const began = performance.now();
  const { status, stderr } = await outcome({
    DATABASE_CONNECTION_STRING: `postgres://app:swordfish@127.0.0.1:${port}/x`,
    START_TIMEOUT: '1s',
  });
  silent.close();
  expect([status, stderr]).toEqual([
    3,
    'probe: the database did not answer in 1 s\n  no answer\n  try: make status\n',
  ]);
  expect(performance.now() - began).toBeLessThan(2_500);
});

test('a database that refuses the login is told apart, at once and without the password', async () => {
  const url = new URL(database.appUrl);
  url.password = 'sword^%25&{@/fish';
  const { status, stderr } = await outcome({ DATABASE_CONNECTION_STRING: url.href });
  expect([status, stderr]).toEqual([
    3,
    `probe: the database refused the connection\n  password authentication failed for user "${database.app}" (28P01)\n  try: make doctor\n`,
  ]);
});

test('an address that is taken is named', async () => {
  await receipt(3);
  const first = run(program.file, {
    LISTEN_ADDRESS: '127.0.0.1:0',
    DATABASE_CONNECTION_STRING: database.appUrl,
  });
  const { address } = await first.event('listening');
  const { status, stderr } = await outcome({ LISTEN_ADDRESS: String(address) });
  expect([status, stderr]).toEqual([
    3,
    `probe: cannot listen on ${address}: another program listens there\n  try: set LISTEN_ADDRESS to a free address, such as 127.0.0.1:0\n`,
  ]);
  first.child.kill('SIGTERM');
  await first.ended;
});
