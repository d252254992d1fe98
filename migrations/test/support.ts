import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach } from 'vitest';
import { createTestDatabase, type PostgresServer, type TestDatabase } from '../../test/support/postgres.ts';
import { type Flags, readConfig, type Settings } from '../src/index.ts';

const program = join(dirname(fileURLToPath(import.meta.url)), '../dist/migrate.start.cjs');

/** Migrations by file name, as in `{ '1_users.up.sql': 'create table users ()' }`. */
export type Files = Readonly<Record<string, string>>;

/** How a run of the built program ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the built program that has not ended yet. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once `pattern` stands in what the program has written to stderr. */
  saw(pattern: RegExp): Promise<void>;
}

/** A database and a folder of migrations of one test, removed after it. */
export interface Workbench {
  readonly database: TestDatabase;
  readonly folder: string;
  write(files: Files): Promise<void>;
  remove(...names: string[]): Promise<void>;
  /** Runs the built program as service `shop` in environment development. */
  migrate(args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Ended>;
  begin(args: readonly string[], environment?: NodeJS.ProcessEnv): Running;
  /** The same settings for the library. */
  settings(flags?: Flags): Settings;
  /** One value, read by the superuser. */
  value(sql: string): Promise<unknown>;
  rows(sql: string): Promise<unknown[][]>;
}

const benches: { remove(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.remove()));
});
afterAll(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.remove()));
});

/** Makes an empty database, and a folder that holds `files`. */
export async function setTable(
  files: Files,
  server?: Pick<PostgresServer, 'superuserUrl'>,
): Promise<Workbench> {
  const database = await createTestDatabase(server);
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-migrations-'));
  benches.push({
    remove: async () => {
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  });
  const write = async (more: Files) => {
    for (const [name, text] of Object.entries(more)) await writeFile(join(folder, name), text);
  };
  await write(files);
  const environmentOf = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    DATABASE_CONNECTION_STRING: database.ownerUrl,
    MIGRATION_SERVICE: 'shop',
    MIGRATION_ENVIRONMENT: 'development',
    MIGRATIONS_PATH: folder,
    LOG_FORMAT: 'text',
    ...more,
  });
  const begin = (args: readonly string[], environment?: NodeJS.ProcessEnv) =>
    startMigrate(args, environmentOf(environment));
  return {
    database,
    folder,
    write,
    remove: async (...names) => {
      for (const name of names) await rm(join(folder, name));
    },
    begin,
    migrate: (args, environment) => begin(args, environment).ended,
    settings: (flags = {}) => readConfig(flags, environmentOf()),
    value: async (sql) => Object.values((await database.query(sql)).rows[0] ?? {})[0],
    rows: async (sql) => (await database.query(sql)).rows.map((row) => Object.values(row)),
  };
}

/**
 * The databases beside the bench's, without its name, once the server has done what runs left to it. Templates and their spare copies
 * are left out: whether one is worth it depends on the machine.
 */
export async function besides({ database, rows }: Pick<Workbench, 'database' | 'rows'>): Promise<string[]> {
  const { name } = database;
  await until(async () => {
    const leaving = `select from pg_stat_activity where state = 'active' and pid <> pg_backend_pid()
      and (query like 'drop database%${name}%' or query like 'create database%${name}%' or query like 'revoke all on database%${name}%')`;
    return (await rows(leaving)).length === 0;
  });
  const found = await rows(
    `select substr(datname, ${name.length + 1}) from pg_database
     where datname like '${name}\\_\\_%' and datname !~ '__(template|spare)_' order by 1`,
  );
  return found.map(([rest]) => String(rest));
}

/** Starts the built program with exactly `environment`. */
export function startMigrate(args: readonly string[], environment: NodeJS.ProcessEnv): Running {
  if (!existsSync(program)) throw new Error(`${program} is not built: npm run build`);
  const child = spawn(process.execPath, [program, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, ...output }));
  });
  const saw = async (pattern: RegExp) => {
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`ended before ${pattern} was seen: ${output.stderr}`);
      return pattern.test(output.stderr);
    });
  };
  return { child, ended, saw };
}

/** Runs the built program on a terminal of its own, types `typed`, and returns all that the terminal showed. */
export function onTerminal(
  bench: Workbench,
  args: string,
  typed: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<{ status: number | null; shown: string }> {
  // Debian's util-linux; -e passes the status on, -c is a shell line, whose only variable part is ours.
  const child = spawn('script', ['-qec', `'${process.execPath}' '${program}' ${args}`, '/dev/null'], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_CONNECTION_STRING: bench.database.ownerUrl,
      MIGRATION_SERVICE: 'shop',
      MIGRATIONS_PATH: bench.folder,
      SHELL: '/bin/sh',
      ...environment,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let shown = '';
    child.once('error', reject);
    child.stdout.on('data', (chunk: Buffer) => {
      const asked = shown.includes('type yes to go on: ');
      shown += chunk.toString();
      if (!asked && shown.includes('type yes to go on: ')) child.stdin.write(typed);
    });
    child.once('close', (status) => resolve({ status, shown: shown.replaceAll('\r', '') }));
  });
}

/** Waits until `condition` holds, at most 45 seconds: a busy machine is no failure. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 45_000; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('waited 45 seconds in vain');
}

/** Puts `‹…›` where runs differ: the folder, milliseconds, process ids, times of day, and the database's name. */
export function steady(text: string, { folder, database }: Pick<Workbench, 'folder' | 'database'>): string {
  return text
    .replaceAll(folder, '‹folder›')
    .replace(/\d{8}T\d{6}/g, '‹time›')
    .replaceAll(database.name, 'shopdb')
    .replace(/[\d,]+ ms\b/g, '‹n› ms')
    .replace(/pid \d+/g, 'pid ‹n›')
    .replace(/since \d\d:\d\d:\d\d/g, 'since ‹time›');
}
