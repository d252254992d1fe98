import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { describeCatalog } from '../../test/support/catalog.ts';
import { once, type PostgresServer, postgresServers } from '../../test/support/postgres.ts';
import { pick, type Random, seeded } from './random.ts';
import { besides, type Files, setTable, until, type Workbench } from './support.ts';

/** Slow enough that a template is worth its copy, on every machine. */
const slow = 'do $$ begin perform pg_sleep(0.15); end $$;\n';
/** Slow enough that the first run keeps one. */
const slower = 'do $$ begin perform pg_sleep(1); end $$;\n';
const files: Files = {
  '1_users.up.sql': `create table users (id int generated always as identity primary key, name text not null);\ninsert into users (name) values ('admin');\n${slower}`,
  '1_users.down.sql': 'drop table users;\n',
  '2_index.up.sql': `create index users_name on users (name);\n${slow}`,
  '2_index.down.sql': 'drop index users_name;\n',
  '3_last.up.sql': 'alter table users add column age int;\n',
  '3_last.down.sql': 'alter table users drop column age;\n',
};

/** The templates or spare copies that are there, once the server has done what runs left to it. */
async function kept(bench: Workbench, kind: 'template' | 'spare'): Promise<string[]> {
  await besides(bench);
  const found = await bench.rows(
    `select datname from pg_database where datname like '${bench.database.name}\\_\\_${kind}\\_%' order by 1`,
  );
  return found.flat().map(String);
}

/** Recreates; returns how many migrations came from a template. */
async function recreate(bench: Workbench, environment?: NodeJS.ProcessEnv): Promise<number> {
  const { status, stdout, stderr } = await bench.migrate(['recreate', '--format', 'json'], environment);
  expect(status, stderr).toBe(0);
  return (JSON.parse(stdout) as { fromTemplate: number }).fromTemplate;
}

async function migrated(server: PostgresServer, given = files): Promise<Workbench> {
  const bench = await setTable(given, server);
  const { status, stderr } = await bench.migrate(['up']);
  expect(status, stderr).toBe(0);
  return bench;
}

describe.each(postgresServers())('on $name', (server) => {
  test('the first run keeps a template, and a recreate copies it: fresh, and without what was added since', async () => {
    const bench = await migrated(server);
    expect(await kept(bench, 'template')).toHaveLength(1);
    await once(bench.database.ownerUrl, "insert into users (name) values ('mine'); create table mine ()");
    expect(await recreate(bench)).toBe(3);
    expect(await bench.rows('select id, name from users')).toEqual([[1, 'admin']]);
    expect(await bench.value("select to_regclass('mine') is null")).toBe(true);
    expect(await bench.rows('select version::int, dirty from schema_migrations')).toEqual([[3, false]]);
    // From the copy that was made beforehand, which then is made again.
    const spares = await kept(bench, 'spare');
    expect(spares).toHaveLength(1);
    expect(await recreate(bench)).toBe(3);
    expect(await bench.rows('select id, name from users')).toEqual([[1, 'admin']]);
    expect(await kept(bench, 'spare')).toEqual(spares);
    expect((await bench.migrate(['up'])).stdout).toBe('shop is at 3, nothing to do\n');
  });

  test('an edited last migration starts from the others, a branch from what it shares, and back from the whole', async () => {
    const bench = await migrated(server);
    await bench.write({ '3_last.up.sql': 'alter table users add column born date;\n' });
    // Nothing is kept of the first two alone yet.
    expect(await recreate(bench)).toBe(0);
    await bench.write({ '3_last.up.sql': 'alter table users add column weight int;\n' });
    const { stdout } = await bench.migrate(['up']);
    expect(stdout).toContain('was recreated: 2 migrations from a template, 1 migration applied, now at 3');
    await bench.write({ '3_last.up.sql': files['3_last.up.sql'] ?? '' });
    expect(await recreate(bench)).toBe(3);
    expect(
      await bench.value(
        "select string_agg(attname, ' ' order by attnum) from pg_attribute where attrelid = 'users'::regclass and attnum > 0",
      ),
    ).toBe('id name age');
    await bench.write({ '2_index.down.sql': 'drop index if exists users_name;\n' });
    // The history holds down SQL: another down file is another template.
    expect(await recreate(bench)).toBeLessThan(2);
    expect(await bench.value('select down_sql from schema_migrations_history where version = 2')).toBe(
      'drop index if exists users_name;\n',
    );
  });

  test('a database from templates equals one from nothing, across random edits of the migrations', async () => {
    const random = seeded(20261127);
    const bench = await setTable({}, server);
    let given: Files = {};
    let copied = 0;
    for (let round = 0; round < 10; round++) {
      const before = given;
      given = edit(random, given);
      await bench.remove(...Object.keys(before).filter((name) => !(name in given)));
      await bench.write(given);
      if (round === 0) expect((await bench.migrate(['up'])).status).toBe(0);
      copied += await recreate(bench);
      const scratch = await setTable(given, server);
      expect((await scratch.migrate(['up'], { MIGRATION_TEMPLATE_SPACE: '0' })).status).toBe(0);
      expect(await whole(bench), `round ${round}`).toEqual(await whole(scratch));
    }
    expect(copied).toBeGreaterThan(5);
  });
});

