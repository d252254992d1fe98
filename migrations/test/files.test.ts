import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { setTable, steady } from './support.ts';

/** The script of docs/coming-from.md that splits files of both directions. */
async function splitter(): Promise<string> {
  const page = await readFile(new URL('../../docs/coming-from.md', import.meta.url), 'utf8');
  const script = [...page.matchAll(/```sh\n(.*?)```/gs)].find(([, text]) => text?.includes('awk'))?.[1];
  if (script === undefined) throw new Error('docs/coming-from.md has no script');
  return script;
}

const tools = [
  ['dbmate', '-- migrate:up', '-- migrate:down'],
  ['goose', '-- +goose Up', '-- +goose Down'],
  ['sql-migrate', '-- +migrate Up', '-- +migrate Down'],
  ['node-pg-migrate', '-- Up Migration', '-- Down Migration'],
] as const;

describe.each(postgresServers())('on $name', (server) => {
  test.each(tools)('F1.1 F1.2 F1.3 F1.4 no half of a file of %s runs', async (_, up, down) => {
    const text = `${up}\ndrop table if exists precious;\n${down}\ndrop table precious;\n`;
    const bench = await setTable({ '1_a.up.sql': text }, server);
    await bench.database.query('create table precious as select 1 as row');
    for (const args of [['up'], ['up', '1'], ['goto', '1'], ['recreate']]) {
      const { status, stdout, stderr } = await bench.migrate(args);
      expect([status, stdout]).toEqual([3, '']);
      expect(steady(stderr, bench)).toContain(`  ‹folder›/1_a.up.sql:3:1  "${down}"`);
    }
    await bench.remove('1_a.up.sql');
    await bench.write({ '1_a.sql': text });
    expect((await bench.migrate(['up', '--layout', 'alphabetical'])).status).toBe(3);
    expect(await bench.value('select row from precious')).toBe(1);
    expect(await bench.value("select to_regclass('schema_migrations') is null")).toBe(true);
  });

  test('F2.1 files without a statement are applied, recorded, taken back', async () => {
    const bench = await setTable(
      {
        '1_a.up.sql': 'create table a ();',
        '1_a.down.sql': '',
        '2_empty.up.sql': '',
        '2_empty.down.sql': '',
        '3_comment.up.sql': '-- later',
        '4_b.up.sql': 'create table b ();',
        '5_end.up.sql': 'begin; commit;',
      },
      server,
    );
    const first = await bench.migrate(['up']);
    expect(steady(first.stderr, bench)).toBe(
      [
        '1 a … ‹n› ms',
        '2 empty … ‹n› ms',
        'warn: 2_empty.up.sql has no statement; 2 empty counts as applied',
        '3 comment … ‹n› ms',
        'warn: 3_comment.up.sql has no statement; 3 comment counts as applied',
        '4 b … ‹n› ms',
        '5 end … ‹n› ms',
        'warn: 5_end.up.sql has no statement; 5 end counts as applied',
        '',
      ].join('\n'),
    );
    expect(first.status).toBe(0);
    expect(await bench.migrate(['up'])).toMatchObject({ status: 0, stderr: '' });
    expect(
      await bench.rows(
        'select version::text, description, length(checksum), down_sql from schema_migrations_history order by version',
      ),
    ).toEqual([
      ['1', 'a', 64, ''],
      ['2', 'empty', 64, ''],
      ['3', 'comment', 64, null],
      ['4', 'b', 64, null],
      ['5', 'end', 64, null],
    ]);
    expect((await bench.migrate(['goto', '5'])).stdout).toContain('nothing to do');
    await bench.write({ '5_end.down.sql': '', '4_b.down.sql': 'drop table b', '3_comment.down.sql': '' });
    const down = await bench.migrate(['down', '5']);
    expect([down.status, down.stdout]).toEqual([
      0,
      expect.stringMatching(/5 migrations taken back, from 5 to none/),
    ]);
    // The down file of `a` takes nothing back, as it says.
    expect(await bench.rows("select to_regclass('a') is null as a, to_regclass('b') is null as b")).toEqual([
      [false, true],
    ]);
    expect((await bench.migrate(['recreate'])).status).toBe(0);
    expect(await bench.value("select to_regclass('b') is null")).toBe(false);
  });

  test('F2.1 files without a statement that golang-migrate applied are taken over', async () => {
    const bench = await setTable({ '1_a.up.sql': '', '2_b.up.sql': '', '3_c.up.sql': 'select 1' }, server);
    await once(
      bench.database.ownerUrl,
      `create table schema_migrations (version bigint not null primary key, dirty boolean not null);
       insert into schema_migrations values (2, false)`,
    );
    const { status, stdout } = await bench.migrate(['up']);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^shop: 1 migration applied, from 2 to 3/)]);
    await bench.write({ '2_b.up.sql': 'select 2' });
    expect((await bench.migrate(['status'])).stdout).toMatch(/2 +b +applied/);
  });
});

