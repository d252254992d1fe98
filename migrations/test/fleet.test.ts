import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { escapeIdentifier } from 'pg';
import { expect, test } from 'vitest';
import { once } from '../../test/support/postgres.ts';
import { setTable, until, type Workbench } from './support.ts';

const files = {
  '1_users.up.sql': 'create table users (id int);\n',
  '1_users.down.sql': 'drop table users;\n',
  '2_index.up.sql': 'create index on users (id);\n',
  '2_index.down.sql': 'drop index users_id_idx;\n',
};

interface FleetDocument {
  readonly success: boolean;
  readonly total: number;
  readonly migrated: number;
  readonly failed: number;
  readonly notRun: number;
  readonly databases: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly steps: number;
    readonly to: number | null;
    readonly error: {
      readonly code: string;
      readonly message: string;
      readonly evidence: readonly string[];
    } | null;
  }[];
}

/** The bench's database, and so many beside it, whose names are returned without it. */
async function tenants(count: number): Promise<{ bench: Workbench; names: string[]; list: string }> {
  const bench = await setTable(files);
  const { name, owner, superuserUrl } = bench.database;
  const names = Array.from({ length: count }, (_, index) => `${name}__tenant_${index + 1}`);
  for (const tenant of names) {
    await once(
      superuserUrl,
      `create database ${escapeIdentifier(tenant)} template template0 owner ${escapeIdentifier(owner)}`,
    );
  }
  const list = join(bench.folder, 'tenants.txt');
  await writeFile(list, `\ufeff# ours\r\n${names.join('\r\n')}\r\n\r\n`);
  return { bench, names, list };
}

async function run({ migrate }: Workbench, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const ended = await migrate(['up', ...args, '--format', 'json'], {
    MIGRATION_TEMPLATE_SPACE: '0',
    ...environment,
  });
  return { ...ended, document: JSON.parse(ended.stdout) as FleetDocument };
}

const url = ({ database }: Workbench, name: string) => database.superuserUrl.replace(/\/[^/]*$/, `/${name}`);
const at = async (bench: Workbench, name: string) =>
  (await once(url(bench, name), 'select version::int as version, dirty from schema_migrations'))
    .rows[0] as unknown;

test('every database of a file is migrated, and again each has nothing to do', async () => {
  const { bench, names, list } = await tenants(5);
  const first = await run(bench, ['--databases', list, '--concurrency', '3']);
  expect(first.status).toBe(0);
  expect(first.document).toMatchObject({ success: true, total: 5, migrated: 5, failed: 0, notRun: 0 });
  expect(first.document.databases.map(({ name, outcome, steps, to }) => [name, outcome, steps, to])).toEqual(
    names.map((name) => [name, 'migrated', 2, 2]),
  );
  for (const name of names) expect(await at(bench, name)).toEqual({ version: 2, dirty: false });
  const text = await bench.migrate(['up', '--databases', list]);
  expect(text.stdout).toMatch(/^shop: 5 databases: 0 migrated, 5 had nothing to do; [\d.]+ s\n$/);
  expect(text.stderr).toBe('');
});

test('a query names them too, and shards share them out', async () => {
  const { bench, names } = await tenants(6);
  const query = `select datname from pg_database where datname like '${bench.database.name}\\_\\_tenant%' order by 1`;
  const seen: string[] = [];
  for (const index of [0, 1, 2]) {
    const { status, document } = await run(bench, ['1', '--databases', query, '--shard', `${index}/3`]);
    expect(status).toBe(0);
    seen.push(...document.databases.map(({ name }) => name));
  }
  expect(seen.sort()).toEqual(names);
  expect(await at(bench, names[0] ?? '')).toEqual({ version: 1, dirty: false });
});

