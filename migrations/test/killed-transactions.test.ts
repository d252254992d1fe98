import { describe, expect, test } from 'vitest';
import { postgresServers } from '../../test/support/postgres.ts';
import { setTable, until, type Workbench } from './support.ts';

const log = { '1_log.up.sql': 'create table log (step int);' };
/** A step of the log in a transaction that takes a while; what runs is seen in pg_stat_activity. */
const part = (step: number) => `insert into log values (${step}); select pg_sleep(0.4 + 0 * ${step});`;
const three = [1, 2, 3];

const logged = async (bench: Workbench) =>
  (await bench.rows('select step from log order by step')).map(([step]) => step);

/** Kills an `up` with SIGKILL while the server runs the given part, and waits for the server to notice. */
async function killIn(bench: Workbench, step: number, environment?: NodeJS.ProcessEnv): Promise<void> {
  const { child, ended } = bench.begin(['up'], environment);
  const there = `select from pg_stat_activity where datname = '${bench.database.name}' and state = 'active'
    and query like '%pg_sleep(0.4 + 0 * ${step})%' and pid <> pg_backend_pid()`;
  await until(async () => (await bench.rows(there)).length > 0);
  child.kill('SIGKILL');
  await ended;
  const others = `select from pg_stat_activity where datname = '${bench.database.name}' and pid <> pg_backend_pid()`;
  await until(async () => (await bench.rows(others)).length === 0);
}

/** Development takes the dirty database for a new one; afterwards each step is there once. */
async function heals(bench: Workbench, recreated: boolean): Promise<void> {
  const { status, stdout, stderr } = await bench.migrate(['up']);
  expect(status, stderr).toBe(0);
  expect(stdout.startsWith('shop was recreated')).toBe(recreated);
  expect(await logged(bench)).toEqual(three);
  expect(await bench.rows('select version::int, dirty from schema_migrations')).toEqual([[2, false]]);
}

describe.each(postgresServers())('on $name', (server) => {
  test.each(three)(
    'F5.2 killed in transaction %i of a file, the history counts what landed',
    async (step) => {
      const sql = three.map((each) => `begin; ${part(each)} commit;`).join('\n');
      const bench = await setTable({ ...log, '2_three.up.sql': sql }, server);
      await killIn(bench, step);
      expect(await bench.rows('select version::int, dirty from schema_migrations')).toEqual([[2, true]]);
      const landed = three.filter((each) => each < step);
      expect(await logged(bench)).toEqual(landed);
      expect(
        await bench.value('select statements_applied from schema_migrations_history where version = 2'),
      ).toBe(4 * landed.length);
      const { status, stderr } = await bench.migrate(['up'], { MIGRATION_ENVIRONMENT: '' });
      expect(status).toBe(5);
      expect(stderr).toContain('2 (up) began and did not finish');
      await heals(bench, true);
    },
  );

  test.each([
    ['F5.1', `set lock_timeout = '2s'; begin; ${three.map(part).join(' ')} commit; reset lock_timeout;`],
    ['F5.3', `begin isolation level serializable; ${three.map(part).join(' ')} commit;`],
    ['F5.4', `${three.map(part).join(' ')} commit;`],
  ])('%s killed in a file that is one transaction, nothing of it is there: %s', async (_, sql) => {
    const bench = await setTable({ ...log, '2_one.up.sql': sql }, server);
    await killIn(bench, 2);
    expect(await bench.rows('select version::int, dirty from schema_migrations')).toEqual([[1, false]]);
    expect(await logged(bench)).toEqual([]);
    await heals(bench, false);
  });

  test('F5 killed behind a transaction that the file rolled back, it counts and is not there', async () => {
    const sql = `begin; insert into log values (9); rollback; begin; ${three.map(part).join(' ')} commit;`;
    const bench = await setTable({ ...log, '2_back.up.sql': sql }, server);
    await killIn(bench, 1);
    expect(await bench.rows('select version::int, dirty from schema_migrations')).toEqual([[2, true]]);
    expect(await logged(bench)).toEqual([]);
    await heals(bench, true);
  });

  test('F5 killed between chained transactions, the first one landed', async () => {
    const sql = `begin; ${part(1)} commit and chain; ${part(2)} ${part(3)} commit;`;
    const bench = await setTable({ ...log, '2_chain.up.sql': sql }, server);
    await killIn(bench, 2);
    expect(await logged(bench)).toEqual([1]);
    expect(
      await bench.value('select statements_applied from schema_migrations_history where version = 2'),
    ).toBe(4);
    await heals(bench, true);
  });

  test('F4.1 killed in a DO that commits, the database is dirty and says that more may have landed', async () => {
    const body = three.map((each) => `${part(each).replace('select', 'perform')} commit;`).join(' ');
    const bench = await setTable({ ...log, '2_do.up.sql': `do $$ begin ${body} end $$;` }, server);
    const { child, ended } = bench.begin(['up']);
    await until(async () => (await logged(bench).catch(() => [])).length === 1);
    child.kill('SIGKILL');
    await ended;
    const { status, stderr } = await bench.migrate(['up'], { MIGRATION_ENVIRONMENT: '' });
    expect(status, stderr).toBe(5);
    expect(stderr).toContain('2 (up) began and did not finish; no statement landed, the next may have');
    await heals(bench, true);
  });

  test.each([2, 3])(
    'F4.4 killed in statement %i of a marked file, those before it are counted',
    async (step) => {
      const sql = `-- lockstep: no-transaction\n${three.map(part).join('\n')}`;
      const bench = await setTable({ ...log, '2_marked.up.sql': sql }, server);
      await killIn(bench, step);
      // Its INSERT stands alone before the pg_sleep that was running.
      expect(await logged(bench)).toEqual(three.filter((each) => each <= step));
      expect(
        await bench.value('select statements_applied from schema_migrations_history where version = 2'),
      ).toBe(2 * step - 1);
      await heals(bench, true);
    },
  );
});

test('F5.2 killed at any moment, rows and records of a file of several transactions agree', async () => {
  const sql = Array.from(
    { length: 40 },
    (_, step) => `begin; insert into log values (${step}); commit;`,
  ).join('\n');
  for (let round = 0; round < 8; round++) {
    const bench = await setTable({ ...log, '2_many.up.sql': sql });
    const { child, ended } = bench.begin(['up']);
    const seen = 5 * round;
    await until(async () => (await logged(bench).catch(() => [])).length > seen || child.exitCode !== null);
    child.kill('SIGKILL');
    await ended;
    const others = `select from pg_stat_activity where datname = '${bench.database.name}' and pid <> pg_backend_pid()`;
    await until(async () => (await bench.rows(others)).length === 0);
    const [[version, dirty] = []] = await bench.rows('select version::int, dirty from schema_migrations');
    const applied = await bench.value(
      'select statements_applied from schema_migrations_history where version = 2',
    );
    const rows = (await logged(bench)).length;
    expect(version).toBe(2);
    expect(rows).toBe(dirty === true ? Number(applied) / 3 : 40);
  }
});