// The tools of a server make its backups.
const able = postgresServers()
  .filter(({ client }) => client !== undefined)
  .slice(0, 1);
const guarded = (folder: string, client: string | undefined) => ({
  MIGRATION_ENVIRONMENT: 'staging',
  MIGRATION_BACKUP_FOLDER: join(folder, 'backups'),
  MIGRATION_PG_BIN: client,
});

const odd = {
  '1_v6.0_x': 'v6.0_x',
  '2_two words': 'two words',
  '3_f-o_ob+ar': 'f-o_ob+ar',
  '4_a.b': 'a.b',
  '5_': '',
  '6_x.sql': 'x.sql',
  '7_größe 日本': 'größe 日本',
  '8_it\'s "$x" `%s` \\n': 'it\'s "$x" `%s` \\n',
  '9_a\u00a0b': 'a\u00a0b',
} as const;

const oddFiles = Object.fromEntries(
  Object.keys(odd).flatMap((stem) => {
    const table = `t${stem.charAt(0)}`;
    return [
      [`${stem}.up.sql`, `create table ${table} ();`],
      [`${stem}.down.sql`, `drop table ${table};`],
    ];
  }),
);

describe('F2.2 odd names', () => {
  test('survive in history, status, JSON, down, recreate, verify and docs', async () => {
    const bench = await setTable(oddFiles);
    const descriptions = Object.values(odd);
    const up = await bench.migrate(['up']);
    expect([
      up.status,
      up.stderr
        .split('\n')
        .slice(0, 5)
        .map((line) => line.replace(/ … .*/, '')),
    ]).toEqual([0, ['1 v6.0_x', '2 two words', '3 f-o_ob+ar', '4 a.b', '5']]);
    expect(
      (await bench.rows('select description from schema_migrations_history order by version')).flat(),
    ).toEqual(descriptions);
    const json = async (...args: string[]) => {
      const { stdout, status, stderr } = await bench.migrate([...args, '--format', 'json']);
      expect({ args, status, stderr }).toMatchObject({ status: 0 });
      return JSON.parse(stdout) as {
        migrations?: { description: string }[];
        applied?: { description: string }[];
        steps?: { description: string }[];
      };
    };
    expect((await json('status')).migrations?.map(({ description }) => description)).toEqual(descriptions);
    expect((await json('history')).applied?.map(({ description }) => description)).toEqual(descriptions);
    const status = (await bench.migrate(['status'])).stdout.split('\n');
    expect(status.filter((line) => / applied {2}/.test(line))).toHaveLength(descriptions.length);
    expect((await bench.migrate(['check'])).status).toBe(0);
    expect((await json('down', '9')).steps?.map(({ description }) => description)).toEqual(
      descriptions.toReversed(),
    );
    expect((await bench.migrate(['up'])).status).toBe(0);
    // By the SQL in the history, when its down file is gone.
    await bench.remove('9_a\u00a0b.down.sql');
    expect((await bench.migrate(['down', '1'])).status).toBe(0);
    await bench.write(oddFiles);
    expect((await bench.migrate(['recreate'])).status).toBe(0);
    const verified = await bench.migrate(['verify', '--rollbacks']);
    expect({ ...verified, stderr: '' }).toMatchObject({ status: 0 });
    expect((await bench.migrate(['docs'])).status).toBe(0);
    expect((await bench.migrate(['docs', '--check'])).status).toBe(0);
    const overlay = await bench.migrate(['validate']);
    expect(overlay.status).toBe(0);
  });

  test.each(able)('survive in the plan file and its approval, and in a backup, on $name', async (server) => {
    const bench = await setTable(oddFiles, server);
    const plan = join(bench.folder, 'plan.json');
    const environment = guarded(bench.folder, server.client);
    const written = await bench.migrate(['plan', '--out', plan], environment);
    expect({ ...written, stdout: '' }).toMatchObject({ status: 0 });
    const run = await bench.migrate(['up', '--approved', plan], environment);
    expect({ ...run, stdout: '' }).toMatchObject({ status: 0 });
    expect((await bench.migrate(['version'])).stdout).toBe('9\n');
  });

  test('an up and a down file with other descriptions are one migration', async () => {
    const bench = await setTable({
      '01_create.up.sql': 'create table t ();',
      '1_drop.down.sql': 'drop table t;',
    });
    expect((await bench.migrate(['up'])).status).toBe(0);
    expect((await bench.migrate(['down'])).stdout).toMatch(/1 migration taken back/);
    expect(await bench.value("select to_regclass('t') is null")).toBe(true);
  });

  test('the next file created has the next version', async () => {
    const bench = await setTable(oddFiles);
    const { stdout, status } = await bench.migrate(['create', 'more']);
    expect([status, stdout]).toEqual([0, expect.stringContaining('10_more.up.sql')]);
  });
});

