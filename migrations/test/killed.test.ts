import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { postgresServers } from '../../test/support/postgres.ts';
import { type Files, setTable } from './support.ts';

const files: Files = {
  '1_log.up.sql': 'create table log (step int);\ninsert into log values (1);\n',
  '1_log.down.sql': 'drop table log;\n',
  '2_rows.up.sql': 'insert into log values (2);\nselect pg_sleep(0.2);\n',
  '2_rows.down.sql': 'delete from log where step = 2;\n',
  '3_index.up.sql': 'create index concurrently log_step on log (step);\nselect pg_sleep(0.2);\n',
  '3_index.down.sql': 'drop index concurrently log_step;\n',
  '4_more.up.sql': 'alter table log add column more int;\nselect pg_sleep(0.2);\n',
  '4_more.down.sql': 'alter table log drop column more;\n',
};

/** Where the run is when it is killed: what its stderr shows last, and how long after. */
const moments = [
  ['before the pre-flight list', /pre-flight server/, 0],
  ['while a scratch database is there', /pre-flight scratch/, 30],
  ['when the backup begins', /taking an? (?:full|incremental) backup/, 0],
  ['in the middle of the backup', /taking an? (?:full|incremental) backup/, 120],
  ['in the first step', /^backup .*KiB/m, 20],
  ['in a step outside a transaction', /^2 rows/m, 30],
  ['between two statements of it', /^2 rows/m, 150],
  ['in the last step', /^3 index/m, 60],
  ['in the comparison after the last step', /^4 more/m, 10],
] as const;

const strategies = [
  ['careful', { MIGRATION_ENVIRONMENT: 'staging' }],
  // A plan is approved for each run by itself; what is killed is the same.
  ['conservative', { MIGRATION_ENVIRONMENT: 'production', MIGRATION_APPROVAL: 'none' }],
] as const;

const [server] = postgresServers().filter(({ client }) => client !== undefined);

/** What differs between the two is what comes before and after the steps. */
const some: Readonly<Record<string, readonly number[]>> = { conservative: [1, 3, 6, 8] };

describe.skipIf(server === undefined).each(strategies)('%s', (approach, settings) => {
  test.each(moments.filter((_, index) => some[approach]?.includes(index) ?? true))(
    'killed %s: the history tells the truth, and the next run or resolve heals',
    async (_when, sign, later) => {
      const bench = await setTable(files, server);
      const folder = join(bench.folder, 'backups');
      const environment = { ...settings, MIGRATION_BACKUP_FOLDER: folder, MIGRATION_PG_BIN: server?.client };
      expect((await bench.migrate(['up', '1'])).status).toBe(0);
      const { child, ended, saw } = bench.begin(['up', '--yes'], environment);
      await saw(sign);
      await new Promise((resolve) => setTimeout(resolve, later));
      child.kill('SIGKILL');
      await ended;

      // What runs in the server when its client dies ends within a second of its own check.
      await expect
        .poll(
          async () =>
            bench.value(
              `select count(*)::int from pg_stat_activity where datname = '${bench.database.name}' and pid <> pg_backend_pid()`,
            ),
          { timeout: 20_000 },
        )
        .toBe(0);
      const [[version, dirty] = []] = await bench.rows('select version::int, dirty from schema_migrations');
      const has = async (what: string) => bench.value(`select exists (${what})`);
      const second = await has('select from log where step = 2');
      const column = await has(
        `select from pg_attribute where attrelid = 'log'::regclass and attname = 'more'`,
      );
      const index = await has(`select from pg_class where relname = 'log_step'`);
      expect(second).toBe(Number(version) >= 2);
      expect(column).toBe(version === 4 && dirty === false);
      if (dirty === true) expect(version).toBe(3);
      else expect(index).toBe(Number(version) >= 3);

      if (dirty === true) {
        // Half of a step is for a person; here it is undone by hand, and said so.
        expect((await bench.migrate(['up', '--yes'], environment)).status).toBe(5);
        await bench.database.query('drop index if exists log_step');
        const resolved = await bench.migrate(['resolve', '--pending', '--yes'], environment);
        expect(resolved.status, resolved.stderr).toBe(0);
      }
      const healed = await bench.migrate(['up', '--yes'], environment);
      expect(healed.status, healed.stderr).toBe(0);
      expect(await bench.rows('select version::int, dirty from schema_migrations')).toEqual([[4, false]]);
      expect(await bench.rows('select step, count(*)::int from log group by step order by step')).toEqual([
        [1, 1],
        [2, 1],
      ]);
      expect((await bench.migrate(['verify'])).status).toBe(0);
      expect(
        await bench.value(
          `select count(*)::int from pg_database where datname like '${bench.database.name}\\_\\_scratch%'`,
        ),
      ).toBe(0);
      const names = await readdir(folder).catch(() => []);
      const whole = names
        .filter((name) => name.endsWith('.json'))
        .map((name) => name.replace(/json$/, 'dump'));
      expect(names.filter((name) => name.endsWith('.dump')).sort()).toEqual(whole.sort());
    },
  );
});
