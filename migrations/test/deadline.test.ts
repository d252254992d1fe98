import { createServer } from 'node:net';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort, once, postgresServers, startServer } from '../../test/support/postgres.ts';
import { DeadlinePassedError, InterruptedError, lockKey, migrateTo } from '../src/index.ts';
import { setTable, startMigrate, steady, until, type Workbench } from './support.ts';

const slow = {
  '1_table.up.sql': 'create table t (id int);',
  '2_slow.up.sql': 'insert into t values (1);\n  select pg_sleep(60);',
  '3_after.up.sql': 'select 1;',
};

/** Takes the migration lock and says whether it was free. */
async function lockIsFree({ database }: Workbench): Promise<boolean> {
  const key = lockKey(database.name, 'public', 'schema_migrations');
  const { rows } = await once(database.ownerUrl, `select pg_try_advisory_lock(${key}) as free`);
  return rows[0].free;
}

async function nobodyWorks({ database }: Workbench): Promise<boolean> {
  const { rows } = await database.query(
    `select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name like 'migrate%'`,
  );
  return rows[0].n === 0;
}

describe.each(postgresServers())('on $name', (server) => {
  test('SIGTERM in the middle of a statement cancels it, rolls back, unlocks and ends with 143', async () => {
    const bench = await setTable(slow, server);
    const { child, ended, saw } = bench.begin(['up']);
    await saw(/1 table/);
    await until(
      async () =>
        (await bench.value(
          "select count(*)::int from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid() and state = 'active' and datname = current_database()",
        )) === 1,
    );
    child.kill('SIGTERM');
    const { status, stderr } = await ended;
    expect(steady(stderr, bench)).toBe(
      [
        '1 table … ‹n› ms',
        'migrate: interrupted by SIGTERM while shop 2_slow.up.sql ran; it was rolled back and the lock released',
        '  ‹folder›/2_slow.up.sql:2:3',
        '  applied before it: 1   not run: 3',
        '',
      ].join('\n'),
    );
    expect(status).toBe(143);
    expect(await lockIsFree(bench)).toBe(true);
    expect(await nobodyWorks(bench)).toBe(true);
    expect(await bench.value('select count(*)::int from t')).toBe(0);
    expect(await bench.rows('select version::text, dirty from schema_migrations')).toEqual([['1', false]]);
  });

  test('a deadline that passes in SQL cancels on the server and tells where the time went', async () => {
    const bench = await setTable(slow, server);
    const startedAt = performance.now();
    const { status, stderr } = await bench.migrate(['up', '--timeout', '1s']);
    expect(performance.now() - startedAt).toBeLessThan(2500);
    expect(steady(stderr, bench)).toBe(
      [
        '1 table … ‹n› ms',
        'migrate: shop 2_slow.up.sql was not done after 1 s and was rolled back',
        '  ‹folder›/2_slow.up.sql:2:3  was running',
        '  applied before it: 1   not run: 3',
        '  time: database ‹n› ms, lock ‹n› ms, sql ‹n› ms',
        '  try: a longer --timeout (MIGRATION_TIMEOUT)',
        '',
      ].join('\n'),
    );
    expect(status).toBe(8);
    expect(await nobodyWorks(bench)).toBe(true);
  });

  test('a step that queues longer than --lock-timeout steps aside, lets others through, and lands once the lock is free', async () => {
    const bench = await setTable(
      { '1_table.up.sql': 'create table t (id int);', '2_column.up.sql': 'alter table t add column c int;' },
      server,
    );
    await bench.migrate(['up', '1']);
    const holder = new Client({ connectionString: bench.database.ownerUrl });
    await holder.connect();
    await holder.query('begin; lock table t in access share mode');
    const { ended, saw } = bench.begin(['up', '--lock-timeout', '200ms']);
    await saw(
      /2 column: canceling statement due to lock timeout \(55P03\); trying again\n(.*\n)*.*trying again/,
    );
    // Not a reader behind the one that waits: between two attempts nobody queues.
    expect(await bench.value('select count(*)::int from t')).toBe(0);
    await holder.end();
    const { status, stdout } = await ended;
    expect({ status, stdout: steady(stdout, bench) }).toEqual({
      status: 0,
      stdout: 'shop: 1 migration applied, from 1 to 2, ‹n› ms\n',
    });
  });

  test('a deadline that passes while a table is locked names who holds it', async () => {
    const bench = await setTable({ '1_table.up.sql': 'create table t (id int);' }, server);
    await bench.migrate(['up']);
    await bench.write({ '2_alter.up.sql': 'alter table t add column name text;' });
    const holder = new Client({ connectionString: bench.database.ownerUrl, application_name: 'psql' });
    await holder.connect();
    await holder.query("begin; lock table t; select 'secret-string'");
    const { status, stderr } = await bench.migrate(['up', '--timeout', '2s']);
    await holder.end();
    const held = 'pid ‹n›, user shopdb_migrator, application "psql", since ‹time›, idle in transaction';
    expect(steady(stderr, bench)).toBe(
      [
        `waiting for a lock on t, held by ${held}`,
        'migrate: shop 2_alter.up.sql was not done after 2 s and was rolled back',
        '  ‹folder›/2_alter.up.sql:1:1  waited for a lock',
        `  t is locked by ${held}`,
        '  time: database ‹n› ms, lock ‹n› ms, sql ‹n› ms',
        '  try: make db-migrate-status SERVICE=shop',
        '',
      ].join('\n'),
    );
    expect(status).toBe(8);
  });
});

