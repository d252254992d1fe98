import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { once, postgresServers, startServer } from '../../test/support/postgres.ts';
import { setTable, steady, until } from './support.ts';

const steps = {
  '1_log.up.sql': 'create table log (step int); insert into log values (1);',
  '2_step.up.sql': 'insert into log values (2); select pg_sleep(0.15);',
  '3_index.up.sql': 'create index concurrently log_step on log (step); select pg_sleep(0.15);',
  '4_step.up.sql': 'insert into log values (4); select pg_sleep(0.15);',
  '5_step.up.sql': 'insert into log values (5); select pg_sleep(0.15);',
};

describe.each(postgresServers())('on $name', (server) => {
  test.each([1, 2, 3, 4])(
    'killed right after step %i, the next run heals and every step is there once',
    async (step) => {
      const bench = await setTable(steps, server);
      const { child, ended, saw } = bench.begin(['up']);
      await saw(new RegExp(`^${step} `, 'm'));
      await new Promise((resolve) => setTimeout(resolve, 60));
      child.kill('SIGKILL');
      await ended;
      const again = await bench.migrate(['up']);
      expect(again.stderr).not.toContain('migrate:');
      expect(again.status).toBe(0);
      expect(await bench.rows('select step, count(*)::int from log group by step order by step')).toEqual(
        [1, 2, 4, 5].map((number) => [number, 1]),
      );
      expect(await bench.rows('select version::text, dirty from schema_migrations')).toEqual([['5', false]]);
      // Killed in step 3, outside a transaction: dirty, so the database was recreated and the old one kept.
      if (step === 2) expect(again.stdout).toMatch(/^shop was recreated: 5 migrations applied/);
    },
  );
});

test('Postgres restarted in the middle of a step: the migrator connects again and goes on', async () => {
  const [first] = postgresServers();
  const server = await startServer('postgres 18', first?.programs ?? '');
  onTestFinished(() => server.destroy());
  const bench = await setTable(
    {
      '1_log.up.sql': 'create table log (step int);',
      '2_slow.up.sql': 'insert into log values (2); select pg_sleep(2);',
      '3_step.up.sql': 'insert into log values (3);',
    },
    server,
  );
  const { ended, saw } = bench.begin(['up']);
  await saw(/^1 log/m);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await server.stop('SIGINT');
  await server.start();
  const { status, stdout, stderr } = await ended;
  expect(steady(stderr, bench).replace(/(waiting for Postgres.*\n|warn: Postgres: .*\n)/g, '')).toBe(
    [
      '1 log … ‹n› ms',
      'warn: the connection to Postgres was lost (terminating connection due to administrator command); connecting again',
      '2 slow … ‹n› ms',
      '3 step … ‹n› ms',
      '',
    ].join('\n'),
  );
  expect(steady(stdout, bench)).toBe('shop: 3 migrations applied, from none to 3, ‹n› ms\n');
  expect(status).toBe(0);
  expect(await bench.rows('select step, count(*)::int from log group by step order by step')).toEqual([
    [2, 1],
    [3, 1],
  ]);
});

