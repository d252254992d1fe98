import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { once, postgresServers, startServer } from '../../test/support/postgres.ts';
import { migrateTo } from '../src/index.ts';
import { setTable, steady, type Workbench } from './support.ts';

const table = 'create table log (step int);';
/** Fails with a message of its own, as a statement that a person could write. */
const boom = "do $$ begin raise exception 'boom'; end $$;";
const commits = (value: number) => `do $$ begin insert into log values (${value}); commit; end $$;`;

/** Files that are one transaction. */
const single = [
  "set lock_timeout = '2s'; begin; put(1); commit;",
  'put(1); commit;',
  'put(1); END WORK;',
  'begin; put(1);',
  'begin; begin; put(1); commit; commit;',
  'start transaction read write; savepoint a; put(1); release a; end;',
];

/** Files that end or open transactions, and which of their steps remain. */
const ways: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries(single.map((sql) => [sql, [1]])),
  'begin; put(1); commit; begin; put(2); commit;': [1, 2],
  'put(1); commit; put(2);': [1, 2],
  'begin; put(1); rollback; put(2);': [2],
  'put(1); abort;': [],
  'begin; put(1); commit and chain; put(2); rollback and chain; put(3); commit;': [1, 3],
  'begin; put(1); commit and chain; put(2);': [1, 2],
  'begin; put(1); commit and chain;': [1],
  'begin read only; select 1; commit; put(1);': [1],
  'begin read only; select 1; commit and chain; select 2; commit; put(1);': [1],
  'begin; commit; begin; rollback; put(1);': [1],
  'abort; put(1);': [1],
  [`begin; alter type mood add value 'glad'; commit;
    begin; create table moods (m mood default 'glad'); insert into moods default values; commit; put(1);`]: [
    1,
  ],
};

const latest = { kind: 'latest' } as const;

const recorded = (bench: Workbench) => bench.rows('select version::int, dirty from schema_migrations');
const logged = async (bench: Workbench) =>
  (await bench.rows('select step from log order by step')).map(([step]) => step);

