import { execFileSync } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { postgresServers, startServer } from '../../test/support/postgres.ts';
import { setTable, steady, until } from './support.ts';

const slow = { '1_table.up.sql': 'create table t (id int);', '2_slow.up.sql': 'select pg_sleep(60);' };

test.each([
  ['at the deadline', ['recreate', '--timeout', '4s'], undefined, 8],
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
    for (const pid of frozen) freeze(pid);
    // A server that stays frozen could not be destroyed.
    onTestFinished(() => frozen.forEach(thaw));
    const startedAt = performance.now();
    if (signal !== undefined) child.kill(signal);
    const { status } = await ended;
    const took = performance.now() - startedAt;
    frozen.forEach(thaw);
    expect(status).toBe(wanted);
    expect(took).toBeLessThan(9000);
  },
);

const send = (pid: number, signal: NodeJS.Signals) => {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended since it was listed.
  }
};
const freeze = (pid: number) => send(pid, 'SIGSTOP');
const thaw = (pid: number) => send(pid, 'SIGCONT');

/** Forwards connections to a server, but those to a new database from the `nth` on: they are accepted, and nothing answers. */
async function deafFor({ port, hostname }: URL, nth: number): Promise<{ port: number; close(): void }> {
  let seen = 0;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    sockets.add(client);
    client.on('error', () => {});
    client.once('data', (packet) => {
      if (packet.includes('__new_') && ++seen >= nth) return;
      const server = connect(Number(port), hostname);
      sockets.add(server);
      server.on('error', () => {});
      server.write(packet);
      client.pipe(server).pipe(client);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    close: () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

// Where a freeze finds no statement running but the next connection being made, the time is over all the same.
test.each([1, 2])('a new database whose connection %i is never answered is given up with 8', async (nth) => {
  const bench = await setTable(slow);
  await bench.migrate(['up', '1']);
  const url = new URL(bench.database.ownerUrl);
  const proxy = await deafFor(url, nth);
  onTestFinished(() => proxy.close());
  url.port = String(proxy.port);
  url.searchParams.set('sslmode', 'disable');
  const { status, stderr } = await bench.migrate(['recreate', '--timeout', '3s'], {
    DATABASE_CONNECTION_STRING: url.href,
  });
  expect(steady(stderr, bench)).toBe(
    [
      'recreating shopdb: a new database is built beside it',
      `waiting for Postgres at 127.0.0.1:${proxy.port}: no answer`,
      `migrate: Postgres at 127.0.0.1:${proxy.port} no longer answered, and the 3 s had passed`,
      '  no answer',
      '  shopdb itself was not touched',
      '  time: database ‹n› ms, lock ‹n› ms, sql ‹n› ms',
      '',
    ].join('\n'),
  );
  expect(status).toBe(8);
});

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
