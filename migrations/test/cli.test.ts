import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { setTable, startMigrate, steady } from './support.ts';

const files = {
  '000001_users.up.sql': 'create table users (id int);',
  '000001_users.down.sql': 'drop table users;',
  '000002_index.up.sql': 'create index concurrently users_id on users (id);\nselect 1;',
};

/** A run that needs no database. */
function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  return startMigrate(args, { PATH: process.env['PATH'], LOG_FORMAT: 'text', ...environment }).ended;
}

test('a command or option that does not exist is refused with what was meant', async () => {
  const usage = async (...args: string[]) => {
    const { status, stdout, stderr } = await run(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    return stderr;
  };
  const help = '  try: migrate --help\n';
  expect(await usage()).toBe(`migrate: no command given\n${help}`);
  expect(await usage('statsu')).toBe(`migrate: unknown command 'statsu'; did you mean status?\n${help}`);
  expect(await usage('up', '--tiemout', '3s')).toBe(
    `migrate: unknown option '--tiemout'; did you mean --timeout?\n${help}`,
  );
  expect(await usage('up', '1', '2')).toBe(`migrate: too many arguments\n${help}`);
  for (const steps of ['0', '1.5', '٣', '1e3', '9999999999']) {
    expect(await usage('up', steps)).toBe(
      `migrate: expected a number of steps from 1, got "${steps}"\n  try: migrate up --help\n`,
    );
  }
});

test('every command explains itself with two examples', async () => {
  for (const command of [
    'up',
    'down',
    'version',
    'status',
    'plan',
    'verify',
    'goto',
    'history',
    'baseline',
    'force',
    'check',
    'recreate',
    'undo',
  ]) {
    const { status, stdout } = await run([command, '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`Examples:\n  \\$ migrate ${command}.*\n  \\$ migrate ${command} .*\n`),
    );
  }
});

test('every wrong setting is reported at once, with its rule and where it came from', async () => {
  const { status, stderr } = await run(['up', '--timeout', 'soon', '--aggressive'], {
    DATABASE_CONNECTION_STRING: 'localhost',
    MIGRATION_SERVICE: '../x',
    MIGRATION_ENVIRONMENT: 'production',
    MIGRATION_BACKUP: 'ful',
    MIGRATIONS_TABLE: 'a.b.c',
    LOG_LEVEL: 'loud',
  });
  expect(stderr).toBe(
    [
      'config: 7 settings are wrong',
      '  MIGRATION_SERVICE: expected letters, digits, ".", "_" and "-", at most 48, a letter or digit first, got "../x" (from the environment)',
      '  MIGRATION_ENVIRONMENT: the aggressive strategy never runs in production, got "production" (from the environment)',
      '  --timeout: expected a duration such as 30s, 500ms or 5m, got "soon" (from the command line)',
      '  MIGRATION_BACKUP: expected none, incremental, full, got "ful" (from the environment)',
      '  DATABASE_CONNECTION_STRING: expected a postgres:// URL or key=value pairs',
      '  MIGRATIONS_TABLE: expected table or schema.table, got "a.b.c" (from the environment)',
      '  LOG_LEVEL: expected debug, info, warn, error, got "loud" (from the environment)',
      '',
    ].join('\n'),
  );
  expect(status).toBe(2);
});

test('a misspelt MIGRATION_ variable is warned about', async () => {
  const bench = await setTable(files);
  const { stderr } = await bench.migrate(['version'], { MIGRATION_TIMEOT: '3s' });
  expect(stderr).toBe('warn: MIGRATION_TIMEOT: unknown setting, ignored; did you mean MIGRATION_TIMEOUT?\n');
});

test('the command lines of golang-migrate, and settings without a command, work as they are', async () => {
  const bench = await setTable(files);
  const { ownerUrl } = bench.database;
  const golang = await run(['-source', `file://${bench.folder}`, '-database', ownerUrl, 'up', '1']);
  expect(golang.stdout).toMatch(/^\S+: 1 migration applied, from none to 1/);
  const bare = await run([
    `--path=${bench.folder}`,
    '--environment=development',
    `--database-url=${ownerUrl}`,
  ]);
  expect(bare.stdout).toMatch(/^\S+: 1 migration applied, from 1 to 2/);
});

test('--config names a file of settings, which is read and told of like all others', async () => {
  const bench = await setTable(files);
  await writeFile(join(bench.folder, 'migrate.yaml'), 'timeout: soon\nlockTimout: 3s\n');
  const { status, stderr } = await bench.migrate(['up', '--config', join(bench.folder, 'migrate.yaml')]);
  expect({ status, stderr: steady(stderr, bench) }).toEqual({
    status: 2,
    stderr: [
      'config: 2 settings are wrong',
      '  lockTimout: unknown setting; did you mean lockTimeout? (from ‹folder›/migrate.yaml)',
      '  timeout: expected a duration such as 30s, 500ms or 5m, got "soon" (from ‹folder›/migrate.yaml)',
      '',
    ].join('\n'),
  });
});

test('--format json prints one document, also for a failure, and a service never sees its password', async () => {
  const bench = await setTable(files);
  const document = async (...args: string[]) => {
    const { stdout, status } = await bench.migrate([...args, '--format', 'json']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    return { status, ...(JSON.parse(steady(stdout, bench)) as Record<string, unknown>) };
  };
  expect(await document('plan')).toEqual({
    status: 0,
    success: true,
    command: 'plan',
    service: 'shop',
    database: 'shopdb',
    version: null,
    dirty: false,
    holder: null,
    to: 2,
    strategy: 'aggressive',
    decision: 'apply',
    steps: [
      {
        direction: 'up',
        overlay: null,
        version: 1,
        description: 'users',
        path: '‹folder›/000001_users.up.sql',
        statements: 1,
        outsideTransaction: [],
        risks: null,
      },
      {
        direction: 'up',
        overlay: null,
        version: 2,
        description: 'index',
        path: '‹folder›/000002_index.up.sql',
        statements: 2,
        outsideTransaction: ['CREATE INDEX CONCURRENTLY'],
        risks: null,
      },
    ],
    anomalies: [],
    dependents: [],
    digest: null,
    file: null,
  });
  expect(await document('up')).toMatchObject({
    status: 0,
    success: true,
    outcome: 'migrated',
    from: null,
    to: 2,
    steps: [{ version: 1 }, { version: 2, description: 'index', direction: 'up' }],
    kept: null,
  });
  expect(await document('status')).toMatchObject({
    version: 2,
    dirty: false,
    pending: 0,
    migrations: [{ state: 'applied' }, {}],
  });
  await bench.write({ '000003_bad.up.sql': 'selec 1;' });
  expect(await document('up')).toEqual({
    status: 1,
    success: false,
    command: 'up',
    error: {
      code: 'migration-failed',
      message: 'shop 000003_bad.up.sql failed and was rolled back',
      exitStatus: 1,
      evidence: [
        '‹folder›/000003_bad.up.sql:1:1  syntax error at or near "selec" (42601)',
        '  1 | selec 1;',
        '    | ^',
      ],
      hint: null,
    },
  });
  expect(await document('up', 'x')).toMatchObject({ status: 2, success: false, error: { code: 'usage' } });
});

test('with LOG_FORMAT=json each line on stderr is one object, the failure too', async () => {
  const bench = await setTable({ ...files, '000003_bad.up.sql': 'selec 1;' });
  const { stderr } = await bench.migrate(['up'], { LOG_FORMAT: 'json' });
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ level, program, audit }) => [level, program, audit !== undefined])).toEqual([
    ['info', 'migrate', true],
    ['info', 'migrate', false],
    ['info', 'migrate', false],
    ['info', 'migrate', true],
    ['error', 'migrate', false],
  ]);
  expect(lines[1]).toMatchObject({ version: '1', direction: 'up', milliseconds: expect.any(Number) });
  expect(lines[4]).toMatchObject({ code: 'migration-failed', exitStatus: 1 });
});

