import { execFileSync } from 'node:child_process';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { postgresServers, startServer } from '../../test/support/postgres.ts';
import { setTable, steady, until } from './support.ts';

const slow = { '1_table.up.sql': 'create table t (id int);', '2_slow.up.sql': 'select pg_sleep(60);' };

test.each([
  ['at the deadline', ['recreate', '--timeout', '2s'], undefined, 8],
  ['when interrupted', ['recreate'], 'SIGTERM', 143],
] as const)(
  'a server that freezes while the new database is built is given up %s',
  async (_when, args, signal, wanted) => {
    const [first] = postgresServers();
    const server = await startServer('postgres 18', first?.programs ?? '');
    onTestFinished(() => server.destroy());
    const bench = await setTable(slow, server);
    await bench.migrate(['up', '1']);
    const { child, ended, saw } = bench.begin(args);
    await saw(/^1 table/m);
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(server.pid)], { encoding: 'utf8' });
    const frozen = [server.pid, ...children.trim().split(/\s+/).map(Number)];
    for (const pid of frozen) process.kill(pid, 'SIGSTOP');
    const startedAt = performance.now();
    if (signal !== undefined) child.kill(signal);
    const { status } = await ended;
    const took = performance.now() - startedAt;
    for (const pid of frozen) process.kill(pid, 'SIGCONT');
    expect(status).toBe(wanted);
    expect(took).toBeLessThan(5000);
  },
);

describe.each(postgresServers())('on $name', (server) => {
  test('a migrator that is frozen itself loses the lock when its time is over', async () => {
    const bench = await setTable({ ...slow, '2_slow.up.sql': 'select pg_sleep(1);' }, server);
    const { child, ended, saw } = bench.begin(['up', '--timeout', '2s']);
    await saw(/^1 table/m);
    child.kill('SIGSTOP');
    onTestFinished(() => void child.kill('SIGKILL'));
    await until(async () => {
      const sql =
        "select count(*)::int as n from pg_locks l join pg_database d on d.oid = l.database where d.datname = current_database() and l.locktype = 'advisory'";
      return (await bench.database.query(sql)).rows[0].n === 0;
    });
    await bench.write({ '2_slow.up.sql': 'select 1;' });
    expect((await bench.migrate(['version'])).stdout).toMatch(/^[12]\n$/);
    child.kill('SIGCONT');
    expect([0, 3, 8]).toContain((await ended).status);
  });

  test('who has locked the history is named, and no server is blamed', async () => {
    const bench = await setTable({ '1_table.up.sql': 'create table t (id int);' }, server);
    await bench.migrate(['up']);
    await bench.write({ '2_more.up.sql': 'select 1;' });
    const holder = new Client({ connectionString: bench.database.ownerUrl, application_name: 'psql' });
    await holder.connect();
    await holder.query('begin; lock table schema_migrations');
    const held = 'pid ‹n›, user shopdb_migrator, application "psql", since ‹time›, idle in transaction';
    for (const command of ['up', 'status', 'undo']) {
      const { status, stderr } = await bench.migrate([command, '--timeout', '1500ms']);
      expect(steady(stderr, bench)).toBe(
        [
          `waiting for a lock on schema_migrations, held by ${held}`,
          'migrate: the history of shopdb could not be read within 1.5 s',
          `  schema_migrations is locked by ${held}`,
          '  time: database ‹n› ms',
          '',
        ].join('\n'),
      );
      expect(status).toBe(3);
    }
    await holder.end();
  });
});

test('a flood of warnings is written to its end before the program ends', async () => {
  const bench = await setTable({
    '1_flood.up.sql': "do $$ begin for i in 1..50000 loop raise warning 'number %', i; end loop; end $$;",
  });
  const { stderr, status } = await bench.migrate(['up']);
  expect(steady(stderr.slice(-60), bench)).toMatch(/warn: Postgres: number 50000\n1 flood … ‹n› ms\n$/);
  expect(status).toBe(0);
});

test('nothing that commands a terminal gets from Postgres to stderr', async () => {
  const bench = await setTable({
    '1_escape.up.sql':
      "do $$ begin raise warning E'a\\x1b[2Jb\\nc\\u009b'; end $$; do $$ begin raise exception E'x\\x1b[2Jy\\x07'; end $$;",
  });
  const { stderr } = await bench.migrate(['up']);
  expect(stderr).toContain('warn: Postgres: a·[2Jb\nc·\n');
  expect(stderr.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});
