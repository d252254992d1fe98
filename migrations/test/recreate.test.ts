import { Client, escapeIdentifier } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { once, postgresServers, startServer } from '../../test/support/postgres.ts';
import { lockKey, migrateTo, recreateDatabase } from '../src/index.ts';
import { besides, type Files, setTable, steady, until, type Workbench } from './support.ts';

const files = {
  '1_users.up.sql': 'create table users (name text);',
  '1_users.down.sql': 'drop table users;',
  '3_index.up.sql': 'create index users_name on users (name);',
  '3_index.down.sql': 'drop index users_name;',
};

/** Migrates, and leaves a row that only this database has. */
async function inhabit(given: Files, server?: Parameters<typeof setTable>[1]): Promise<Workbench> {
  const bench = await setTable(given, server);
  expect((await bench.migrate(['up'])).status).toBe(0);
  await once(bench.database.ownerUrl, "insert into users values ('old')");
  return bench;
}

/** The databases whose name begins with the bench's, without it. */
async function beside(bench: Workbench): Promise<string[]> {
  return (await besides(bench)).map((rest) => rest.replace(/\d{8}T\d{6}/, '‹time›'));
}

const trouble: Record<string, { change: (bench: Workbench) => Promise<void>; line: string; status: number }> =
  {
    edited: {
      change: (bench) => bench.write({ '3_index.up.sql': 'create index users_name on users (lower(name));' }),
      line: 'edited: ‹folder›/3_index.up.sql is not what was applied',
      status: 6,
    },
    missing: {
      change: async (bench) => {
        await bench.remove('3_index.up.sql', '3_index.down.sql');
        // With down SQL it would be taken back; see phantoms.test.ts.
        await once(
          bench.database.ownerUrl,
          'update schema_migrations_history set down_sql = null where version = 3',
        );
      },
      line: 'missing: 3 index is applied and has no file',
      status: 6,
    },
    'out of order': {
      change: (bench) => bench.write({ '2_late.up.sql': 'alter table users add column late int;' }),
      line: 'out of order: ‹folder›/2_late.up.sql is numbered below 3, which is applied',
      status: 6,
    },
    dirty: {
      change: async (bench) => {
        await once(bench.database.ownerUrl, 'update schema_migrations set dirty = true');
      },
      line: 'dirty: 3 began and did not finish; nobody recorded which of its statements landed',
      status: 5,
    },
  };

