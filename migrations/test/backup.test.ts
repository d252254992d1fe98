import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { postgresServers } from '../../test/support/postgres.ts';
import { besides, setTable, until, type Workbench } from './support.ts';

const files = {
  '000001_orders.up.sql':
    'create table customers (id bigint generated always as identity primary key, name text not null);\n' +
    'create table "Orders Of 2026" (id bigint primary key, customer bigint not null references customers);\n' +
    'create table notes (text text);\ncreate view named as select name from customers;\n',
  '000001_orders.down.sql':
    'drop view named;\ndrop table "Orders Of 2026";\ndrop table customers;\ndrop table notes;\n',
};
const rows = `insert into customers (name) select 'customer ' || g from generate_series(1, 500) g;
  insert into "Orders Of 2026" select g, 1 + g % 500 from generate_series(1, 2000) g; insert into notes values ('n')`;

async function withRows(server: { readonly client: string | undefined; readonly superuserUrl: string }) {
  const bench = await setTable(files, server);
  expect((await bench.migrate(['up'])).status).toBe(0);
  await bench.database.query(`set role "${bench.database.owner}"; ${rows}`);
  const folder = join(bench.folder, 'backups');
  const environment = { MIGRATION_BACKUP_FOLDER: folder, MIGRATION_PG_BIN: server.client };
  const migrate = (...args: string[]) => bench.migrate(args, environment);
  return { bench, folder, environment, migrate };
}

const dumpsIn = async (folder: string) => (await readdir(folder)).filter((name) => name.endsWith('.dump'));
const scratches = (bench: Workbench) =>
  bench.value(
    `select count(*)::int from pg_database where datname like '${bench.database.name}\\_\\_scratch%'`,
  );