describe('passwords', () => {
  test.each(['^p%4&w{o@r/d#x?y', '50%off', 'p@ss@word', "it's \\ here", 'a b', '{"json":1}'])(
    'with %s in it a connection string works raw in a URL, encoded, and as pairs',
    async (password) => {
      const bench = await setTable(files);
      const { owner, name, ownerUrl } = bench.database;
      await bench.database.query(`alter role "${owner}" password '${password.replaceAll("'", "''")}'`);
      const { host, hostname, port } = new URL(ownerUrl);
      const strings = [
        `postgres://${owner}:${password}@${host}/${name}`,
        `postgresql://${owner}:${encodeURIComponent(password)}@${host}/${name}?sslmode=disable`,
        `host=${hostname} port=${port} user=${owner} dbname = ${name} password='${password.replace(/['\\]/g, '\\$&')}'`,
      ];
      for (const text of strings) {
        const { status, stdout, stderr } = await bench.migrate(['version'], {
          DATABASE_CONNECTION_STRING: text,
        });
        expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'none\n', stderr: '' });
      }
      const parts = {
        DB_HOST: hostname,
        DB_PORT: port,
        DB_NAME: name,
        DB_ADMIN_USER: owner,
        DB_ADMIN_PASSWORD: password,
      };
      expect((await bench.migrate(['version'], { DATABASE_CONNECTION_STRING: '', ...parts })).status).toBe(0);
      const wrong = await bench.migrate(['version'], {
        DATABASE_CONNECTION_STRING: `postgres://${owner}:${encodeURIComponent(`${password}!`)}@${host}/${name}`,
      });
      expect(wrong.status).toBe(3);
      expect(wrong.stderr).not.toContain(password);
    },
  );
});

test('a folder that is missing, a file, or empty of migrations is told apart', async () => {
  const bench = await setTable(files);
  await writeFile(join(bench.folder, 'file'), '');
  await mkdir(join(bench.folder, 'empty'));
  const at = async (path: string) => {
    const { status, stderr } = await bench.migrate(['up', '--path', path]);
    return [status, steady(stderr, bench).split('\n')[0]];
  };
  expect(await at(join(bench.folder, 'nowhere'))).toEqual([
    2,
    expect.stringMatching(/^migrate: the folder of migrations .*nowhere /),
  ]);
  expect(await at(join(bench.folder, 'file'))).toEqual([
    2,
    expect.stringMatching(/^migrate: the folder of migrations .*file /),
  ]);
  expect(await at(join(bench.folder, 'empty'))).toEqual([
    3,
    expect.stringMatching(/^migrate: .*empty: no migrations in this folder/),
  ]);
});

test('a wrong file is reported at once, though Postgres is not there', async () => {
  const bench = await setTable({ '1_open.up.sql': "select 'never closed" });
  const startedAt = performance.now();
  const { status, stderr } = await bench.migrate(['up'], {
    DATABASE_CONNECTION_STRING: 'postgres://u@127.0.0.1:1/d',
  });
  expect(performance.now() - startedAt).toBeLessThan(3000);
  expect(steady(stderr, bench)).toContain('‹folder›/1_open.up.sql:1:8  ');
  expect(status).toBe(3);
});

test('a reader that leaves early is no failure', async () => {
  const bench = await setTable(files);
  const { child, ended } = bench.begin(['status']);
  child.stdout?.destroy();
  expect((await ended).status).toBe(0);
});