describe.each(postgresServers())('on $name', (server) => {
  test.each(Object.keys(trouble))(
    '%s: the database is recreated, and undo brings the old rows back',
    async (kind) => {
      const bench = await inhabit(files, server);
      const { change, line } = trouble[kind] ?? { change: async () => {}, line: '' };
      await change(bench);
      const { status, stdout, stderr } = await bench.migrate(['up']);
      expect(stderr.replace(bench.folder, '‹folder›')).toContain(
        `${line}\nrecreating ${bench.database.name}: a new database is built beside it\n`,
      );
      expect(steady(stdout, bench)).toMatch(
        new RegExp(
          `^shop was recreated: . migrations? applied, now at ., ‹n› ms\n  ${line}\n  the database as it was is kept as shopdb__before_‹time›\n  make db-undo SERVICE=shop brings it back\n$`,
        ),
      );
      expect(status).toBe(0);
      expect(await bench.value('select count(*)::int from users')).toBe(0);
      expect(await beside(bench)).toEqual(['__before_‹time›']);
      expect((await bench.migrate(['up'])).stdout).toMatch(/nothing to do/);

      expect((await bench.migrate(['undo'])).stdout).toMatch(/^shop is again as before the last recreate/);
      expect(await bench.rows('select * from users')).toEqual([['old']]);
      expect((await bench.migrate(['undo'])).status).toBe(0);
      expect(await bench.value('select count(*)::int from users')).toBe(0);
      expect(await beside(bench)).toEqual(['__before_‹time›']);
    },
  );

  test.each(Object.keys(trouble))('%s: refused outside development, and nothing is touched', async (kind) => {
    const bench = await inhabit(files, server);
    const { change, line, status } = trouble[kind] ?? { change: async () => {}, line: '', status: 0 };
    await change(bench);
    const refused = await bench.migrate(['up'], { MIGRATION_ENVIRONMENT: '' });
    expect(refused.status).toBe(status);
    expect(steady(refused.stderr, bench)).toMatch(
      /^migrate: (shop is dirty at 3|the history of shop and its files differ in 1 place)\n/,
    );
    expect(steady(refused.stderr, bench)).toContain(
      `  ${line}\n  not recreated: no environment was stated (MIGRATION_ENVIRONMENT), and only development is recreated\n  try: make db-migrate-status SERVICE=shop\n`,
    );
    expect(await bench.rows('select * from users')).toEqual([['old']]);
    expect(await beside(bench)).toEqual([]);
  });

  test('the new database has what the old one had besides its migrations', async () => {
    const bench = await setTable(files, server);
    const { name, owner, app, superuserUrl } = bench.database;
    const [database, role] = [name, owner].map((identifier) => escapeIdentifier(identifier));
    for (const sql of [
      `alter database ${database} set search_path = "$user", public, "odd ""schema"`,
      `alter database ${database} set work_mem = '7MB'`,
      `alter role ${role} in database ${database} set lock_timeout = '9s'`,
      `alter database ${database} connection limit 77`,
      `comment on database ${database} is 'it''s \\ ours'`,
      `comment on schema public is 'not standard'`,
      `grant temporary on database ${database} to ${app} with grant option`,
      `grant create on schema public to ${app}`,
      `alter default privileges for role ${role} revoke execute on functions from public`,
      `alter default privileges for role ${role} in schema public grant trigger on tables to ${app}`,
    ]) {
      await once(superuserUrl, sql);
    }
    const picture = async () => [
      await bench.rows(
        `select d.datacl::text[], d.datcollate, d.datctype, d.datlocprovider, d.encoding, d.datconnlimit, pg_get_userbyid(d.datdba),
           shobj_description(d.oid, 'pg_database') as comment,
           (select array_agg(setrole::regrole::text || setconfig::text order by setrole) from pg_db_role_setting where setdatabase = d.oid) as settings
         from pg_database d where datname = current_database()`,
      ),
      await bench.rows(
        `select nspacl::text[], pg_get_userbyid(nspowner), obj_description(oid, 'pg_namespace') as comment
         from pg_namespace where nspname = 'public'`,
      ),
      await bench.rows(
        `select pg_get_userbyid(defaclrole), defaclnamespace::regnamespace::text, defaclobjtype,
           (select array_agg(x::text order by x::text) from unnest(defaclacl) x) as acl from pg_default_acl order by 1, 2, 3`,
      ),
    ];
    await bench.migrate(['up']);
    const before = await picture();
    const { status, stderr } = await bench.migrate(['recreate']);
    expect(status).toBe(0);
    expect(stderr).not.toContain('not reproduced');
    const sorted = (acl: unknown) =>
      JSON.stringify(acl, (_key, value) => (Array.isArray(value) ? [...value].sort() : value));
    expect(sorted(await picture())).toBe(sorted(before));
  });

  test('an app with open connections is cut off for a moment and comes back to the new database', async () => {
    const bench = await inhabit(files, server);
    const app = new Client({ connectionString: bench.database.appUrl });
    const ended = new Promise((resolve) => app.on('error', resolve));
    await app.connect();
    await app.query('select 1');
    await bench.write({ '3_index.up.sql': 'select 1;' });
    expect((await bench.migrate(['up'])).status).toBe(0);
    await ended;
    expect((await once(bench.database.appUrl, 'select count(*)::int as n from users')).rows).toEqual([
      { n: 0 },
    ]);
  });

  test('when the new database fails the old one is untouched and serves on', async () => {
    const bench = await inhabit(files, server);
    const app = new Client({ connectionString: bench.database.appUrl });
    await app.connect();
    await bench.write({ '3_index.up.sql': 'create index users_name on users (nmae);' });
    const { status, stderr } = await bench.migrate(['up']);
    expect(status).toBe(1);
    expect(steady(stderr, bench)).toContain(
      [
        'migrate: shop 3_index.up.sql failed and was rolled back',
        '  ‹folder›/3_index.up.sql:1:35  column "nmae" does not exist (42703)',
        '    1 | create index users_name on users (nmae);',
        '      |                                   ^',
        '  applied before it: 1',
        '  shopdb itself was not touched',
        '',
      ].join('\n'),
    );
    expect((await app.query('select * from users')).rows).toEqual([{ name: 'old' }]);
    await app.end();
    expect(await beside(bench)).toEqual([]);
  });

  test('racing migrators recreate once', async () => {
    const bench = await inhabit(files, server);
    await bench.write({ '3_index.up.sql': 'select 1;' });
    const settings = bench.settings();
    const results = await Promise.all(
      Array.from({ length: 6 }, () => migrateTo(settings, { kind: 'latest' })),
    );
    expect(results.map(({ outcome }) => outcome).sort()).toEqual([
      ...Array.from({ length: 5 }, () => 'nothing to do'),
      'recreated',
    ]);
    expect(await beside(bench)).toEqual(['__before_‹time›']);
  });

  test('racing recreate commands replace the database once, so that the old rows stay within reach', async () => {
    const bench = await inhabit(files, server);
    const settings = bench.settings();
    const results = await Promise.all(Array.from({ length: 3 }, () => recreateDatabase(settings)));
    expect(results.map(({ outcome }) => outcome).sort()).toEqual([
      'nothing to do',
      'nothing to do',
      'recreated',
    ]);
    expect((await bench.migrate(['undo'])).status).toBe(0);
    expect(await bench.rows('select * from users')).toEqual([['old']]);
  });

  test('killed at any moment of a recreate, one whole database has the name, and the next run ends it', async () => {
    const bench = await inhabit(files, server);
    await bench.write({ '3_index.up.sql': 'select pg_sleep(0.1);' });
    for (const milliseconds of [0, 60, 120, 160, 200, 260, 320]) {
      const { child, ended, saw } = bench.begin(['recreate']);
      await saw(/^recreating/m);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      child.kill('SIGKILL');
      await ended;
      const [[version]] = (await bench.rows('select version::text from schema_migrations')) as [[string]];
      expect(version).toBe('3');
    }
    expect((await bench.migrate(['recreate'])).status).toBe(0);
    expect(await beside(bench)).toEqual(['__before_‹time›']);
  });
});