test('a COMMIT whose answer is lost counts once: the history tells that it landed', async () => {
  const bench = await setTable({
    '1_log.up.sql': 'create table log (step int);',
    '2_step.up.sql': 'insert into log values (2);',
    '3_step.up.sql': 'insert into log values (3);',
  });
  const target = new URL(bench.database.ownerUrl);
  let cuts = 0;
  const proxy = createServer((client) => {
    const server: Socket = connect(Number(target.port), target.hostname);
    let silent = false;
    client.on('data', (chunk) => {
      server.write(chunk);
      if (cuts > 0 || !chunk.includes('insert into log values (2)')) return;
      cuts += 1;
      silent = true;
      setTimeout(() => client.destroy(), 150);
    });
    server.on('data', (chunk) => {
      if (!silent) client.write(chunk);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const address = proxy.address();
  const url = new URL(target);
  url.port = String(typeof address === 'object' ? address?.port : 0);
  const { status, stdout, stderr } = await bench.migrate(['up', '--format', 'json'], {
    DATABASE_CONNECTION_STRING: url.href,
  });
  expect(cuts).toBe(1);
  expect(stderr).toMatch(/^warn: the connection to Postgres was lost \(.*\); connecting again$/m);
  expect(status).toBe(0);
  const { steps: applied } = JSON.parse(stdout) as { steps: { version: number }[] };
  expect(applied.map(({ version }) => version)).toEqual([1, 2, 3]);
  expect(await bench.rows('select step, count(*)::int from log group by step order by step')).toEqual([
    [2, 1],
    [3, 1],
  ]);
});

test('`up 2` stays two steps when the connection is lost between them', async () => {
  const bench = await setTable({
    '1_log.up.sql': 'create table log (step int);',
    '2_slow.up.sql': 'select pg_sleep(1);',
    '3_step.up.sql': 'select 1;',
    '4_step.up.sql': 'select 1;',
  });
  const { ended, saw } = bench.begin(['up', '2']);
  await saw(/^1 log/m);
  await until(async () => {
    const { rowCount } = await once(
      bench.database.superuserUrl,
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'migrate shop' and query like '%pg_sleep(1)%'`,
    );
    return rowCount === 1;
  });
  expect((await ended).stdout).toMatch(/^shop: 2 migrations applied, from none to 2/);
  expect((await bench.migrate(['version'])).stdout).toBe('2\n');
});

test('a step that ends the connection each time is not tried for ever', async () => {
  const bench = await setTable({
    '1_suicide.up.sql': 'select pg_terminate_backend(pg_backend_pid());',
  });
  const { status, stderr } = await bench.migrate(['up']);
  expect(steady(stderr, bench)).toMatch(
    /migrate: the connection to Postgres was lost 3 times while 1_suicide\.up\.sql ran\n {2}terminating connection due to administrator command\n$/,
  );
  expect(status).toBe(3);
});

test('what was told as applied outlasts a crash of a server that commits asynchronously', async () => {
  const [first] = postgresServers();
  const server = await startServer('postgres 18', first?.programs ?? '');
  onTestFinished(() => server.destroy());
  expect((await once(server.superuserUrl, 'show synchronous_commit')).rows).toEqual([
    { synchronous_commit: 'off' },
  ]);
  const bench = await setTable(
    {
      '1_log.up.sql': 'create table log (step int);',
      '2_index.up.sql': 'create index concurrently log_step on log (step);',
      '3_step.up.sql': 'set synchronous_commit = off; insert into log values (3);',
    },
    server,
  );
  const { saw, ended } = bench.begin(['up']);
  await saw(/^3 step/m);
  await server.stop('SIGQUIT');
  await server.start();
  expect((await ended).status).toBe(0);
  expect(await bench.rows('select version::text, dirty from schema_migrations')).toEqual([['3', false]]);
  expect(await bench.rows('select * from log')).toEqual([[3]]);
});

test('steps that the server lost although it had confirmed them run again, and count once', async () => {
  const bench = await setTable({
    '1_log.up.sql': 'create table log (step int);',
    '2_step.up.sql': 'create table two ();',
    '3_slow.up.sql': 'select pg_sleep(1);',
  });
  const { ended, saw } = bench.begin(['up']);
  await saw(/^2 step/m);
  await until(async () => {
    const { rowCount } = await bench.database.query(
      "select from pg_stat_activity where datname = current_database() and state = 'active' and query like '%pg_sleep(1)%' and pid <> pg_backend_pid()",
    );
    return rowCount === 1;
  });
  await bench.database.query(
    `drop table two; update schema_migrations set version = 1; delete from schema_migrations_history where version = 2;
     select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and query like '%pg_sleep(1)%' and pid <> pg_backend_pid()`,
  );
  const { status, stdout, stderr } = await ended;
  expect(stderr).toContain('warn: Postgres lost what it had confirmed: 2; running it again\n');
  expect(steady(stdout, bench)).toBe('shop: 3 migrations applied, from none to 3, ‹n› ms\n');
  expect(status).toBe(0);
});
