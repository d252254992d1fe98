import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { setTable, steady, type Workbench } from './support.ts';

const files = { '1_one.up.sql': 'select 1;', '2_two.up.sql': 'select 1;' };

/** Runs `migrate check` as the app's role, which may read and not write the receipt. */
const check = (bench: Workbench, args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) =>
  bench.migrate(['check', ...args], { DATABASE_CONNECTION_STRING: bench.database.appUrl, ...environment });

/** Everything a check could leave: rows of both tables, and how often they were written. */
const traces = (bench: Workbench) =>
  bench.rows(
    "select (select array_agg(s.xmin || s::text) from schema_migrations s)::text, (select array_agg(h.xmin || h::text) from schema_migrations_history h)::text, (select count(*) from pg_class where relnamespace = 'public'::regnamespace)",
  );

describe.each(postgresServers())('on $name', (server) => {
  test('a schema at least as new as needed is ready, asked by the app’s own role, and nothing is written', async () => {
    const bench = await setTable(files, server);
    await bench.migrate(['up']);
    await once(bench.database.ownerUrl, `revoke all on schema_migrations_history from ${bench.database.app}`);
    const before = await traces(bench);
    const ready = (stdout: string) => ({ status: 0, stdout, stderr: '' });
    expect(await check(bench, ['--at-least', '2'])).toEqual(ready('shop is ready: at 2, 2 is needed\n'));
    expect(await check(bench, ['--at-least', '000001', '--wait'])).toEqual(
      ready('shop is ready: at 2, 1 is needed\n'),
    );
    const { status, stdout } = await check(bench, ['--at-least', '1', '--format', 'json']);
    expect({ status, ...(JSON.parse(stdout) as object) }).toEqual({
      status: 0,
      success: true,
      command: 'check',
      ready: true,
      service: 'shop',
      database: bench.database.name,
      version: 2,
      required: 1,
    });
    expect(await traces(bench)).toEqual(before);
  });

  test('a check passes while a migrator has the lock', async () => {
    const bench = await setTable(
      { '1_one.up.sql': 'create table t ();', '2_slow.up.sql': 'select pg_sleep(60);' },
      server,
    );
    const { child, ended, saw } = bench.begin(['up']);
    await saw(/1 one/);
    expect((await check(bench, ['--at-least', '1'])).stdout).toBe('shop is ready: at 1, 1 is needed\n');
    child.kill('SIGTERM');
    await ended;
  });

  test('a schema that is absent, older or dirty is told apart by words and status', async () => {
    const bench = await setTable(files, server);
    expect(await check(bench, ['--at-least', '1'])).toEqual({
      status: 3,
      stdout: '',
      stderr: 'migrate: shop was never migrated: there is no schema_migrations\n  try: migrate up\n',
    });
    await bench.migrate(['up']);
    expect(await check(bench, ['--at-least', '3'])).toEqual({
      status: 3,
      stdout: '',
      stderr: 'migrate: the schema of shop is at 2 and the app needs 3\n  try: migrate up\n',
    });
    const older = await check(bench, ['--at-least', '9223372036854775807', '--format', 'json']);
    expect(JSON.parse(older.stdout)).toMatchObject({
      success: false,
      command: 'check',
      ready: false,
      version: 2,
      required: '9223372036854775807',
      error: { code: 'schema-older', exitStatus: 3, hint: 'migrate up' },
    });
    await once(bench.database.ownerUrl, 'update schema_migrations set dirty = true');
    expect(await check(bench, ['--at-least', '1'])).toEqual({
      status: 5,
      stdout: '',
      stderr:
        'migrate: the schema of shop is dirty at 2: a migration began and did not finish\n  try: migrate status\n',
    });
    await once(bench.database.ownerUrl, 'truncate schema_migrations');
    expect(await check(bench, ['--at-least', '0'])).toMatchObject({
      status: 3,
      stderr: 'migrate: shop was never migrated: schema_migrations is empty\n  try: migrate up\n',
    });
  });

  test('a receipt that is closed, elsewhere or another tool’s says what helps', async () => {
    const bench = await setTable(files, server);
    const { app, ownerUrl } = bench.database;
    await bench.migrate(['up']);
    const words = async (environment: NodeJS.ProcessEnv = {}) => {
      const { status, stderr } = await check(bench, ['--at-least', '1'], environment);
      expect(status).toBe(3);
      return steady(stderr, bench);
    };
    await once(ownerUrl, `revoke all on schema_migrations from ${app}`);
    expect(await words()).toBe(
      [
        'migrate: schema_migrations cannot be read: permission denied for table schema_migrations',
        '  role: shopdb_app',
        '  try: grant select on schema_migrations to shopdb_app, as the role that migrates',
        '',
      ].join('\n'),
    );
    await once(ownerUrl, 'create schema "Odd one"; alter table schema_migrations set schema "Odd one"');
    expect(await words()).toBe(
      [
        'migrate: shop was never migrated: there is no schema_migrations',
        '  there is "Odd one".schema_migrations, and the role shopdb_app has no USAGE on the schema Odd one',
        '',
      ].join('\n'),
    );
    const named = { MIGRATIONS_TABLE: '"Odd one".schema_migrations' };
    expect(await words(named)).toBe(
      [
        'migrate: "Odd one".schema_migrations cannot be read: permission denied for schema Odd one',
        '  role: shopdb_app',
        '  try: grant usage on schema "Odd one" to shopdb_app, as the role that migrates',
        '',
      ].join('\n'),
    );
    await once(
      ownerUrl,
      `grant usage on schema "Odd one" to ${app}; grant select on "Odd one".schema_migrations to ${app}`,
    );
    expect((await check(bench, ['--at-least', '2'], named)).stdout).toBe(
      'shop is ready: at 2, 2 is needed\n',
    );
    expect(await words()).toContain('  there is "Odd one".schema_migrations; MIGRATIONS_TABLE can name it\n');
    await once(ownerUrl, 'create table schema_migrations (version varchar primary key)');
    expect(await words()).toBe(
      'migrate: schema_migrations cannot be read: column "dirty" does not exist\n  another table can be named with MIGRATIONS_TABLE\n',
    );
  });

  test('--wait sees a migrator come, and a recreate swap the database under it', async () => {
    const bench = await setTable(files, server);
    const waiting = check(bench, ['--at-least', '3', '--wait']);
    await bench.migrate(['up']);
    // Edited: in development the database is built anew, with version 3 in it.
    await bench.write({ '1_one.up.sql': 'select 2;', '3_three.up.sql': 'select 1;' });
    expect((await bench.migrate(['up'])).stdout).toMatch(/^shop was recreated/);
    expect(await waiting).toMatchObject({ status: 0, stdout: 'shop is ready: at 3, 3 is needed\n' });
  });

  test('--wait waits out a dirty schema, and at the timeout ends as it would without', async () => {
    const bench = await setTable(files, server);
    await bench.migrate(['up']);
    await once(bench.database.ownerUrl, 'update schema_migrations set dirty = true');
    const startedAt = performance.now();
    const { status, stderr } = await check(bench, ['--at-least', '2', '--wait', '--timeout', '2s']);
    expect(performance.now() - startedAt).toBeGreaterThan(1800);
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect(steady(stderr, bench)).toBe(
      [
        'waiting for the schema: the schema of shop is dirty at 2: a migration began and did not finish',
        'migrate: the schema of shop is dirty at 2: a migration began and did not finish',
        '  time: database ‹n› ms, schema ‹n› ms',
        '  try: migrate status',
        '',
      ].join('\n'),
    );
    expect(status).toBe(5);
    const waiting = check(bench, ['--at-least', '2', '--wait']);
    await once(bench.database.ownerUrl, 'update schema_migrations set dirty = false');
    expect((await waiting).status).toBe(0);
  });

  test('--wait does not wait for what is wrong for good, and SIGTERM ends it with 143', async () => {
    const bench = await setTable(files, server);
    const url = new URL(bench.database.appUrl);
    url.password = 'wrong';
    const refused = await check(bench, ['--wait'], { DATABASE_CONNECTION_STRING: url.href });
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('refused: the password of');
    await once(bench.database.ownerUrl, 'create table schema_migrations (version text, dirty text)');
    await once(bench.database.ownerUrl, "insert into schema_migrations values ('1', 'no')");
    expect((await check(bench, ['--wait'])).stderr).toBe(
      'migrate: schema_migrations is no receipt: its row is not a number and a truth value\n  another table can be named with MIGRATIONS_TABLE\n',
    );
    await once(bench.database.ownerUrl, 'drop table schema_migrations');
    const { child, ended, saw } = bench.begin(['check', '--wait']);
    await saw(/waiting for the schema/);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ status: 143, stdout: '' });
  });

  test('who keeps the receipt locked until the timeout is named', async () => {
    const bench = await setTable(files, server);
    await bench.migrate(['up']);
    const client = new Client({ connectionString: bench.database.ownerUrl });
    client.on('error', () => {});
    await client.connect();
    await client.query('begin; lock table schema_migrations');
    const asked = check(bench, ['--at-least', '2', '--timeout', '2s']);
    const waiting = check(bench, ['--at-least', '2', '--timeout', '2s', '--wait']);
    for (const { status, stderr } of await Promise.all([asked, waiting])) {
      expect(steady(stderr, bench)).toMatch(
        /^migrate: the history of shopdb could not be read within 2 s\n/m,
      );
      expect(steady(stderr, bench)).toMatch(
        / {2}schema_migrations is locked by pid ‹n›, user shopdb_migrator/,
      );
      expect(status).toBe(3);
    }
    await client.end();
  });

  test('a role that may not read the history is told so by version, status and up', async () => {
    const bench = await setTable(files, server);
    await bench.migrate(['up']);
    const { app, appUrl, ownerUrl } = bench.database;
    await once(ownerUrl, `revoke all on schema_migrations_history from ${app}`);
    for (const command of ['version', 'status', 'plan', 'up']) {
      const { status, stderr } = await bench.migrate([command], { DATABASE_CONNECTION_STRING: appUrl });
      expect(steady(stderr, bench)).toBe(
        [
          'migrate: the role shopdb_app may not read the history in "public"."schema_migrations_history"',
          '  permission denied for table schema_migrations_history (42501)',
          '  try: the role shopdb_migrator, which owns the table',
          '',
        ].join('\n'),
      );
      expect(status).toBe(3);
    }
    await once(ownerUrl, `revoke all on schema_migrations from ${app}`);
    const { stderr } = await bench.migrate(['version'], { DATABASE_CONNECTION_STRING: appUrl });
    expect(stderr).toContain('may not read the history in "public"."schema_migrations"\n');
  });
});