test('SIGTERM while the new database is built drops it and leaves the old one', async () => {
  const bench = await inhabit(files);
  await bench.write({ '3_index.up.sql': 'select pg_sleep(30);' });
  const { child, ended, saw } = bench.begin(['up']);
  await saw(/^1 users/m);
  const running = `select from pg_stat_activity where query like '%pg_sleep(30)%' and datname like '${bench.database.name}\\_\\_new%'`;
  await until(async () => (await bench.rows(running)).length > 0);
  child.kill('SIGTERM');
  const { status, stderr } = await ended;
  expect(steady(stderr, bench)).toContain(
    [
      'migrate: interrupted by SIGTERM while shop 3_index.up.sql ran; it was rolled back and the lock released',
      '  ‹folder›/3_index.up.sql:1:1',
      '  applied before it: 1',
      '  shopdb itself was not touched',
      '',
    ].join('\n'),
  );
  expect(status).toBe(143);
  expect(await beside(bench)).toEqual([]);
  expect(await bench.rows('select * from users')).toEqual([['old']]);
});

test('a role that may not reach another database is told so', async () => {
  // A server of its own: the grants on its shared databases change.
  const [first] = postgresServers();
  const server = await startServer('postgres 18', first?.programs ?? '');
  onTestFinished(() => server.destroy());
  const bench = await inhabit(files, server);
  const { superuserUrl, owner } = bench.database;
  await bench.write({ '3_index.up.sql': 'select 1;' });
  await once(superuserUrl, 'revoke connect on database postgres, template1 from public');
  const { status, stderr } = await bench.migrate(['up']);
  expect(stderr).toContain(
    `refused: ${owner} may not connect to template1; permission denied for database "template1"`,
  );
  expect(status).toBe(6);
});