describe.each(postgresServers())('on $name', (server) => {
  test('F4.1 a DO that commits runs alone, up and down, also by the down SQL of the history', async () => {
    const files = {
      '1_log.up.sql': table,
      '2_do.up.sql': commits(1),
      '2_do.down.sql': 'do $$ begin delete from log; commit; end $$;',
    };
    const bench = await setTable(files, server);
    expect((await bench.migrate(['plan'])).stdout).toContain('outside a transaction: DO with COMMIT');
    expect((await bench.migrate(['up'])).status).toBe(0);
    expect(await logged(bench)).toEqual([1]);
    expect(await recorded(bench)).toEqual([[2, false]]);
    await bench.remove('2_do.down.sql');
    const down = await bench.migrate(['down']);
    expect(down.status, down.stderr).toBe(0);
    expect(await logged(bench)).toEqual([]);
    expect(await recorded(bench)).toEqual([[1, false]]);
    const careful = { MIGRATION_ENVIRONMENT: 'staging', MIGRATION_BACKUP: 'none' };
    const again = await bench.migrate(['up', '--yes'], careful);
    expect(again.status, again.stderr).toBe(0);
    expect(await logged(bench)).toEqual([1]);
  });

  test('F4.1 a DO that fails behind its COMMIT leaves the database dirty and says what remains', async () => {
    const bench = await setTable(
      {
        '1_log.up.sql': table,
        '2_do.up.sql': `do $$ begin insert into log values (1); commit; perform absent(); end $$;`,
      },
      server,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect(status).toBe(1);
    expect(stderr).toContain('2_do.up.sql failed half-way: none of 1 landed; the database is dirty at 2\n');
    expect(stderr).toContain('  what it had committed by itself remains\n');
    expect(await recorded(bench)).toEqual([[2, true]]);
    expect(await logged(bench)).toEqual([1]);
  });

  test('F4.2 a CALL of a procedure that commits names the marker, with which it runs', async () => {
    const files = {
      '1_log.up.sql': `${table} create procedure p() language plpgsql as $$ begin insert into log values (1); commit; end $$;`,
      '2_call.up.sql': 'call p();\n',
    };
    const bench = await setTable(files, server);
    const { status, stderr } = await bench.migrate(['up']);
    expect(status).toBe(1);
    expect(steady(stderr, bench)).toContain('migrate: shop 2_call.up.sql failed and was rolled back\n');
    expect(stderr).toContain('(2D000)');
    expect(stderr).toContain(
      '\n  try: the comment -- lockstep: no-transaction in 2_call.up.sql (runs it outside one)\n',
    );
    expect(await recorded(bench)).toEqual([[1, false]]);
    await bench.write({ '2_call.up.sql': '-- lockstep: no-transaction\ncall p();\n' });
    expect((await bench.migrate(['plan'])).stdout).toContain('outside a transaction: as the file asks');
    const again = await bench.migrate(['up']);
    expect(again.status, again.stderr).toBe(0);
    expect(await logged(bench)).toEqual([1]);
    // The marker is a comment: with it or without it, the applied file is the same.
    await bench.write({ '2_call.up.sql': 'call p();\n' });
    expect((await bench.migrate(['up'])).stdout).toContain('nothing to do');
  });

  test.each([
    ['reindex table parted'],
    ['reindex (verbose) index parted_id'],
    ['REINDEX TABLE public."parted"'],
    ...(server.major < 18 ? [] : [['cluster verbose parted using parted_id']]),
  ])('F4.3 %s, of a partitioned table, runs alone', async (sql) => {
    const bench = await setTable(
      {
        '1_parted.up.sql': `create table parted (id int) partition by range (id); create index parted_id on parted (id);
          create table parted_1 partition of parted for values from (0) to (9);
          create table plain (id int); create index plain_id on plain (id);`,
        '2_all.up.sql': `${sql};`,
        '3_plain.up.sql':
          'reindex table plain; reindex index plain_id; cluster plain using plain_id; reindex table parted_1;',
      },
      server,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect(stderr).not.toContain('migrate:');
    expect(status).toBe(0);
    expect(await recorded(bench)).toEqual([[3, false]]);
    const rehearsed = await bench.migrate(['rehearse', '--all']);
    expect(rehearsed.status, rehearsed.stderr).toBe(0);
  });

  test('F4.3 one that the same file makes fails clean, and the marker is named', async () => {
    const sql = 'create table p (id int) partition by range (id);\nreindex table p;\n';
    const bench = await setTable({ '1_p.up.sql': sql }, server);
    const { stderr } = await bench.migrate(['up']);
    expect(stderr).toContain('failed and was rolled back');
    expect(stderr).toContain('try: the comment -- lockstep: no-transaction in 1_p.up.sql');
    await bench.write({ '1_p.up.sql': `-- lockstep: no-transaction\n${sql}` });
    const again = await bench.migrate(['up']);
    expect(again.status, again.stderr).toBe(0);
  });

  test('F4.4 a marked file is dirty while it runs, and a failure says what landed', async () => {
    const bench = await setTable(
      {
        '1_log.up.sql': table,
        '2_some.up.sql': `-- lockstep: no-transaction\ninsert into log values (1);\ninsert into log values (2);\n${boom}`,
        '3_after.up.sql': 'select 1;',
      },
      server,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect(status).toBe(1);
    expect(steady(stderr, bench)).toBe(
      [
        '1 log … ‹n› ms',
        'migrate: shop 2_some.up.sql failed half-way: statements 1–2 of 3 landed; the database is dirty at 2',
        '  ‹folder›/2_some.up.sql:4:1  boom (P0001)',
        `    4 | ${boom}`,
        '      | ^',
        '  CONTEXT: PL/pgSQL function inline_code_block line 1 at RAISE',
        '  what it had committed by itself remains',
        '  applied before it: 1   not run: 3',
        '  try: correct the file, then make db-migrate-up SERVICE=shop (builds a new database, keeps this one)',
        '',
      ].join('\n'),
    );
    expect(await logged(bench)).toEqual([1, 2]);
    expect(await recorded(bench)).toEqual([[2, true]]);
  });

  test('F4.4 an ordinary statement that fails first in a marked file leaves the database clean', async () => {
    const bench = await setTable(
      {
        '1_log.up.sql': table,
        '2_one.up.sql': '-- lockstep: no-transaction\ninsert into log values (1 / 0);',
      },
      server,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect(status).toBe(1);
    expect(stderr).toContain('2_one.up.sql failed before it changed anything\n');
    expect(await recorded(bench)).toEqual([[1, false]]);
  });

  test('F5.1 F5.2 F5.4 F5 every way to write transactions leaves what one simple query leaves', async () => {
    const written = Object.entries(ways).map(([sql], index) => [
      `${index + 2}_way.up.sql`,
      sql.replace(/put\((\d)\)/g, `insert into log values (${index + 2}, $1)`),
    ]);
    const groundwork = "create table log (way int, step int); create type mood as enum ('sad');";
    const bench = await setTable({ '1_log.up.sql': groundwork, ...Object.fromEntries(written) }, server);
    const { status, stderr } = await bench.migrate(['up']);
    expect(stderr).not.toMatch(/migrate:|warn:/);
    expect(status).toBe(0);
    const rows = await bench.rows(
      'select way, array_agg(step order by step) from log group by way order by way',
    );
    const left = Object.values(ways).map((steps, index) => [index + 2, [...steps]]);
    expect(rows).toEqual(left.filter(([, steps]) => Array.isArray(steps) && steps.length > 0));
    expect(await recorded(bench)).toEqual([[Object.keys(ways).length + 1, false]]);
    const rehearsed = await bench.migrate(['rehearse', '--all']);
    expect(rehearsed.status, rehearsed.stderr).toBe(0);
  });

  test('F5.1 F5.4 of one transaction nothing remains when it fails', async () => {
    const bench = await setTable({ '1_log.up.sql': table }, server);
    await migrateTo(bench.settings(), latest);
    for (const sql of single) {
      await bench.write({
        '2_fails.up.sql': sql.replace('put(1)', 'insert into log values (1); select 1 / 0'),
      });
      const failure = await migrateTo(bench.settings(), latest).catch((error: Error) => error.message);
      expect(failure, sql).toBe('shop 2_fails.up.sql failed and was rolled back');
      expect(await recorded(bench), sql).toEqual([[1, false]]);
      expect(await logged(bench), sql).toEqual([]);
    }
  });

  test('F5.3 the isolation level of a file holds in it, and for nothing after it', async () => {
    const seen = "insert into seen values (current_setting('transaction_isolation'));";
    const bench = await setTable(
      {
        '1_seen.up.sql': 'create table seen (level text);',
        '2_level.up.sql': `set lock_timeout = '2s'; begin isolation level serializable; ${seen} commit;`,
        '3_two.up.sql': `begin isolation level repeatable read; ${seen} commit and chain; ${seen} commit; ${seen}`,
        '4_after.up.sql': seen,
      },
      server,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect(stderr).not.toMatch(/migrate:|warn:/);
    expect(status).toBe(0);
    const levels = await bench.rows('select level from seen order by ctid');
    expect(levels.flat()).toEqual([
      'serializable',
      'repeatable read',
      'repeatable read',
      'read committed',
      'read committed',
    ]);
    const rehearsed = await bench.migrate(['rehearse', '--all']);
    expect(rehearsed.status, rehearsed.stderr).toBe(0);
    // Without a transaction of several, nothing of a failure remains.
    await bench.write({
      '5_fails.up.sql': `begin isolation level serializable; ${seen} select 1 / 0; commit;`,
    });
    expect((await bench.migrate(['up'])).stderr).toContain('5_fails.up.sql failed and was rolled back\n');
    expect(await recorded(bench)).toEqual([[4, false]]);
  });

  test('F5.2 a failure in the second transaction says what landed; in the first, nothing remains', async () => {
    const sql = `begin;\ninsert into log values (1);\ncommit;\nbegin;\ninsert into log values (2);\n${boom}\ncommit;\n`;
    const bench = await setTable({ '1_log.up.sql': table, '2_two.up.sql': sql }, server);
    const { stderr } = await bench.migrate(['up']);
    expect(stderr).toContain(
      '2_two.up.sql failed half-way: statements 1–3 of 7 landed; the database is dirty at 2\n',
    );
    expect(await recorded(bench)).toEqual([[2, true]]);
    expect(await logged(bench)).toEqual([1]);
    const again = await bench.migrate(['up'], { MIGRATION_ENVIRONMENT: '' });
    expect(again.status).toBe(5);
    expect(again.stderr).toContain(
      '  dirty: 2 (up) began and did not finish; statements 1–3 landed, the next may have\n',
    );
    const first = sql.replace('insert into log values (1);', `insert into log values (1); ${boom}`);
    await bench.write({ '2_two.up.sql': first });
    const clean = await bench.migrate(['up']);
    expect(clean.stderr).toContain('2_two.up.sql failed before it changed anything\n');
  });

  test('F5 what only a COMMIT refuses is shown at the COMMIT', async () => {
    const bench = await setTable(
      {
        '1_t.up.sql': `${table} create table a (id int primary key);
          create table b (a int references a deferrable initially deferred);`,
        '2_two.up.sql':
          'insert into log values (1);\ncommit;\ninsert into b values (1);\ncommit;\nselect 1;\n',
      },
      server,
    );
    const { stderr } = await bench.migrate(['up']);
    expect(stderr).toContain('failed half-way: statements 1–2 of 5 landed; the database is dirty at 2\n');
    expect(stderr).toMatch(/2_two\.up\.sql:4:1 {2}insert or update on table "b" violates/);
    expect(await logged(bench)).toEqual([1]);
  });

  test('F5 the lock that a file lets go of is taken again with each of its transactions', async () => {
    const bench = await setTable(
      {
        '1_log.up.sql': table,
        '2_two.up.sql': `begin; select pg_advisory_unlock_all(); commit; begin; insert into log select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid(); commit;`,
      },
      server,
    );
    const { status, stderr } = await bench.migrate(['up']);
    expect(status, stderr).toBe(0);
    expect(await logged(bench)).toEqual([1]);
  });

  test('F5 a failure of COMMIT AND CHAIN leaves no transaction open', async () => {
    const bench = await setTable(
      {
        '1_log.up.sql': table,
        '2_chain.up.sql':
          'begin; insert into log values (1); select 1 / 0; commit and chain; insert into log values (2); commit;',
      },
      server,
    );
    const { stderr } = await bench.migrate(['up']);
    expect(stderr).toContain('2_chain.up.sql failed before it changed anything\n');
    expect(stderr).not.toContain('warn:');
    expect(await recorded(bench)).toEqual([[1, false]]);
    expect(await logged(bench)).toEqual([]);
  });

  test('F4 F5 scripts in the order of their names run in the same ways', async () => {
    const bench = await setTable(
      {
        'a.sql': table,
        'b.sql': 'begin; insert into log values (1); commit; begin; insert into log values (2); commit;',
        'c.sql': commits(3),
        'd.sql': '-- lockstep: no-transaction\nvacuum log; insert into log values (4);',
        'e.sql': 'insert into log values (5); commit;',
      },
      server,
    );
    const { status, stderr } = await bench.migrate(['up', '--layout', 'alphabetical']);
    expect(status, stderr).toBe(0);
    expect(await logged(bench)).toEqual([1, 2, 3, 4, 5]);
    expect(await bench.value('select count(*)::int from schema_migrations')).toBe(5);
  });

  test('F5.2 whoever waits for a table too long gives way between the transactions of a file, and tries again', async () => {
    const sql = 'begin; insert into log values (1); commit; begin; alter table log add more int; commit;';
    const bench = await setTable({ '1_log.up.sql': table, '2_two.up.sql': sql }, server);
    expect((await bench.migrate(['up', '1'])).status).toBe(0);
    const other = new Client({ connectionString: bench.database.superuserUrl });
    await other.connect();
    await other.query('begin; select from log');
    const { ended, saw } = bench.begin(['up', '--lock-timeout', '200ms', '--approach', 'careful', '--yes'], {
      MIGRATION_ENVIRONMENT: 'staging',
      MIGRATION_BACKUP: 'none',
      MIGRATION_VALIDATION: 'minimal',
    });
    await saw(/canceling statement due to lock timeout \(55P03\); trying again/);
    await other.end();
    const { status, stderr } = await ended;
    expect(status, stderr).toBe(0);
    expect(await logged(bench)).toEqual([1]);
  });
});

test('F5 a transaction that a file prepares is committed by the next file', async () => {
  const [first] = postgresServers();
  const server = await startServer('postgres 18', first?.programs ?? '');
  onTestFinished(() => server.destroy());
  await once(server.superuserUrl, 'alter system set max_prepared_transactions = 4');
  await server.stop();
  await server.start();
  const bench = await setTable(
    {
      '1_log.up.sql': table,
      '2_prepare.up.sql': "begin; insert into log values (1); prepare transaction 'one';",
      '3_commit.up.sql': "commit prepared 'one';",
    },
    server,
  );
  const { status, stderr } = await bench.migrate(['up']);
  expect(status, stderr).toBe(0);
  expect(await logged(bench)).toEqual([1]);
  expect(await recorded(bench)).toEqual([[3, false]]);
});
