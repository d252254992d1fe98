import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { type Files, setTable, steady, until, type Workbench } from './support.ts';

/** So many migrations that each makes a table and an index. */
function tables(count: number): Files {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return Object.fromEntries(
    numbers.map((number) => [
      `${String(number).padStart(3, '0')}_t${number}.up.sql`,
      `create table t${number} (id int primary key);\ncreate index on t${number} (id desc);\n`,
    ]),
  );
}

/** How many transactions recorded the history. */
const transactions = (bench: Workbench) =>
  bench.value('select count(distinct xmin::text)::int from schema_migrations_history');
const versions = (bench: Workbench) =>
  bench.rows('select version::int from schema_migrations_history order by 1').then((rows) => rows.flat());

describe.each(postgresServers())('on $name', (server) => {
  test('in development neighbours share transactions, and each is recorded and told of as if alone', async () => {
    const bench = await setTable(tables(120), server);
    const { status, stdout, stderr } = await bench.migrate(['up']);
    expect(steady(stdout, bench)).toBe('shop: 120 migrations applied, from none to 120, ‹n› ms\n');
    expect(status).toBe(0);
    expect(stderr.match(/^\d{3} t\d+ … \d+ ms$/gm)).toHaveLength(120);
    expect(await transactions(bench)).toBeLessThan(60);
    expect(
      await bench.rows(
        `select count(*)::int as rows, count(checksum)::int as sums, bool_and(duration between 0 and 30000) as timed,
           bool_and(applied_at <= now()) as past, bool_and(applied_at >= previous) as ordered
         from (select *, lag(applied_at, 1, applied_at) over (order by version) as previous from schema_migrations_history) h`,
      ),
    ).toEqual([[120, 120, true, true, true]]);
    expect(await bench.rows('select version::int, dirty from schema_migrations')).toEqual([[120, false]]);
  });

  test.each([
    ['another environment', { MIGRATION_ENVIRONMENT: 'staging', MIGRATION_APPROACH: 'aggressive' }, ['up']],
    ['none', { MIGRATION_ENVIRONMENT: '' }, ['up']],
    ['a number of steps', {}, ['up', '9']],
  ])('with %s each has its own', async (_what, environment, args) => {
    const bench = await setTable(tables(5), server);
    expect((await bench.migrate(args, environment)).status).toBe(0);
    expect(await transactions(bench)).toBe(5);
  });

  test('one that fails among many is named with its line and caret, and those before it have landed', async () => {
    const broken = { '060_t60.up.sql': 'create table t60 (id int);\ncreate index on t60 (nothing);\n' };
    const alike: string[] = [];
    for (const args of [['up'], ['up', '500']]) {
      const bench = await setTable({ ...tables(70), ...broken }, server);
      const { status, stderr } = await bench.migrate(args);
      expect(status).toBe(1);
      expect(await versions(bench)).toEqual(Array.from({ length: 59 }, (_, index) => index + 1));
      expect(await bench.value(`select to_regclass('t60') is null`)).toBe(true);
      alike.push(steady(stderr, bench));
    }
    expect(alike[0]).toContain('060_t60.up.sql:2:22  column "nothing" does not exist');
    expect(alike[0]).toBe(alike[1]);
  });

  test('what minds the company of others runs alone', async () => {
    const bench = await setTable(
      {
        '1_kinds.up.sql': "create type kind as enum ('a');\ncreate table k (kind kind, other int);\n",
        '2_more.up.sql': "alter type kind add value 'b';\n",
        '3_use.up.sql': "insert into k values ('b', 1);\n",
        '4_parent.up.sql': 'create table p (id int primary key);\n',
        '5_child.up.sql': `create table c (p int references p deferrable initially deferred);\ninsert into p values (1);\n`,
        // Its check waits for the commit, and until then the table may not be altered.
        '6_row.up.sql': 'insert into c values (1);\n',
        '7_alter.up.sql': 'alter table c add column more int;\n',
        '8_settings.up.sql': `insert into k values ('a', length(set_config('search_path', 'pg_catalog', false)));\n`,
        '9_public.up.sql': 'create table here (id int);\ncreate temp table gone (id int);\n',
        '10_again.up.sql': 'create temp table gone (id int);\ncomment on table here is $$in public$$;\n',
      },
      server,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect(stderr).not.toContain('failed');
    expect(status).toBe(0);
    expect(await versions(bench)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await bench.value(`select obj_description('public.here'::regclass)`)).toBe('in public');
  });

  test('a constraint that only the commit checks is blamed on its own migration', async () => {
    const bench = await setTable(
      {
        ...tables(3),
        '4_pair.up.sql':
          'create table p (id int primary key);\ncreate table c (p int references p deferrable initially deferred);\n',
        '5_orphan.up.sql': 'insert into c values (7);\n',
        '6_after.up.sql': 'create table after (id int);\n',
      },
      server,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect(status).toBe(1);
    expect(stderr).toContain('shop 5_orphan.up.sql failed and was rolled back');
    expect(stderr).toMatch(/applied before it: .*4 {3}not run: 6/);
    expect(await versions(bench)).toEqual([1, 2, 3, 4]);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)(
    '%s in the middle of a group leaves nothing of it, and the next run goes on',
    async (signal) => {
      const bench = await setTable({ ...tables(3), ...blocked }, server);
      expect((await bench.migrate(['up', '1'])).status).toBe(0);
      const blocker = new Client({ connectionString: bench.database.superuserUrl });
      await blocker.connect();
      await blocker.query('begin; lock table t1');
      const { child, ended, saw } = bench.begin(['up']);
      await saw(/waiting for a lock on t1/);
      child.kill(signal);
      const { status, stderr } = await ended;
      if (signal === 'SIGINT') {
        expect(status).toBe(130);
        expect(stderr).toContain('while shop 004_alter.up.sql ran; it was rolled back and the lock released');
        expect(stderr).toContain('not run: 002, 003');
      }
      await blocker.query('rollback');
      await blocker.end();
      await until(
        async () =>
          (await bench.value(
            `select count(*)::int from pg_locks l join pg_database d on d.oid = l.database
             where l.locktype = 'advisory' and d.datname = current_database()`,
          )) === 0,
      );
      const left = await versions(bench);
      expect([[1], [1, 2, 3, 4]]).toContainEqual(left);
      expect((await bench.migrate(['up'])).status).toBe(0);
      expect(await versions(bench)).toEqual([1, 2, 3, 4]);
    },
  );

  test('a migration that lets go of the lock is no way around it', async () => {
    const bench = await setTable(
      {
        ...tables(2),
        '3_loose.up.sql': 'create table x (n bigint default pg_advisory_unlock_all_and_1());\n',
      },
      server,
    );
    await once(
      bench.database.ownerUrl,
      `create function pg_advisory_unlock_all_and_1() returns bigint language sql as 'select pg_advisory_unlock_all(); select 1::bigint'`,
    );
    await bench.write({
      '3_loose.up.sql':
        'create table x (n bigint default pg_advisory_unlock_all_and_1());\ninsert into x values (default);\n',
    });
    expect((await bench.migrate(['up'])).status).toBe(0);
    expect(await versions(bench)).toEqual([1, 2, 3]);
  });
});

const blocked: Files = { '004_alter.up.sql': 'alter table t1 add column more int;\n' };