test('without --at-least the files say what is needed, and any clean version does where there are none', async () => {
  const bench = await setTable(files);
  await bench.migrate(['up', '1']);
  expect(await check(bench)).toEqual({
    status: 3,
    stdout: '',
    stderr: `migrate: the schema of shop is at 1 and the app needs 2\n  2 is the newest version in ${bench.folder}\n  try: migrate up\n`,
  });
  // ./migrations is not there in the folder the tests run in.
  expect((await check(bench, [], { MIGRATIONS_PATH: '' })).stdout).toBe('shop is ready: at 1\n');
  expect(await check(bench, [], { MIGRATIONS_PATH: '/nowhere' })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('the folder of migrations /nowhere does not exist\n'),
  });
  await bench.remove('1_one.up.sql', '2_two.up.sql');
  expect(await check(bench)).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('no migrations in this folder'),
  });
  await bench.write({ '3_three.up.sql': "select 'open" });
  expect((await check(bench)).stderr).toContain('3_three.up.sql:1:8  the quoted string is never closed\n');
});

test('a version that is none is refused by check before anything is asked', async () => {
  const bench = await setTable(files);
  for (const version of ['-1', '1.5', 'two', '1e3', '9223372036854775808', '٣']) {
    expect(await check(bench, [`--at-least=${version}`])).toEqual({
      status: 2,
      stdout: '',
      stderr: `migrate: --at-least: expected a version from 0 to 9223372036854775807, got "${version}"\n  try: migrate check --help\n`,
    });
  }
  expect((await check(bench, ['--at-least'])).status).toBe(2);
  expect((await check(bench, ['12'])).stderr).toBe('migrate: too many arguments\n  try: migrate --help\n');
});

