import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { postgresServers } from '../../test/support/postgres.ts';
import { lockKey, migrateTo } from '../src/index.ts';
import { setTable, steady, until } from './support.ts';

const many = Object.fromEntries(
  Array.from({ length: 12 }, (_, index) => [
    `${index + 1}_step.up.sql`,
    index % 4 === 3
      ? `create index concurrently log_${index} on log (step);`
      : `${index === 0 ? 'create table log (step int);' : ''} insert into log values (${index + 1});`,
  ]),
);

describe.each(postgresServers())('on $name', (server) => {
  test('of twenty racing migrators each step is applied by one, once, concurrent indexes included', async () => {
    const bench = await setTable(many, server);
    const settings = bench.settings();
    const results = await Promise.all(
      Array.from({ length: 20 }, () => migrateTo(settings, { kind: 'latest' })),
    );
    const versions = results.flatMap(({ steps }) => steps.map(({ version }) => version));
    expect(versions.sort((a, b) => Number(a - b))).toEqual(
      Array.from({ length: 12 }, (_, index) => BigInt(index + 1)),
    );
    expect(await bench.rows('select step, count(*)::int from log group by 1 having count(*) > 1')).toEqual(
      [],
    );
    expect(await bench.value('select count(*)::int from log')).toBe(9);
    expect(await bench.rows('select version::text, dirty from schema_migrations')).toEqual([['12', false]]);
  });

  test('a lock that is not free in time names its holder', async () => {
    const bench = await setTable(many, server);
    const { name, owner, ownerUrl } = bench.database;
    const holder = new Client({ connectionString: ownerUrl, application_name: 'golang-migrate' });
    await holder.connect();
    await holder.query('select pg_advisory_lock($1)', [
      lockKey(name, 'public', 'schema_migrations').toString(),
    ]);
    const { status, stdout, stderr } = await bench.migrate(['up', '--timeout', '1500ms']);
    await holder.end();
    const held = `pid ‹n›, user ${owner.replace(name, 'shopdb')}, application "golang-migrate", since ‹time›, idle`;
    expect(steady(stderr, bench)).toBe(
      [
        `waiting for the migration lock, held by ${held}`,
        'migrate: the lock on shopdb was not free after 1.5 s',
        `  holder: ${held}`,
        '  time: database ‹n› ms, lock ‹n› ms',
        '  try: make db-migrate-status SERVICE=shop',
        '',
      ].join('\n'),
    );
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
    expect((await bench.migrate(['up'])).status).toBe(0);
  });
});

test('six racing processes apply each step once and all end well', async () => {
  const bench = await setTable(many);
  const ended = await Promise.all(Array.from({ length: 6 }, () => bench.migrate(['up', '--format', 'json'])));
  expect(ended.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0, 0]);
  const documents = ended.map(({ stdout }) => JSON.parse(stdout) as { outcome: string; steps: unknown[] });
  expect(documents.reduce((sum, { steps }) => sum + steps.length, 0)).toBe(12);
  expect(await bench.value('select count(*)::int from log')).toBe(9);
});

test('a finished database needs no lock', async () => {
  const bench = await setTable(many);
  await bench.migrate(['up']);
  const { name, ownerUrl } = bench.database;
  const holder = new Client({ connectionString: ownerUrl });
  await holder.connect();
  await holder.query('select pg_advisory_lock($1)', [
    lockKey(name, 'public', 'schema_migrations').toString(),
  ]);
  expect((await bench.migrate(['up', '--timeout', '2s'])).stdout).toBe('shop is at 12, nothing to do\n');
  await holder.end();
});

test('a migration that lets go of every lock does not let go of the migration lock', async () => {
  const bench = await setTable({
    '1_careless.up.sql': 'create table log (step int); select pg_advisory_unlock_all();',
    '2_slow.up.sql': 'select pg_sleep(1);',
  });
  const { ended, saw } = bench.begin(['up']);
  await saw(/^1 careless/m);
  const { status, stderr } = await bench.migrate(['up', '--timeout', '500ms']);
  expect(stderr).toMatch(/^migrate: the lock on .* was not free after 500 ms$/m);
  expect(status).toBe(4);
  expect((await ended).stderr).not.toContain('warn:');
});

test.each([
  ['in a transaction', '', 'none\n'],
  ['outside a transaction', 'create table v (); vacuum v;', '1 (dirty; a migrator is at work: '],
])('a step %s that let go of the lock is not recorded when another took it', async (_where, more, left) => {
  const bench = await setTable({
    '1_careless.up.sql': `${more} select pg_advisory_unlock_all(); select pg_sleep(1);`,
  });
  const other = new Client({ connectionString: bench.database.ownerUrl });
  await other.connect();
  const { ended } = bench.begin(['up']);
  const key = lockKey(bench.database.name, 'public', 'schema_migrations');
  await until(async () => {
    const sleeping = await bench.value(
      "select count(*)::int from pg_stat_activity where query like '%pg_sleep(1)%' and state = 'active' and pid <> pg_backend_pid() and datname = current_database()",
    );
    if (sleeping === 0) return false;
    return (await other.query(`select pg_try_advisory_lock(${key}) as taken`)).rows[0].taken;
  });
  const { status, stderr } = await ended;
  expect(steady(stderr, bench)).toBe(
    [
      'migrate: the migration let go of the migration lock, and another migrator took it',
      '  pg_advisory_unlock_all() and its like let go of all locks of a session',
      '  ‹folder›/1_careless.up.sql',
      '',
    ].join('\n'),
  );
  expect(status).toBe(4);
  expect((await bench.migrate(['version'])).stdout.startsWith(left)).toBe(true);
  await other.end();
});