describe('F2.3 what is no migration', () => {
  const files = {
    '1_a.up.sql': 'create table a ();',
    '2_gone.down.sql': 'drop table gone;',
    'notes.sql': "it's no SQL",
    'schema.sql': '',
    'seed.sql': '',
    'z.sql': '',
  };

  test.each(able)(
    'is passed over, and said once, however often the files are read, on $name',
    async (server) => {
      const bench = await setTable(files, server);
      const warned = [
        "warn: passed over, as the name is no migration's: notes.sql, schema.sql, seed.sql and 1 more",
        'warn: passed over, as there is no up file: 2_gone.down.sql',
      ];
      const { status, stderr } = await bench.migrate(['up', '--yes'], guarded(bench.folder, server.client));
      expect(stderr.split('\n').filter((line) => line.startsWith('warn: passed'))).toEqual(warned);
      expect(status).toBe(0);
      const again = await bench.migrate(['up']);
      expect(again).toEqual({
        status: 0,
        stdout: 'shop is at 1, nothing to do\n',
        stderr: `${warned.join('\n')}\n`,
      });
      expect((await bench.migrate(['up', '--format', 'json'])).stdout).toMatch(/^\{.*\}\n$/);
    },
  );
});

test('F2.4 a plain file beside versioned ones stops the run before anything changes', async () => {
  const bench = await setTable({ '1_a.up.sql': 'create table a ();', '2_b.sql': 'create table b ();' });
  const { status, stderr } = await bench.migrate(['up']);
  expect(status).toBe(3);
  expect(steady(stderr, bench)).toContain('  ‹folder›/2_b.sql  is named as in the layout alphabetical');
  expect(await bench.value("select to_regclass('a') is null")).toBe(true);
  await bench.remove('2_b.sql');
  await bench.write({ '1_a.sql': 'a copy of it' });
  expect(await bench.migrate(['up'])).toMatchObject({
    status: 0,
    stderr: expect.stringContaining("warn: passed over, as the name is no migration's: 1_a.sql\n"),
  });
});

test.each(tools)(
  'F1.1 F1.2 F1.3 F1.4 the script of the docs splits files of %s, which then run',
  async (_, up, down) => {
    const bench = await setTable({});
    await mkdir(join(bench.folder, 'from'));
    const body = (n: number) => `${up}\ncreate table t${n} ();\n\n${down}\ndrop table t${n};\n`;
    for (const n of [1, 2]) await writeFile(join(bench.folder, `from/${n}_a b.sql`), body(n));
    execFileSync('sh', ['-euc', await splitter()], { cwd: bench.folder });
    const path = join(bench.folder, 'migrations');
    const migrate = async (...args: string[]) => (await bench.migrate([...args, '--path', path])).status;
    expect([await migrate('validate'), await migrate('up'), await migrate('verify', '--rollbacks')]).toEqual([
      0, 0, 0,
    ]);
    expect(await bench.rows("select to_regclass('t1')::text as one, to_regclass('t2')::text as two")).toEqual(
      [['t1', 't2']],
    );
    expect(await migrate('down', '2')).toBe(0);
    expect(await bench.value("select to_regclass('t1') is null")).toBe(true);
  },
);