test('the connection string and the password come from files, and appear nowhere', async () => {
  const bench = await setTable(files);
  await bench.migrate(['up']);
  const folder = await mkdtemp(join(tmpdir(), 'lockstep secrets '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'secret');
  const url = new URL(bench.database.appUrl);
  const direct = { DATABASE_CONNECTION_STRING: '', DATABASE_CONNECTION_STRING_FILE: file };
  const parts = {
    DATABASE_CONNECTION_STRING: '',
    DB_HOST: url.hostname,
    DB_PORT: url.port,
    DB_NAME: bench.database.name,
    DB_ADMIN_USER: url.username,
    DB_ADMIN_PASSWORD_FILE: file,
  };
  await writeFile(file, `${url.href}\n`);
  expect((await check(bench, [], direct)).stdout).toBe('shop is ready: at 2, 2 is needed\n');
  await writeFile(file, `${url.password}\r\n`);
  expect((await check(bench, [], parts)).stdout).toBe('shop is ready: at 2, 2 is needed\n');
  await writeFile(file, 'hunter2-wrong');
  for (const environment of [direct, parts]) {
    const { status, stdout, stderr } = await check(bench, ['--format', 'json'], environment);
    expect(status).toBe(environment === direct ? 2 : 3);
    expect(stdout + stderr).not.toContain('hunter2');
  }
});
