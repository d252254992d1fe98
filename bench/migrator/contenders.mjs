// What is measured: the same SQL (one table and one index a migration) in the format of each tool.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { project } from '../stack-copy.mjs';
import { isThere, run } from './run.mjs';

const peers = join(dirname(fileURLToPath(import.meta.url)), '../peers');
const migrate = join(project, 'migrations/dist/migrate.start.cjs');
const dbmate = join(peers, `node_modules/@dbmate/${process.platform}-${process.arch}/bin/dbmate`);
const nodePgMigrate = join(peers, 'node_modules/node-pg-migrate/bin/node-pg-migrate.js');

const sqlOf = (number) =>
  `create table t${number} (id bigint primary key, name text);\ncreate index on t${number} (name);\n`;
const nameOf = (number) => `${String(number).padStart(6, '0')}_step`;

/** Writes what `tool` reads for migrations `from` to `to` into `folder`. */
const writers = {
  ours: (folder, number) => writeFile(join(folder, `${nameOf(number)}.up.sql`), sqlOf(number)),
  dbmate: (folder, number) =>
    writeFile(join(folder, `${nameOf(number)}.sql`), `-- migrate:up\n${sqlOf(number)}\n-- migrate:down\n`),
  'node-pg-migrate': (folder, number) =>
    writeFile(
      join(folder, `${nameOf(number)}.sql`),
      `-- Up Migration\n${sqlOf(number)}\n-- Down Migration\n`,
    ),
  sqitch: (folder, number) =>
    writeFile(join(folder, 'deploy', `${nameOf(number)}.sql`), `begin;\n${sqlOf(number)}commit;\n`),
};

const environmentOf = (more = {}) => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  LOG_FORMAT: 'text',
  LOG_LEVEL: 'warn',
  ...more,
});

/** Runs our migrator; `more` are settings. */
export const ours = (url, folder, more = {}, args = ['up']) =>
  run(process.execPath, [migrate, ...args], {
    env: environmentOf({
      DATABASE_CONNECTION_STRING: url,
      MIGRATIONS_PATH: folder,
      MIGRATION_TIMEOUT: '30m',
      ...more,
    }),
  });

/** Development, where the database may be recreated: migrations share transactions. */
export const development = { MIGRATION_ENVIRONMENT: 'development', MIGRATION_TEMPLATE_SPACE: '0' };

/** Installs the peers of npm, once. Not by `npm ci`: npm 11 asks a lock file to name dbmate's programs for every platform. */
export async function installPeers() {
  if (existsSync(dbmate) && existsSync(nodePgMigrate)) return;
  console.error('installing: npm install in bench/peers');
  await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: peers,
    env: process.env,
  });
}

/** Each tool that is there, with what prepares its files and what runs it. */
export async function findContenders() {
  const [hasPsql, hasSqitch] = await Promise.all([isThere('psql'), isThere('sqitch')]);
  const list = (folder, count) =>
    Array.from({ length: count }, (_, index) => ['-f', join(folder, `${nameOf(index + 1)}.up.sql`)]).flat();
  const psql = (url, folder, count, more = []) =>
    run('psql', [...more, '-X', '-q', '-v', 'ON_ERROR_STOP=1', ...list(folder, count), url]);
  return {
    lockstep: { format: 'ours', run: (url, folder) => ours(url, folder) },
    'lockstep, development': { format: 'ours', run: (url, folder) => ours(url, folder, development) },
    ...(hasPsql && {
      psql: { format: 'ours', run: psql, limit: true },
      'psql -1': {
        format: 'ours',
        run: (url, folder, count) => psql(url, folder, count, ['-1']),
        limit: true,
      },
    }),
    dbmate: {
      format: 'dbmate',
      run: (url, folder) =>
        run(
          dbmate,
          ['--url', `${url}?sslmode=disable`, '--migrations-dir', folder, '--no-dump-schema', 'up'],
          { env: environmentOf() },
        ),
    },
    'node-pg-migrate': {
      format: 'node-pg-migrate',
      run: (url, folder) =>
        run(
          process.execPath,
          [nodePgMigrate, 'up', '--migrations-dir', folder, '--migration-file-language', 'sql'],
          {
            cwd: peers,
            env: environmentOf({ DATABASE_URL: url }),
          },
        ),
    },
    ...(hasSqitch && {
      sqitch: {
        format: 'sqitch',
        most: 100,
        run: (url, folder) =>
          run('sqitch', ['deploy', `db:${url.replace('postgres:', 'pg:')}`], {
            cwd: folder,
            env: environmentOf({ SQITCH_FULLNAME: 'Bench', SQITCH_EMAIL: 'bench@localhost' }),
          }),
      },
    }),
  };
}

/** Writes the files of migrations 1 to `count` for every format into folders below `root`; returns the folder of a format. */
export async function writeMigrations(root, count, formats = Object.keys(writers)) {
  for (const format of formats) {
    const folder = join(root, format);
    await mkdir(format === 'sqitch' ? join(folder, 'deploy') : folder, { recursive: true });
    for (let number = 1; number <= count; number++) await writers[format](folder, number);
    if (format === 'sqitch') await writePlan(folder, count);
  }
  return (format) => join(root, format);
}

/** Adds one more. */
export async function writeMigration(folder, format, number) {
  await writers[format](folder, number);
  if (format === 'sqitch') await writePlan(folder, number);
}

async function writePlan(folder, count) {
  const lines = Array.from(
    { length: count },
    (_, index) => `${nameOf(index + 1)} 2025-01-01T00:00:00Z Bench <bench@localhost> # step`,
  );
  await writeFile(
    join(folder, 'sqitch.plan'),
    `%syntax-version=1.0.0\n%project=bench\n\n${lines.join('\n')}\n`,
  );
  await writeFile(join(folder, 'sqitch.conf'), '[core]\n\tengine = pg\n');
}
