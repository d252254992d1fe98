import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, ownContainers } from '../support/own-containers.ts';

const image = 'lockstep/offline-postgres:18';
const password = 'a-Test&password with $igns';
const own = ownContainers();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lockstep test postgres-'));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'password'), `${password}\n`, { mode: 0o644 });
});
afterAll(async () => {
  await own.removeAll();
  await rm(folder, { recursive: true, force: true });
});

const sockets = '--tmpfs=/run/postgresql:mode=3777';
const published = '--publish=127.0.0.1::5432';
const fromFile = () => [
  `--mount=type=bind,source=${join(folder, 'password')},target=/run/secrets/password,readonly`,
  '--env=POSTGRES_PASSWORD_FILE=/run/secrets/password',
];

/** Starts a server whose port is published. */
const start = (flags: readonly string[], words: readonly string[] = []) =>
  own.start(image, [sockets, published, ...flags], words);

/** Asks one question over TCP, from outside the container, until the server answers. */
async function ask(container: string, sql: string, as: { user?: string; database?: string } = {}) {
  const port = await own.port(container, 5432);
  return eventually(async () => {
    const client = new Client({
      host: '127.0.0.1',
      port,
      user: as.user ?? 'postgres',
      password,
      database: as.database ?? 'postgres',
      connectionTimeoutMillis: 2_000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<Record<string, unknown>>(sql);
      return rows[0];
    } finally {
      await client.end().catch(() => undefined);
    }
  });
}

/** A folder of initialisation scripts, mounted where the entry point looks. */
async function scripts(name: string, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const place = join(folder, name);
  await mkdir(place);
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(place, file), content);
    await chmod(join(place, file), file.startsWith('run') ? 0o755 : 0o644);
  }
  return `--mount=type=bind,source=${place},target=/docker-entrypoint-initdb.d,readonly`;
}

test('a start without a password is refused, and says what to set', async () => {
  const { status, stderr } = await own.run(image, [sockets]);
  expect(status).toBe(1);
  expect(stderr).toContain('no superuser password is given');
  expect(stderr).toContain('POSTGRES_PASSWORD');
});

test('a password and a password file at once are refused', async () => {
  const { status, stderr } = await own.run(image, [sockets, ...fromFile(), '--env=POSTGRES_PASSWORD=other']);
  expect(status).toBe(1);
  expect(stderr).toContain('POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set');
});

test('trust lets anybody in, says so, and needs no password', async () => {
  const container = await start(['--env=POSTGRES_HOST_AUTH_METHOD=trust']);
  expect(await ask(container, 'select 1 as one')).toEqual({ one: 1 });
  expect(await own.logs(container)).toContain('trust lets anybody in');
});

test('the password of a file opens the server over TCP, and a wrong one does not', async () => {
  const container = await start(fromFile());
  expect(await ask(container, 'select current_user as name')).toEqual({ name: 'postgres' });
  const client = new Client({
    host: '127.0.0.1',
    port: await own.port(container, 5432),
    user: 'postgres',
    password: 'wrong',
    database: 'postgres',
  });
  await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
});

