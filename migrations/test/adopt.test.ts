import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { onTerminal, setTable, steady } from './support.ts';

const files = Object.fromEntries(
  [1, 2, 3, 4].flatMap((n) => [
    [`00000${n}_t${n}.up.sql`, `create table t${n} (id int);`],
    [`00000${n}_t${n}.down.sql`, `drop table t${n};`],
  ]),
);
const tables = `select coalesce(string_agg(tablename, ' ' order by tablename), '') from pg_tables where tablename ~ '^t[0-9]'`;
const row = 'select version::text, dirty from schema_migrations';

describe.each(postgresServers())('on $name', (server) => {
  test('goto goes up and down to exactly that version, and refuses one that nobody knows', async () => {
    const bench = await setTable(files, server);
    const said = async (version: string) => steady((await bench.migrate(['goto', version])).stdout, bench);
    expect(await said('3')).toBe('shop: 3 migrations applied, from none to 3, ‹n› ms\n');
    expect(await said('000001')).toBe('shop: 2 migrations taken back, from 3 to 1, ‹n› ms\n');
    expect(await said('1')).toBe('shop is at 1, nothing to do\n');
    expect(await bench.value(tables)).toBe('t1');
    const { status, stdout, stderr } = await bench.migrate(['goto', '9']);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: 'migrate: there is no migration 9\n  the nearest are 4\n  try: migrate status\n',
    });
    // As golang-migrate: a version whose file is gone but which is applied can be gone to.
    await bench.migrate(['goto', '3']);
    await bench.remove('000002_t2.up.sql', '000002_t2.down.sql');
    expect((await bench.migrate(['goto', '2'])).status).toBe(0);
    expect(await bench.value(tables)).toBe('t1 t2');
  });

  test('baseline takes over a database without a history, and only such a one', async () => {
    const bench = await setTable(files, server);
    await once(bench.database.ownerUrl, 'create table t1 (id int); create table t2 (id int)');
    const dry = await bench.migrate(['baseline', '2', '--dry-run']);
    expect(dry.stdout).toBe(
      'the history of shop would say 2, was none; 2 migrations recorded as applied; nothing was run\n',
    );
    expect(await bench.value("select to_regclass('schema_migrations') is null")).toBe(true);
    expect((await bench.migrate(['baseline', '2'])).stdout).toBe(dry.stdout.replace('would say', 'says'));
    expect((await bench.migrate(['verify'])).status).toBe(0);
    expect((await bench.migrate(['up'])).stdout).toMatch(/^shop: 2 migrations applied, from 2 to 4/);
    expect((await bench.migrate(['down', '3'])).status).toBe(0);
    expect(await bench.value(tables)).toBe('t1');
    const again = await bench.migrate(['baseline', '2']);
    expect({ status: again.status, stderr: steady(again.stderr, bench) }).toEqual({
      status: 6,
      stderr: 'migrate: shopdb has a history\n  it says 1\n  try: migrate status\n',
    });
    expect((await bench.migrate(['baseline', '7'])).status).toBe(6);
  });

  test('force says where the schema is and runs nothing; both tables agree after it', async () => {
    const bench = await setTable(
      { ...files, '000005_half.up.sql': 'create table t5 (id int);\nvacuum nothing_there;' },
      server,
    );
    expect((await bench.migrate(['up'], { MIGRATION_ENVIRONMENT: 'staging', ...relaxed })).status).toBe(1);
    expect(await bench.rows(row)).toEqual([['5', true]]);
    const dry = await bench.migrate(['force', '4', '--dry-run']);
    expect(dry.stdout).toBe('the history of shop would say 4, was 5 (dirty); nothing was run\n');
    expect(await bench.rows(row)).toEqual([['5', true]]);
    const { status, stdout } = await bench.migrate(['force', '4', '--yes', '--format', 'json']);
    expect({ status, ...(JSON.parse(stdout) as object) }).toMatchObject({
      status: 0,
      from: 5,
      dirty: true,
      to: 4,
      recorded: [],
      dryRun: false,
    });
    expect(await bench.rows(row)).toEqual([['4', false]]);
    expect(await bench.value('select count(*)::int from schema_migrations_history')).toBe(4);
    expect((await bench.migrate(['force', '5', '--yes'])).status).toBe(0);
    expect((await bench.migrate(['status'])).stdout).toMatch(/^shop is at 5, 0 pending/);
    expect((await bench.migrate(['force', 'none', '--yes'])).status).toBe(0);
    expect(await bench.rows(row)).toEqual([]);
    expect(await bench.value('select count(*)::int from schema_migrations_history')).toBe(0);
    expect(await bench.value(tables)).toBe('t1 t2 t3 t4 t5');
    expect((await bench.migrate(['force', '8', '--yes'])).status).toBe(2);
  });

  test('history lists what was applied without any file', async () => {
    const bench = await setTable(files, server);
    await bench.migrate(['up', '2']);
    const { stdout } = await bench.migrate(['history', '--path', '/nowhere']);
    expect(
      steady(stdout, bench)
        .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, '‹time›')
        .replace(/[0-9a-f]{12}$/gm, '‹checksum›')
        .replace(/ +/g, ' '),
    ).toBe(
      [
        'shop is at 2; 2 migrations in the history, ‹n› ms in all',
        ' version description applied at took checksum',
        ' 1 t1 ‹time› ‹n› ms ‹checksum›',
        ' 2 t2 ‹time› ‹n› ms ‹checksum›',
        '',
      ].join('\n'),
    );
  });
});

const relaxed = { MIGRATION_BACKUP: 'none', MIGRATION_VALIDATION: 'minimal', MIGRATION_APPROVAL: 'none' };

test('force wants yes typed on a terminal, and without one it must be given', async () => {
  const bench = await setTable(files);
  await bench.migrate(['up']);
  const { status, stderr } = await bench.migrate(['force', '2']);
  expect({ status, stderr }).toEqual({
    status: 7,
    stderr:
      'migrate: needs confirmation and there is no terminal: pass --yes\n  force sets the version of shop to 2 and runs nothing\n  nothing was changed\n',
  });
  const no = await onTerminal(bench, 'force 2', 'y\n');
  expect(no.status).toBe(7);
  expect(no.shown).toContain('migrate: yes was not typed\n');
  const interrupted = await onTerminal(bench, 'force 2', '\u0003');
  expect(interrupted.status).toBe(130);
  expect(await bench.rows(row)).toEqual([['4', false]]);
  const yes = await onTerminal(bench, 'force 2', 'yes\n');
  expect({ status: yes.status, last: yes.shown.trimEnd().split('\n').at(-1) }).toEqual({
    status: 0,
    last: 'the history of shop says 2, was 4; nothing was run',
  });
  expect(await bench.rows(row)).toEqual([['2', false]]);
});