test('the library throws typed failures, at the deadline and when its caller aborts', async () => {
  const bench = await setTable(slow);
  await expect(migrateTo(bench.settings({ '--timeout': '600ms' }), { kind: 'latest' })).rejects.toThrow(
    DeadlinePassedError,
  );
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 300);
  await expect(migrateTo(bench.settings(), { kind: 'latest' }, { signal: abort.signal })).rejects.toThrow(
    InterruptedError,
  );
  expect(await lockIsFree(bench)).toBe(true);
});

test('a second signal ends the program at once', async () => {
  const bench = await setTable(slow);
  const { child, ended, saw } = bench.begin(['up']);
  await saw(/1 table/);
  process.kill(child.pid ?? 0, 'SIGINT');
  process.kill(child.pid ?? 0, 'SIGTERM');
  expect([130, 143]).toContain((await ended).status);
});

test('SIGINT while it waits for the lock ends it with 130', async () => {
  const bench = await setTable(slow);
  const { name, ownerUrl } = bench.database;
  const holder = new Client({ connectionString: ownerUrl });
  await holder.connect();
  await holder.query('select pg_advisory_lock($1)', [
    lockKey(name, 'public', 'schema_migrations').toString(),
  ]);
  const { child, ended, saw } = bench.begin(['up']);
  await saw(/waiting for the migration lock/);
  child.kill('SIGINT');
  const { status, stderr } = await ended;
  await holder.end();
  expect(status).toBe(130);
  expect(stderr).toMatch(/\nmigrate: interrupted by SIGINT\n$/);
});

test('a migrator that was killed leaves no statement running, and the next run heals', async () => {
  const bench = await setTable(slow);
  const { child, ended, saw } = bench.begin(['up']);
  await saw(/1 table/);
  child.kill('SIGKILL');
  await ended;
  await until(() => nobodyWorks(bench));
  expect(await lockIsFree(bench)).toBe(true);
  await bench.write({ '2_slow.up.sql': 'select 1;' });
  expect((await bench.migrate(['up'])).stdout).toMatch(/^shop: 2 migrations applied, from 1 to 3/);
});

test('a Postgres that is not there is waited for until the deadline', async () => {
  const bench = await setTable(slow);
  const port = await freePort();
  const environment = { DATABASE_CONNECTION_STRING: `postgres://u:p%40ss@127.0.0.1:${port}/d` };
  const { status, stderr } = await bench.migrate(['up', '--timeout', '1300ms'], environment);
  expect(steady(stderr, bench)).toBe(
    [
      `waiting for Postgres at 127.0.0.1:${port}: connection refused (ECONNREFUSED)`,
      `migrate: Postgres at 127.0.0.1:${port} was not there within 1.3 s`,
      '  connection refused (ECONNREFUSED)',
      '  time: database ‹n› ms',
      '',
    ].join('\n'),
  );
  expect(status).toBe(3);
});

