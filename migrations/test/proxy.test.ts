import { Database } from '@lockstep/chassis';
import { Deadline } from '@lockstep/foundation';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type PgBouncer, startPgBouncer } from '../../test/support/pgbouncer.ts';
import { postgresServers, programOf } from '../../test/support/postgres.ts';
import { setTable, type Workbench } from './support.ts';

const files = {
  '1_shop.up.sql': 'create table item (id int);',
  '1_shop.down.sql': 'drop table item;',
  '2_more.up.sql': 'create index concurrently item_id on item (id);',
  '2_more.down.sql': 'drop index item_id;',
};
const swallowing =
  'ignore_startup_parameters = options,statement_timeout,idle_in_transaction_session_timeout';
const shared = [
  ['one server session', ['default_pool_size = 1']],
  ['several, the last one first', ['default_pool_size = 5']],
  ['several, in turn', ['default_pool_size = 5', 'server_round_robin = 1']],
] as const;

async function behind(bench: Workbench, ...lines: string[]): Promise<PgBouncer> {
  const proxy = await startPgBouncer(bench.database, ...lines);
  onTestFinished(() => proxy.stop());
  return proxy;
}

const environmentOf = (proxy: PgBouncer, approach: string) => ({
  DATABASE_CONNECTION_STRING: proxy.ownerUrl,
  MIGRATION_APPROACH: approach,
  MIGRATION_BACKUP: 'none',
});

/** Of this bench's database alone: other tests take theirs on the same server. */
const advisoryLocks = (bench: Workbench) =>
  bench.rows(
    `select l.pid from pg_locks l join pg_database d on d.oid = l.database
     where l.locktype = 'advisory' and d.datname = current_database()`,
  );

const missing = programOf('pgbouncer') === undefined;

describe.skipIf(missing).each(postgresServers())('on $name', (server) => {
  describe.each(['transaction', 'statement'])('F11.1 pool_mode = %s', (mode) => {
    test.each(shared)('with %s is refused by up before anything is changed', async (_words, pool) => {
      const bench = await setTable(files, server);
      const proxy = await behind(bench, `pool_mode = ${mode}`, swallowing, ...pool);
      const { status, stderr } = await bench.migrate(['up'], environmentOf(proxy, 'aggressive'));
      expect(stderr).toMatch(
        /^migrate: Postgres at 127\.0\.0\.1:\d+ is behind a proxy that shares its sessions\n {2}(a second connection got the same server process, \d+|process \d+ of the server answered first, and then process \d+)\n {2}the migration lock would exclude nobody; nothing was changed\n {2}try: connect to the server itself, or to a pool with pool_mode = session\n$/,
      );
      expect(status).toBe(3);
      expect(
        await bench.rows("select relname from pg_class where relnamespace = 'public'::regnamespace"),
      ).toEqual([]);
      expect(await advisoryLocks(bench)).toEqual([]);
      expect(
        await bench.rows(`select datname from pg_database where datname like '${bench.database.name}\\_%'`),
      ).toEqual([]);
    });
  });

  test.each(['aggressive', 'careful', 'conservative'])(
    'F11.1 the %s strategy refuses it, whichever command would take the lock',
    async (approach) => {
      const bench = await setTable(files, server);
      await bench.migrate(['up', '1']);
      const proxy = await behind(bench, 'pool_mode = transaction', swallowing, 'default_pool_size = 1');
      const environment = environmentOf(proxy, approach);
      const before = await bench.rows('select * from schema_migrations');
      for (const args of [
        ['up'],
        ['down', '1', '--yes'],
        ['force', '2', '--yes'],
        ['goto', '2'],
        // The other strategies never do it.
        ...(approach === 'aggressive' ? [['recreate']] : []),
      ]) {
        const { status, stderr } = await bench.migrate(args, environment);
        expect([args, status, stderr]).toEqual([args, 3, expect.stringMatching(/shares its sessions/)]);
      }
      expect(await bench.rows('select * from schema_migrations')).toEqual(before);
      expect(await advisoryLocks(bench)).toEqual([]);
    },
  );

  test('F11.1 a second migrator cannot pass where the first one has the only server session', async () => {
    const bench = await setTable(files, server);
    const proxy = await behind(bench, 'pool_mode = transaction', swallowing, 'default_pool_size = 1');
    const both = await Promise.all(
      [1, 2].map(() => bench.migrate(['up'], environmentOf(proxy, 'aggressive'))),
    );
    expect(both.map(({ status }) => status)).toEqual([3, 3]);
  });

  test.each([
    ['that takes no options', ['default_pool_size = 3']],
    ['that swallows options', ['default_pool_size = 3', swallowing]],
    ['with one server session', ['default_pool_size = 1', swallowing]],
  ] as const)('F11.2 pool_mode = session %s is no false alarm', async (_words, pool) => {
    const bench = await setTable(files, server);
    const proxy = await behind(bench, 'pool_mode = session', 'query_wait_timeout = 20', ...pool);
    for (const args of [['up'], ['status'], ['down', '2', '--yes'], ['up']]) {
      const { status, stderr } = await bench.migrate(args, environmentOf(proxy, 'aggressive'));
      expect([args, status, stderr]).toEqual([args, 0, stderr]);
    }
    expect(await bench.value('select version::int from schema_migrations')).toBe(2);
  });

  test('F11.3 a proxy that swallows the search_path of the connection string is named', async () => {
    const bench = await setTable(files, server);
    await bench.database.query(`create schema shop authorization ${bench.database.owner}`);
    for (const pool of ['session', 'transaction']) {
      const swallows = await behind(bench, `pool_mode = ${pool}`, swallowing);
      const refuses = await behind(bench, `pool_mode = ${pool}`);
      for (const proxy of [swallows, refuses]) {
        for (const command of ['status', 'up']) {
          const { status, stderr } = await bench.migrate([command], {
            DATABASE_CONNECTION_STRING: `${proxy.ownerUrl}?options=-csearch_path%3Dshop`,
          });
          expect([status, stderr]).toEqual([
            3,
            expect.stringMatching(/refused: a proxy keeps the options of the connection string from it\n/),
          ]);
        }
      }
    }
  });

  test('F11.4 an app needs no session of its own: it runs behind either', async () => {
    const bench = await setTable(files, server);
    for (const lines of [['pool_mode = transaction'], ['pool_mode = session', swallowing]]) {
      const proxy = await behind(bench, ...lines);
      const database = new Database({ application: 'probe', connectionString: async () => proxy.appUrl });
      await database.open(new Deadline(10_000));
      expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      await database.close();
    }
  });
});