describe.each(postgresServers().filter(({ client }) => client !== undefined))('on $name', (server) => {
  test('a backup is verified by restoring it, listed, and brings everything back', async () => {
    const { bench, folder, migrate } = await withRows(server);
    const taken = await migrate('backup', '--format', 'json');
    expect(taken.status, taken.stderr).toBe(0);
    const document = JSON.parse(taken.stdout);
    expect(document).toMatchObject({
      success: true,
      kind: 'full',
      version: '1',
      tables: 5,
      tablesWithoutRows: 0,
    });
    expect(document.verifiedAt).toMatch(/^20\d\d-/);
    expect(await scratches(bench)).toBe(0);
    const listed = await bench.migrate(['backup', '--list'], {
      MIGRATION_BACKUP_FOLDER: folder,
      DATABASE_CONNECTION_STRING: '',
    });
    expect(listed.stdout).toMatch(
      /^1 backup\n.*\n.*__\d{8}T\d{6}_full_[0-9a-f]{6}\.dump .*full .*verified$/m,
    );

    await bench.database.query(
      'drop view named; delete from "Orders Of 2026"; alter table customers drop column name',
    );
    const restored = await migrate('restore', 'latest', '--yes');
    expect(restored.status, restored.stderr).toBe(0);
    expect(restored.stdout).toMatch(
      /shop was restored from .*: at 1, of .*\n {2}the database as it was is kept as /,
    );
    expect(await bench.value('select count(*)::int from "Orders Of 2026"')).toBe(2000);
    expect(await bench.value('select max(name) from named')).toBe('customer 99');
    expect((await migrate('up')).stdout).toMatch(/is at 1, nothing to do/);
    expect((await migrate('verify')).status).toBe(0);
    // The app's role has what it had: grants on the database itself are in no dump.
    expect(
      await bench.value(
        `select has_database_privilege('${bench.database.app}', current_database(), 'connect')`,
      ),
    ).toBe(true);
    // And what was restored over is kept, with what was done to it.
    const undone = await migrate('undo');
    expect(undone.status, undone.stderr).toBe(0);
    expect(await bench.value('select count(*)::int from "Orders Of 2026"')).toBe(0);
  });

  test('a backup restored beside the database leaves it alone', async () => {
    const { bench, migrate } = await withRows(server);
    await migrate('backup', '--unverified');
    const copy = `${bench.database.name}__copy`;
    const dry = await migrate('restore', 'latest', '--into', copy, '--dry-run');
    expect(dry.stdout).toMatch(/would be restored/);
    const restored = await migrate('restore', 'latest', '--into', copy);
    expect(restored.status, restored.stderr).toBe(0);
    expect(await bench.value(`select count(*)::int from pg_database where datname = '${copy}'`)).toBe(1);
    const again = await migrate('restore', 'latest', '--into', copy);
    expect({ status: again.status, stderr: again.stderr }).toEqual({
      status: 3,
      stderr: expect.stringMatching(/already exists/),
    });
  });

  test('what was cut short, changed or lost its manifest is refused, and nothing is replaced', async () => {
    const { folder, migrate } = await withRows(server);
    await migrate('backup', '--unverified');
    const [dump = ''] = await dumpsIn(folder);
    const path = join(folder, dump);
    const bytes = await readFile(path);
    await truncate(path, bytes.length - 10);
    const short = await migrate('restore', 'latest', '--yes');
    expect(short.status).toBe(3);
    expect(short.stderr).toMatch(/is not what was written\n {2}it has [\d,]+ bytes, its manifest says \d+/);
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect((await migrate('restore', dump, '--yes')).stderr).toMatch(
      /its checksum is not the one in its manifest/,
    );
    const manifest = path.replace(/\.dump$/, '.json');
    const text = await readFile(manifest, 'utf8');
    await writeFile(manifest, text.replace(`"${dump}"`, '"../../etc/passwd.dump"'));
    expect((await migrate('restore', dump, '--yes')).stderr).toMatch(/is no manifest of a backup/);
    expect((await migrate('restore', 'latest', '--yes')).stderr).toMatch(/there is no full backup of t_/);
    expect((await migrate('restore', 'nothing', '--yes')).stderr).toMatch(/there is no backup .*nothing/);
  });

  test('a manifest that promises other rows: what came out is refused, and the database stays', async () => {
    const { bench, folder, migrate } = await withRows(server);
    await migrate('backup', '--unverified');
    const [dump = ''] = await dumpsIn(folder);
    const path = join(folder, dump.replace(/\.dump$/, '.json'));
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/("\\"public\\".\\"notes\\"": )1/, '$12'));
    await bench.database.query('delete from notes');
    const refused = await migrate('restore', 'latest', '--yes');
    expect(refused.status).toBe(6);
    expect(refused.stderr).toMatch(/"public"."notes": expected 2 rows, found 1\n.*itself was not touched/);
    expect(await bench.value('select count(*)::int from notes')).toBe(0);
    expect(await besides(bench)).toEqual([]);
  });

  test('only the newest are kept, and no other database loses one', async () => {
    const { bench, folder, migrate } = await withRows(server);
    await mkdir(folder, { recursive: true });
    for (let taken = 0; taken < 3; taken += 1) {
      expect((await migrate('backup', '--unverified', '--backup-keep', '2')).status).toBe(0);
    }
    expect(await dumpsIn(folder)).toHaveLength(2);
    const foreign = (
      await readFile(join(folder, ((await dumpsIn(folder))[0] ?? '').replace(/dump$/, 'json')), 'utf8')
    ).replace(`"database": "${bench.database.name}"`, '"database": "other"');
    await writeFile(join(folder, 'other.json'), foreign);
    expect((await migrate('backup', '--unverified', '--backup-keep', '1')).status).toBe(0);
    expect(await dumpsIn(folder)).toHaveLength(1);
    expect(await readdir(folder)).toContain('other.json');
  });

  test('without a terminal nobody is asked: status 7, and nothing was replaced', async () => {
    const { migrate } = await withRows(server);
    await migrate('backup', '--unverified');
    const asked = await migrate('restore', 'latest');
    expect(asked.status).toBe(7);
    expect(asked.stderr).toMatch(/needs confirmation/);
  });

  test('a folder that cannot be written, a lock that does not end: said, and nothing half-written stays', async () => {
    const { bench, folder, environment, migrate } = await withRows(server);
    await writeFile(join(bench.folder, 'file'), '');
    const noFolder = await bench.migrate(['backup'], {
      ...environment,
      MIGRATION_BACKUP_FOLDER: join(bench.folder, 'file/x'),
    });
    expect({ status: noFolder.status, stderr: noFolder.stderr }).toEqual({
      status: 3,
      stderr: expect.stringMatching(/no backup can be written to .*\n {2}a part of the path is no folder/),
    });
    const holder = await bench.begin(['version'], {}).ended;
    expect(holder.status).toBe(0);
    const locked = bench.database.query(
      'begin; lock table notes in access exclusive mode; select pg_sleep(4); commit',
    );
    await until(
      async () =>
        (await bench.value(
          `select count(*)::int from pg_locks where relation = 'notes'::regclass and mode = 'AccessExclusiveLock' and granted`,
        )) !== 0,
    );
    const late = await migrate('backup', '--timeout', '2s');
    expect(late.status).toBe(3);
    await locked;
    expect((await readdir(folder)).filter((name) => !name.endsWith('.json'))).toEqual([]);
  });

  test('killed in the middle, it leaves no backup that would count', async () => {
    const { bench, folder, environment, migrate } = await withRows(server);
    const locked = bench.database.query(
      'begin; lock table notes in access exclusive mode; select pg_sleep(3); commit',
    );
    const running = bench.begin(['backup'], environment);
    await running.saw(/taking a full backup/);
    running.child.kill('SIGKILL');
    await running.ended;
    await locked;
    expect((await migrate('backup', '--list')).stdout).toMatch(/^0 backups/);
    expect((await migrate('backup')).status).toBe(0);
    expect((await dumpsIn(folder)).length).toBe(1);
  });
});

test('no pg_dump of the server’s version: status 3, and each one that was found is named', async () => {
  const bench = await setTable(files);
  await bench.migrate(['up']);
  const folder = join(bench.folder, 'bin');
  await mkdir(folder);
  await writeFile(join(folder, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.1"\n', { mode: 0o755 });
  const { status, stderr } = await bench.migrate(['backup'], { MIGRATION_PG_BIN: folder });
  expect(status).toBe(3);
  expect(stderr).toMatch(
    /no pg_dump for Postgres \d+ was found\n {2}.*pg_dump is 9\.6\.1\n {2}Debian's package/,
  );
});

test('a password never reaches the arguments of pg_dump', async () => {
  const bench = await setTable(files);
  await bench.migrate(['up']);
  const folder = join(bench.folder, 'bin');
  await mkdir(folder);
  const major = await bench.value(`select current_setting('server_version_num')::int / 10000`);
  const seen = join(bench.folder, 'seen');
  await writeFile(
    join(folder, 'pg_dump'),
    `#!/bin/sh\nif [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) ${major}.1"; exit; fi\necho "$@" >'${seen}'\necho "no: $PGPASSWORD" >&2; exit 1\n`,
    { mode: 0o755 },
  );
  const { status, stderr } = await bench.migrate(['backup', '--unverified'], { MIGRATION_PG_BIN: folder });
  const password = new URL(bench.database.ownerUrl).password;
  expect(status).toBe(3);
  expect(stderr).toMatch(/pg_dump did not finish\n {2}no: /);
  expect(stderr).not.toContain(password);
  expect(await readFile(seen, 'utf8')).not.toContain(password);
});