test('F2.5 V10__x before V1__x is warned of in the layout alphabetical', async () => {
  const bench = await setTable({
    'V1__a.sql': 'select 1',
    'V10__b.sql': 'select 10',
    'V2__c.sql': 'select 2',
  });
  const { status, stderr } = await bench.migrate(['up', '--layout', 'alphabetical']);
  expect([status, stderr.split('\n')[0]]).toEqual([
    0,
    'warn: V10__b.sql runs before V1__a.sql: the order is that of names, not of numbers',
  ]);
});

test('F2.6 two files of one version and direction are refused', async () => {
  const bench = await setTable({ '1_a.up.sql': 'select 1', '01_b.up.sql': 'select 2' });
  const { status, stderr } = await bench.migrate(['up']);
  expect([status, steady(stderr, bench)]).toEqual([
    3,
    'migrate: ‹folder›: 1 file is wrong\n  ‹folder›/1_a.up.sql  version 1 is already that of 01_b.up.sql\n',
  ]);
});

test('F1.6 F2.1 F10.3 validate has an error for a file of both directions, and warnings for the rest', async () => {
  const bench = await setTable({
    '1_a.up.sql': '-- migrate:up\ncreate table a ();\n-- migrate:down\ndrop table a;\n',
    '2_b.up.sql': '',
    '3_c\u200b.up.sql': 'select 1;',
    '3_d.down.sql': '-- none',
    '4_e.down.sql': '-- none',
    'notes.sql': '',
  });
  const { status, stdout } = await bench.migrate(['validate', '--format', 'json']);
  const { findings } = JSON.parse(stdout) as {
    findings: { code: string; severity: string; path: string; line: number | null; column: number | null }[];
  };
  expect(status).toBe(3);
  expect(
    findings
      .filter(({ code }) => code !== 'down-missing')
      .map(({ code, severity, path, line, column }) => [
        steady(path, bench).slice(9),
        severity,
        code,
        line,
        column,
      ]),
  ).toEqual([
    ['1_a.up.sql', 'error', 'both-directions', 3, 1],
    ['2_b.up.sql', 'warning', 'empty-file', null, null],
    ['3_c\u200b.up.sql', 'warning', 'name-characters', null, null],
    ['3_d.down.sql', 'warning', 'pair-name', null, null],
    ['4_e.down.sql', 'warning', 'down-without-up', null, null],
    ['notes.sql', 'warning', 'passed-over', null, null],
  ]);
  await bench.remove('1_a.up.sql');
  expect((await bench.migrate(['validate'])).status).toBe(0);
  expect((await bench.migrate(['validate', '--strict'])).status).toBe(3);
  await bench.write({
    '2_b.up.sql': '-- lockstep: allow-file empty-file: kept for its number\n',
    '3_c\u200b.up.sql': '-- lockstep: allow-file name-characters: applied everywhere\nselect 1;',
    '3_d.down.sql': '-- lockstep: allow-file pair-name: applied everywhere\n',
  });
  await bench.remove('4_e.down.sql', 'notes.sql');
  expect(await bench.migrate(['validate', '--strict'])).toMatchObject({ status: 0 });
});

test('F1.1 a seed that holds both directions is refused', async () => {
  const bench = await setTable({ '1_a.up.sql': 'create table a (n int);' });
  await bench.migrate(['up']);
  await mkdir(join(bench.folder, 'seeds/common'), { recursive: true });
  const text = '-- migrate:up\ninsert into a values (1);\n-- migrate:down\ndelete from a;\n';
  await writeFile(join(bench.folder, 'seeds/common/1_a.sql'), text);
  const { status, stderr } = await bench.migrate(['seed']);
  expect([status, stderr]).toEqual([
    3,
    expect.stringContaining('"-- migrate:down" of dbmate begins the way down'),
  ]);
});