test('a server that accepts and never answers costs the timeout, not more', async () => {
  const bench = await setTable(slow);
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const environment = { DATABASE_CONNECTION_STRING: `host=127.0.0.1 port=${port} user=u dbname=d` };
  const startedAt = performance.now();
  const { status, stderr } = await bench.migrate(['up', '--timeout', '700ms'], environment);
  expect(performance.now() - startedAt).toBeLessThan(2500);
  expect(stderr).toContain(
    `migrate: Postgres at 127.0.0.1:${port} was not there within 700 ms\n  no answer\n`,
  );
  expect(status).toBe(3);
  silent.close();
});

test('a Vault that is not there is waited for until the deadline', async () => {
  const bench = await setTable(slow);
  const port = await freePort();
  const { status, stderr } = await bench.migrate(['up', '--timeout', '1s'], {
    DATABASE_CONNECTION_STRING: '',
    VAULT_ADDR: `http://127.0.0.1:${port}`,
    VAULT_TOKEN: 'token-of-vault',
  });
  expect(stderr).toMatch(/^migrate: vault at http:.* is unreachable: connection refused$/m);
  expect(stderr).toMatch(/^ {2}time: vault [\d,]+ ms$/m);
  expect(stderr).not.toContain('token-of-vault');
  expect(status).toBe(3);
});

test('a server that freezes in the middle of a statement is given up soon after the deadline', async () => {
  const [first] = postgresServers();
  const server = await startServer('postgres 18', first?.programs ?? '');
  onTestFinished(() => server.destroy());
  const url = new URL(server.superuserUrl);
  const bench = await setTable(slow, server);
  const { ended, saw } = bench.begin(['up', '--timeout', '2s']);
  await saw(/1 table/);
  const backends = (
    await once(
      url.href,
      "select pid from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()",
    )
  ).rows;
  for (const pid of [server.pid, ...backends.map((row) => Number(row.pid))]) process.kill(pid, 'SIGSTOP');
  const startedAt = performance.now();
  const { status, stderr } = await ended;
  expect(performance.now() - startedAt).toBeLessThan(4500);
  for (const pid of [server.pid, ...backends.map((row) => Number(row.pid))]) process.kill(pid, 'SIGCONT');
  expect(status).toBe(8);
  expect(steady(stderr, bench)).toBe(
    [
      '1 table … ‹n› ms',
      'migrate: shop 2_slow.up.sql was not done after 2 s',
      '  ‹folder›/2_slow.up.sql  the server no longer answers; only the history knows whether it landed',
      '  applied before it: 1   not run: 3',
      '  time: database ‹n› ms, lock ‹n› ms, sql ‹n› ms',
      '  try: make db-migrate-status SERVICE=shop',
      '',
    ].join('\n'),
  );
});

test('what waiting does not mend is refused at once', async () => {
  const bench = await setTable(slow);
  const url = new URL(bench.database.ownerUrl);
  const refusedWith = async (change: (wrong: URL) => void) => {
    const wrong = new URL(url);
    change(wrong);
    const { status, stderr } = await startMigrate(['up'], {
      PATH: process.env['PATH'],
      DATABASE_CONNECTION_STRING: wrong.href,
      MIGRATIONS_PATH: bench.folder,
      LOG_FORMAT: 'text',
    }).ended;
    return { status, stderr: steady(stderr, bench).replaceAll(url.host, '‹host›') };
  };
  expect(await refusedWith((wrong) => (wrong.password = 'not-the-password'))).toEqual({
    status: 3,
    stderr:
      'migrate: Postgres at ‹host› refused: the password of shopdb_migrator is wrong\n' +
      '  password authentication failed for user "shopdb_migrator" (28P01)\n',
  });
  expect(await refusedWith((wrong) => (wrong.pathname = '/nowhere'))).toEqual({
    status: 3,
    stderr:
      'migrate: Postgres at ‹host› refused: there is no database nowhere\n' +
      '  database "nowhere" does not exist (3D000)\n',
  });
  expect(await refusedWith((wrong) => (wrong.password = ''))).toEqual({
    status: 3,
    stderr:
      'migrate: Postgres at ‹host› refused: shopdb_migrator needs a password\n' +
      '  SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string\n',
  });
});