test('the server is the first process, of user 999, in a container without capabilities and with a read-only root', async () => {
  const container = await start(fromFile());
  await ask(container, 'select 1');
  const status = await own.output('exec', container, 'cat', '/proc/1/status');
  expect(status).toMatch(/^Name:\tpostgres$/m);
  expect(status).toMatch(/^Uid:\t999\t999/m);
  expect(status).toMatch(/^CapEff:\t0{16}$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect((await own.call('exec', container, 'touch', '/etc/written')).status).not.toBe(0);
});

test('the password is in no argument, no output and no environment', async () => {
  const container = await start(fromFile());
  await ask(container, 'select 1');
  const seen = [
    await own.logs(container),
    await own.output('container', 'inspect', container),
    await own.output(
      'exec',
      container,
      'sh',
      '-c',
      'cat /proc/[0-9]*/cmdline /proc/1/environ | tr "\\0" " "',
    ),
  ].join('\n');
  expect(seen).toContain('postgres');
  expect(seen).not.toContain(password);
});

test('POSTGRES_USER and POSTGRES_DB make a superuser and its database', async () => {
  const container = await start([...fromFile(), '--env=POSTGRES_USER=Own er-1', "--env=POSTGRES_DB=shop's"]);
  const sql = 'select current_database() as name, rolsuper from pg_roles where rolname = current_user';
  const as = { user: 'Own er-1', database: "shop's" };
  expect(await ask(container, sql, as)).toEqual({ name: "shop's", rolsuper: true });
});

test('initialisation scripts of every kind run by name, in the database, on the first start only', async () => {
  const mount = await scripts('order', {
    '1.sql': 'create table seen (n serial, by text); insert into seen (by) values (current_database());',
    '2.sql.gz': gzipSync("insert into seen (by) values ('gz');"),
    '3.sh': 'psql -d "$POSTGRES_DB" -c "insert into seen (by) values (\'sourced\')"',
    'run4.sh':
      '#!/bin/sh\nset -e\necho "# by a script" >>"$PGDATA/postgresql.conf"\npsql -d "$POSTGRES_DB" -c "insert into seen (by) values (\'run\')"\n',
    'z.txt': 'not a script',
  });
  const container = await start([mount, ...fromFile(), '--env=POSTGRES_DB=shop']);
  const sql = "select string_agg(by, ' ' order by n) as order from seen";
  expect(await ask(container, sql, { database: 'shop' })).toEqual({ order: 'shop gz sourced run' });
  expect(await own.logs(container)).toContain('z.txt is ignored');
  await own.output('restart', container);
  expect(await ask(container, sql, { database: 'shop' })).toEqual({ order: 'shop gz sourced run' });
  const settings = await own.output('exec', container, 'sh', '-c', 'cat "$PGDATA/postgresql.conf"');
  expect(settings).toContain('# by a script');
});

test('a script that fails ends the start, and the next start begins anew', async () => {
  const files = { '1.sql': 'create table once (n int);', '2.sql': 'select broken' };
  const mount = await scripts('failing', files);
  const volume = await own.volume();
  const flags = [mount, ...fromFile(), `--volume=${volume}:/var/lib/postgresql`];
  const first = await own.run(image, [sockets, ...flags]);
  expect(first.status).not.toBe(0);
  expect(first.stderr).toContain('column "broken" does not exist');
  await writeFile(join(folder, 'failing', '2.sql'), 'insert into once values (1)');
  const container = await start(flags);
  expect(await ask(container, 'select count(*)::int as rows from once')).toEqual({ rows: 1 });
});

test('an initialisation that was killed is begun anew at the next start', async () => {
  const mount = await scripts('slow', { '1.sql': 'create table once (n int); select pg_sleep(60);' });
  const volume = await own.volume();
  const flags = [...fromFile(), `--volume=${volume}:/var/lib/postgresql`];
  for (const moment of ['initdb', 'pg_sleep']) {
    const container = await start([mount, ...flags]);
    await eventually(async () =>
      expect(await own.output('top', container)).toContain(moment === 'initdb' ? 'initdb' : 'SELECT'),
    );
    await own.output('kill', container);
    await own.exitStatus(container);
  }
  const container = await start(flags);
  expect(await ask(container, "select to_regclass('once') as table")).toEqual({ table: null });
});

test('data outlives the container, and arguments reach the server', async () => {
  const volume = await own.volume();
  const flags = [...fromFile(), `--volume=${volume}:/var/lib/postgresql`];
  const first = await start(flags);
  await ask(first, 'create table kept as select 7 as n');
  await own.output('rm', '--force', '--volumes', first);
  const second = await start(flags, ['-c', 'max_connections=17']);
  expect(await ask(second, 'select n, current_setting($$max_connections$$) as most from kept')).toEqual({
    n: 7,
    most: '17',
  });
});

test('the data folder may be a volume itself, and root steps down', async () => {
  const volume = await own.volume();
  const name = await own.output(
    ...['run', '--detach', '--user=root', published, ...fromFile()],
    ...[`--volume=${volume}:/var/lib/postgresql/18/docker`, image],
  );
  try {
    expect(await ask(name, 'select 1 as one')).toEqual({ one: 1 });
    expect(await own.output('exec', name, 'cat', '/proc/1/status')).toMatch(/^Uid:\t999\t999/m);
  } finally {
    await own.output('rm', '--force', '--volumes', name);
  }
});

test('a folder that holds something else is not touched', async () => {
  const volume = await own.volume();
  const mount = `--volume=${volume}:/var/lib/postgresql/18/docker`;
  const write = ['-c', 'echo precious >/var/lib/postgresql/18/docker/notes'];
  expect((await own.run(image, ['--user=root', '--entrypoint=/bin/sh', mount], write)).status).toBe(0);
  const { status, stderr } = await own.run(image, [
    sockets,
    ...fromFile(),
    mount,
    '--user=root',
    '--cap-add=CHOWN',
    '--cap-add=SETUID',
    '--cap-add=SETGID',
    '--cap-add=DAC_OVERRIDE',
    '--cap-add=FOWNER',
  ]);
  expect(status).toBe(1);
  expect(stderr).toContain('is not empty, and not a Postgres data folder');
  const read = ['-c', 'cat /var/lib/postgresql/18/docker/notes'];
  expect(
    (await own.run(image, ['--user=root', '--cap-add=DAC_OVERRIDE', '--entrypoint=/bin/sh', mount], read))
      .stdout,
  ).toBe('precious\n');
});

test('it stops in a moment while a client is connected', async () => {
  const container = await start(fromFile());
  await ask(container, 'select 1');
  const client = new Client({
    host: '127.0.0.1',
    port: await own.port(container, 5432),
    user: 'postgres',
    password,
    database: 'postgres',
  });
  client.on('error', () => undefined);
  await client.connect();
  const from = Date.now();
  await own.output('stop', '--time=9', container);
  expect(Date.now() - from).toBeLessThan(5_000);
  expect(await own.logs(container)).toContain('received fast shutdown request');
});

test('what is no start of a server needs no password', async () => {
  expect((await own.run(image, [], ['--version'])).stdout).toMatch(/^postgres \(PostgreSQL\) 18\./);
  expect((await own.run(image, [], ['psql', '--version'])).stdout).toContain('psql (PostgreSQL)');
});