test('one that fails stops no other within the budget, beyond it no further one begins, and a later run takes up the rest', async () => {
  const { bench, names, list } = await tenants(6);
  const [first = '', second = ''] = names;
  await once(
    url(bench, first),
    `create table users (); alter table users owner to ${escapeIdentifier(bench.database.owner)}`,
  );
  await once(
    bench.database.superuserUrl,
    `alter database ${escapeIdentifier(second)} with allow_connections false`,
  );
  const strict = await run(bench, ['--databases', list, '--concurrency', '1']);
  expect(strict.status).toBe(1);
  expect(strict.document).toMatchObject({ success: false, failed: 1, notRun: 5 });
  expect(strict.document.databases[0]).toMatchObject({ name: first, outcome: 'failed', to: null });
  expect(strict.document.databases[0]?.error?.message).toContain('1_users.up.sql failed and was rolled back');
  expect(strict.document.databases[0]?.error?.evidence.join('\n')).toContain(
    'relation "users" already exists',
  );
  const lenient = await run(bench, ['--databases', list, '--concurrency', '1', '--failures', '2']);
  expect(lenient.document).toMatchObject({ failed: 2, migrated: 4, notRun: 0 });
  // Failures of two kinds.
  expect(lenient.status).toBe(1);
  await once(url(bench, first), 'drop table users');
  await once(
    bench.database.superuserUrl,
    `alter database ${escapeIdentifier(second)} with allow_connections true`,
  );
  const last = await run(bench, ['--databases', list]);
  expect(last.document).toMatchObject({ success: true, migrated: 2, failed: 0 });
  const text = await bench.migrate(['up', '--databases', list]);
  expect(text.stdout).toContain('6 had nothing to do');
});

test('Ctrl-C ends what runs, begins nothing more, and says what is left', async () => {
  const { bench, names, list } = await tenants(4);
  await bench.write({ '3_slow.up.sql': 'select pg_sleep(20);\n' });
  const { child, ended } = bench.begin(['up', '--databases', list, '--concurrency', '2'], {
    MIGRATION_TEMPLATE_SPACE: '0',
  });
  const sleeping = `select from pg_stat_activity where query like '%pg_sleep(20)%' and datname like '${bench.database.name}\\_\\_tenant%'`;
  await until(async () => (await bench.rows(sleeping)).length === 2);
  child.kill('SIGINT');
  const { status, stdout } = await ended;
  expect(status).toBe(130);
  expect(stdout).toContain('4 databases: 0 migrated, 0 had nothing to do, 4 not run');
  expect(stdout).toContain('run it again: what is done is passed over');
  expect(await at(bench, names[0] ?? '')).toEqual({ version: 2, dirty: false });
});

test('many at once on one database of the list apply each step once', async () => {
  const { bench, names, list } = await tenants(3);
  const runs = await Promise.all([1, 2, 3, 4].map(() => run(bench, ['--databases', list])));
  expect(runs.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
  const steps = runs.flatMap(({ document }) => document.databases.map(({ steps: count }) => count));
  expect(steps.reduce((sum, count) => sum + count, 0)).toBe(2 * names.length);
});

test.each([
  [['--concurrency', '0'], '--concurrency is for --databases', 2],
  [['--databases', 'LIST', '--concurrency', '0'], '--concurrency: expected a number from 1 to 200', 2],
  [['--databases', 'LIST', '--shard', '3/3'], '--shard: expected index/count', 2],
  [['--databases', 'LIST', '--dry-run'], '--dry-run is for one database', 2],
  [['--databases', '/nowhere/list'], 'cannot be read', 2],
  [['--databases', 'select 1 where false'], 'the query has no row', 2],
  [['--databases', 'select nonsense'], 'column "nonsense" does not exist', 3],
  [
    ['--databases', 'with gone as (delete from pg_class returning relname) select relname from gone'],
    'read-only transaction',
    3,
  ],
  [['--databases', 'LIST', '--approach', 'careful'], 'nobody said yes to the whole fleet', 7],
])('%j is refused', async (args, words, status) => {
  const { bench, list } = await tenants(0);
  const ended = await bench.migrate(['up', ...args.map((word) => (word === 'LIST' ? list : word))]);
  expect(ended.stderr).toContain(words);
  expect(ended.status).toBe(status);
});

test('a wrong line is named with its place and without its password', async () => {
  const { bench, list } = await tenants(1);
  await writeFile(list, 'first\npostgres://user:secret@:99999/x\n');
  const { status, stderr } = await bench.migrate(['up', '--databases', list]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/tenants\.txt:2: /);
  expect(stderr).not.toContain('secret');
});