test('a role without CREATEDB is told so, with every anomaly', async () => {
  const bench = await inhabit(files);
  const { owner, superuserUrl } = bench.database;
  await once(superuserUrl, `alter role ${escapeIdentifier(owner)} nocreatedb`);
  await bench.write({ '3_index.up.sql': 'select 1;', '2_late.up.sql': 'select 1;' });
  const { status, stderr } = await bench.migrate(['up']);
  expect(steady(stderr, bench)).toBe(
    [
      'migrate: the history of shop and its files differ in 2 places',
      '  out of order: ‹folder›/2_late.up.sql is numbered below 3, which is applied',
      '  edited: ‹folder›/3_index.up.sql is not what was applied',
      '  not recreated: shopdb_migrator may not create databases (CREATEDB)',
      '  try: make db-migrate-status SERVICE=shop',
      '',
    ].join('\n'),
  );
  expect(status).toBe(6);
  expect(await bench.rows('select * from users')).toEqual([['old']]);
});

test('a superuser’s session in the database is named as what stands in the way', async () => {
  const bench = await inhabit(files);
  const psql = new Client({ connectionString: bench.database.superuserUrl, application_name: 'psql' });
  await psql.connect();
  await bench.write({ '3_index.up.sql': 'select 1;' });
  const { status, stderr } = await bench.migrate(['up']);
  await psql.end();
  expect(steady(stderr, bench)).toMatch(
    / {2}not recreated: pid ‹n›, user postgres, application "psql": only a superuser may end it/,
  );
  expect(status).toBe(6);
  expect(await beside(bench)).toEqual([]);
  expect(await bench.rows('select * from users')).toEqual([['old']]);
});

test('undo without a kept database, and outside development, is refused', async () => {
  const bench = await inhabit(files);
  const none = await bench.migrate(['undo']);
  expect(steady(none.stderr, bench)).toBe(
    'migrate: no earlier database of shopdb is kept\n  a recreate keeps one, as <database>__before_<time>\n',
  );
  expect(none.status).toBe(3);
  for (const command of ['undo', 'recreate']) {
    expect(await bench.migrate([command], { MIGRATION_ENVIRONMENT: '' })).toEqual({
      status: 3,
      stdout: '',
      stderr: `migrate: ${command} is for development, and no environment was stated\n  the environment is stated by MIGRATION_ENVIRONMENT or --environment\n`,
    });
  }
});

test('a recreate waits for the lock of one that is under way', async () => {
  const bench = await inhabit(files);
  const { name, ownerUrl } = bench.database;
  const url = new URL(ownerUrl);
  url.pathname = '/postgres';
  const other = new Client({ connectionString: url.href });
  await other.connect();
  await other.query('select pg_advisory_lock($1)', [lockKey(name, '', '').toString()]);
  const { ended } = bench.begin(['recreate', '--timeout', '1500ms']);
  expect((await ended).status).toBe(4);
  await other.end();
  await until(async () => (await beside(bench)).length === 0);
});

test('an undo that lost its connection says which database has the name now', async () => {
  const bench = await inhabit(files);
  await bench.migrate(['recreate']);
  const { name, ownerUrl, query } = bench.database;
  const url = new URL(ownerUrl);
  url.pathname = '/postgres';
  const other = new Client({ connectionString: url.href });
  await other.connect();
  await other.query('select pg_advisory_lock($1)', [lockKey(name, '', '').toString()]);
  const { ended, saw } = bench.begin(['undo']);
  await saw(/waiting for the migration lock/);
  await query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'migrate shop' and datname = current_database()",
  );
  await other.end();
  const { status, stderr } = await ended;
  expect(steady(stderr, bench)).toContain(
    'migrate: the connection to Postgres was lost; shopdb is still the same database\n  terminating connection due to administrator command\n',
  );
  expect(status).toBe(3);
});