describe('on one of them', () => {
  const [server] = postgresServers() as [PostgresServer, ...PostgresServer[]];
  const circumstances: Readonly<Record<string, string>> = {
    'a setting of the database': `alter database ‹name› set search_path = public, pg_catalog`,
    'a default privilege': `alter default privileges for role ‹owner› grant truncate on tables to ‹app›`,
    'a grant on the schema': 'grant create on schema public to ‹app›',
    'an attribute of a role': 'alter role ‹app› createrole',
    'a setting of the role': `alter role ‹owner› set datestyle = 'German'`,
  };
  test.each(Object.entries(circumstances))('%s makes another template', async (_what, sql) => {
    const bench = await migrated(server);
    const { name, owner, app, superuserUrl } = bench.database;
    const put = (text: string) =>
      text.replaceAll('‹name›', name).replaceAll('‹owner›', owner).replaceAll('‹app›', app);
    await once(superuserUrl, put(sql));
    expect(await recreate(bench)).toBe(0);
    // The last migration is worth a template the second time, or at once where the machine is slow.
    expect(await recreate(bench)).toBeGreaterThanOrEqual(2);
    expect(await recreate(bench)).toBe(3);
  });

  test('another table of the history makes another template, and without room none is used', async () => {
    const bench = await migrated(server);
    expect(await recreate(bench, { MIGRATION_TEMPLATE_SPACE: '0' })).toBe(0);
    expect(await recreate(bench, { MIGRATIONS_TABLE: 'other' })).toBe(0);
  });

  test.each([
    [
      'a setting of its database',
      "do $$ begin execute format('alter database %I set work_mem = ''5MB''', current_database()); end $$;",
    ],
    [
      'rows of a file',
      "do $$ begin execute 'copy users (name) from program ''true'''; exception when others then null; end $$;\ncomment on database ‹name› is 'x';",
    ],
  ])(
    'what does something that no copy has, %s, is run each time, and what follows it',
    async (_what, sql) => {
      const bench = await setTable({}, server);
      await bench.write({
        ...files,
        '2_index.up.sql': `${sql.replaceAll('‹name›', bench.database.name)}\n${slow}`,
      });
      expect((await bench.migrate(['up'])).status).toBe(0);
      expect(await recreate(bench)).toBe(0);
      expect(await recreate(bench)).toBe(0);
      expect(await kept(bench, 'template')).toEqual([]);
    },
  );

  test('nobody can connect to a template or its copy, and the app role has no rights on it', async () => {
    const bench = await migrated(server);
    await recreate(bench);
    const names = [...(await kept(bench, 'template')), ...(await kept(bench, 'spare'))];
    expect(names).toHaveLength(2);
    for (const name of names) {
      for (const url of [bench.database.appUrl, bench.database.ownerUrl, bench.database.superuserUrl]) {
        const client = new Client({ connectionString: url.replace(/\/[^/]*$/, `/${name}`) });
        client.on('error', () => {});
        await expect(client.connect()).rejects.toThrow(
          /not currently accepting connections|permission denied/,
        );
      }
    }
    const [template] = names;
    expect(
      await bench.value(`select has_database_privilege('${bench.database.app}', '${template}', 'connect')`),
    ).toBe(false);
  });

  test('what a killed run left is no template, and those used longest ago go when there is no room', async () => {
    const bench = await migrated(server);
    const [template] = await kept(bench, 'template');
    await once(bench.database.superuserUrl, `comment on database "${template}" is null`);
    expect(await recreate(bench)).toBe(0);
    for (const column of ['one', 'two', 'three']) {
      await bench.write({
        '1_users.up.sql': `${files['1_users.up.sql']}comment on table users is '${column}';\n`,
      });
      expect(await recreate(bench, { MIGRATION_TEMPLATE_SPACE: '20' })).toBe(0);
      expect((await kept(bench, 'template')).length).toBeLessThanOrEqual(2);
    }
    // The last used one is there still.
    expect(await recreate(bench, { MIGRATION_TEMPLATE_SPACE: '20' })).toBeGreaterThanOrEqual(2);
  });

  test('a database that somebody has made something in is no template', async () => {
    const bench = await setTable(files, server);
    await once(bench.database.ownerUrl, 'create table mine ()');
    expect((await bench.migrate(['up'])).status).toBe(0);
    expect(await kept(bench, 'template')).toEqual([]);
  });

  test('killed while it recreates, at any moment: the next recreate finds its way', async () => {
    const bench = await migrated(server);
    const random = seeded(6);
    for (let round = 0; round < 6; round++) {
      await bench.write({ '3_last.up.sql': `alter table users add column c${round} int;\n` });
      const { child, ended } = bench.begin(['recreate']);
      await new Promise((resolve) => setTimeout(resolve, 150 + 600 * random()));
      child.kill('SIGKILL');
      await ended;
    }
    await recreate(bench);
    await until(async () => (await bench.value("select to_regclass('users') is not null")) === true);
    expect(await bench.rows('select id, name from users')).toEqual([[1, 'admin']]);
    expect((await besides(bench)).filter((rest) => rest.startsWith('__new'))).toEqual([]);
  });
});

/** Objects, rows, the next value of each sequence and the history without its times. */
async function whole({ database, rows }: Workbench): Promise<unknown> {
  const tables = await rows("select relname from pg_class where relkind = 'r' and relname ~ '^t' order by 1");
  const contents: unknown[] = [];
  for (const [table] of tables) contents.push(table, await rows(`select * from ${String(table)} order by 1`));
  const catalog = (await describeCatalog(database.ownerUrl)).join('\n');
  return {
    catalog: catalog.replaceAll(database.owner, '‹owner›').replaceAll(database.app, '‹app›'),
    contents,
    sequences: await rows('select sequencename, last_value from pg_sequences order by 1'),
    history: await rows(
      'select version, description, checksum, down_sql from schema_migrations_history order by 1',
    ),
    current: await rows('select * from schema_migrations'),
  };
}

/** Adds, changes or removes migrations at random; there is always one at least. */
function edit(random: Random, files: Files): Files {
  const migrations = Object.entries(files).filter(([name]) => name.endsWith('.up.sql'));
  const wish =
    migrations.length < 3
      ? 'add'
      : pick(random, ['add', 'add', 'change last', 'change', 'drop last', 'nothing'] as const);
  const at = wish === 'change' ? Math.floor(random() * migrations.length) : migrations.length - 1;
  if (wish === 'nothing') return files;
  if (wish === 'drop last') return Object.fromEntries(migrations.slice(0, -1));
  if (wish !== 'add')
    return Object.fromEntries(
      migrations.map(([name, text], index) => [name, index === at ? content(random, index + 1) : text]),
    );
  return Object.fromEntries([
    ...migrations,
    ...[1, 2].map((more) => migration(random, migrations.length + more)),
  ]);
}

function migration(random: Random, number: number): [string, string] {
  return [`${String(number).padStart(3, '0')}_m${number}.up.sql`, content(random, number)];
}

function content(random: Random, number: number): string {
  const value = Math.floor(random() * 1000);
  return (
    pick(random, [
      `create table if not exists t${number} (id serial primary key, v int default ${value});\ninsert into t${number} (v) values (${value}), (2);\n`,
      `create or replace function f${number}() returns int language sql as 'select ${value}';\n`,
      `create table if not exists t${number} (id bigint generated always as identity, v text);\ncreate index on t${number} (v);\n`,
      `create or replace view v${number} as select ${value} as v;\ncomment on view v${number} is 'view ${value}';\n`,
      `do $$ begin create domain d${number} as int check (value <> ${value}); end $$;\n`,
    ]) + slow
  );
}
