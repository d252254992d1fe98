import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { createTestDatabase, once, postgresServers, type TestDatabase } from '../../test/support/postgres.ts';
import { type Ended, startMigrate } from './support.ts';

/** One of the five systems that this migrator takes the place of, as its own documents describe it. */
const seeds = join(dirname(fileURLToPath(import.meta.url)), 'seeds');
const cleaning: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleaning.splice(0)) await clean();
});

interface System {
  readonly database: TestDatabase;
  /** A copy of the system's folder. */
  readonly folder: string;
  run(args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Ended>;
  rows(sql: string): Promise<unknown[][]>;
}

async function open(
  name: string,
  server: { readonly superuserUrl: string; readonly client: string | undefined },
): Promise<System> {
  const database = await createTestDatabase(server);
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-seed-'));
  cleaning.push(
    () => database.drop(),
    () => rm(folder, { recursive: true, force: true }),
  );
  await cp(join(seeds, name), folder, { recursive: true });
  return {
    database,
    folder,
    run: (args, environment = {}) =>
      startMigrate(args, {
        PATH: process.env['PATH'],
        LOG_FORMAT: 'text',
        MIGRATION_BACKUP_FOLDER: join(folder, 'backups'),
        MIGRATION_PG_BIN: server.client,
        ...environment,
      }).ended,
    rows: async (sql) => (await database.query(sql)).rows.map((row) => Object.values(row)),
  };
}

const tables = `select tablename::text from pg_tables where schemaname = 'public' and tablename !~ 'schema_migrations' order by 1`;

describe.each(postgresServers())('on $name', (server) => {
  test('S0: three environments with three strategies, one command line', async () => {
    const { database, folder, run, rows } = await open('s0-services', server);
    const settings = {
      MIGRATIONS_PATH: join(folder, 'migrations'),
      MIGRATION_SPECIFICATION: join(folder, 'SERVICES-SCHEMA.md'),
      MIGRATION_SERVICE: 'services-api',
    };
    const url = `--database-url=${database.ownerUrl}`;
    // The init container's command, with the overrides of development.
    const development = await run(['--environment=development', '--aggressive'], {
      ...settings,
      DATABASE_CONNECTION_STRING: database.ownerUrl,
      MIGRATION_TIMEOUT: '30s',
      MIGRATION_BACKUP: 'false',
      MIGRATION_VALIDATION: 'minimal',
    });
    expect(development.stdout).toMatch(/^services-api: 3 migrations applied, from none to 3/);
    expect((await run(['verify', url], settings)).stdout).toMatch(
      /its schema equals .*SERVICES-SCHEMA.md and what the files make at 3/,
    );
    expect((await run(['verify', '--rollbacks', url], settings)).stdout).toMatch(/3 rollbacks proven/);
    if (server.client === undefined) return;
    // Staging: confirmation is asked for, and without a terminal it is missing.
    const staging = ['--environment=staging', url, '--rollback-to-version=2'];
    expect((await run(staging, settings)).status).toBe(7);
    const confirmed = await run([...staging, '--yes'], settings);
    expect(confirmed.status, confirmed.stderr).toBe(0);
    expect(confirmed.stdout).toMatch(
      /1 migration taken back, from 3 to 2[\s\S]*_incremental_[\s\S]*equals what the files make at 2/,
    );
    // Production: manual approval, a full backup, outputs that the pipeline tests.
    const outputs = join(folder, 'outputs');
    const production = ['--environment=production', url];
    const overrides = {
      ...settings,
      MIGRATION_TIMEOUT: '900s',
      MIGRATION_BACKUP: 'full',
      MIGRATION_VALIDATION: 'extensive',
      MIGRATION_MANUAL_APPROVAL: 'true',
      GITHUB_OUTPUT: outputs,
    };
    expect((await run(production, overrides)).status).toBe(7);
    const plan = join(folder, 'plan.json');
    expect((await run(['plan', '--out', plan, ...production], overrides)).status).toBe(0);
    const applied = await run(['up', '--approved', plan, ...production], overrides);
    expect(applied.status, applied.stderr).toBe(0);
    const lines = (await readFile(outputs, 'utf8')).trim().split('\n');
    expect(lines).toContain('postgresMigrationStatus=failed');
    expect(lines.slice(-7)).toEqual(
      expect.arrayContaining([
        'postgresMigrationStatus=success',
        'schemaValidationResult=compliant',
        'migrationVersion=3',
      ]),
    );
    const down = await run(['plan', '--rollback', '1', '--out', plan, ...production], overrides);
    expect(down.status, down.stderr).toBe(0);
    const back = await run(
      [...production, '--rollback-to-version=1', '--require-approval', '--approved', plan],
      overrides,
    );
    expect(back.status, back.stderr).toBe(0);
    expect(await rows(tables)).toEqual([['service_categories']]);
  });

  test.each(['qualified', 'by search_path'])(
    'S1: a schema for each service, its history inside, %s',
    async (way) => {
      const { database, folder, run, rows } = await open('s1-user-service', server);
      await once(database.ownerUrl, 'create schema user_service');
      const environment = {
        MIGRATION_SERVICE: 'user-service',
        MIGRATION_ENVIRONMENT: 'development',
        ...(way === 'qualified'
          ? {
              MIGRATIONS_PATH: join(folder, 'migrations'),
              MIGRATIONS_TABLE: 'user_service.user_service_schema_migrations',
              DATABASE_CONNECTION_STRING: database.ownerUrl,
            }
          : {
              MIGRATIONS_PATH: join(folder, 'unqualified'),
              MIGRATIONS_TABLE: 'user_service_schema_migrations',
              DATABASE_CONNECTION_STRING: `${database.ownerUrl}?options=-c%20search_path%3Duser_service`,
            }),
      };
      // The qualified folder has an overlay for development.
      const last = way === 'qualified' ? 9001 : 1;
      expect((await run(['validate'], environment)).status).toBe(0);
      expect((await run(['up'], environment)).stdout).toMatch(new RegExp(`from none to ${last}`));
      expect((await run(['status'], environment)).stdout).toMatch(/0001 +create_users +applied/);
      expect(
        await rows(
          `select schemaname::text, tablename::text from pg_tables where tablename ~ '_schema_migrations'`,
        ),
      ).toEqual([
        ['user_service', 'user_service_schema_migrations'],
        ['user_service', 'user_service_schema_migrations_history'],
      ]);
      // Another service's migrations in the same database know nothing of these.
      const other = { ...environment, MIGRATIONS_TABLE: 'public.order_service_schema_migrations' };
      expect((await run(['version'], other)).stdout).toBe('none\n');
      expect((await run(['verify'], environment)).status).toBe(0);
      expect((await run(['down'], environment)).stdout).toMatch(/1 migration taken back/);
      if (server.client !== undefined) expect((await run(['backup'], environment)).status).toBe(0);
    },
  );

  test('S2: a configuration file, pre-flight checks, confirmation in production, dirty and forced', async () => {
    const { database, folder, run, rows } = await open('s2-guvnor', server);
    const config = join(folder, 'config.yaml');
    await writeFile(
      config,
      `databaseUrl: "${database.ownerUrl}"\npath: "${join(folder, 'migrations')}"\nservice: guvnor\n`,
    );
    const file = ['--config', config];
    expect((await run(['up', ...file])).stdout).toMatch(/^guvnor: 2 migrations applied, from none to 2/);
    expect((await run(['status', ...file])).stdout).toMatch(
      /guvnor is at 2, 0 pending\n[\s\S]*001 +initial_schema +applied/,
    );
    const careful = ['--environment', 'production', '--approach', 'careful', '--backup', 'none'];
    const down = await run(['down', ...file, ...careful]);
    expect(down.status).toBe(7);
    expect(down.stderr).toMatch(
      /pre-flight server +ok[\s\S]*pre-flight files +ok +2 migrations[\s\S]*pre-flight history +ok[\s\S]*pre-flight role +ok[\s\S]*guvnor in production, careful: 1 step, from 2 to 1[\s\S]*! line 1: audit_logs is dropped with all its rows/,
    );
    expect((await run(['down', '--yes', ...file, ...careful])).stdout).toMatch(
      /1 migration taken back, from 2 to 1/,
    );
    // As golang-migrate leaves it when a migration fails.
    await once(database.ownerUrl, 'update schema_migrations set version = 2, dirty = true');
    const dirty = await run(['up', ...file, '--environment', 'staging', '--backup', 'none', '--yes']);
    expect(dirty.status).toBe(5);
    expect((await run(['status', ...file])).stdout).toMatch(/at 2 \(dirty\)/);
    expect((await run(['force', '1', '--yes', ...file])).status).toBe(0);
    const again = await run(['up', ...file, '--environment', 'staging', '--backup', 'none', '--yes']);
    expect(again.status, again.stderr).toBe(0);
    expect(await rows(tables)).toEqual([
      ['audit_logs'],
      ['escalation_policies'],
      ['events'],
      ['incidents'],
      ['signals'],
    ]);
  });

  test('S3: plain files in alphabetical order, recorded by name, skipped when recorded', async () => {
    const { database, folder, run, rows } = await open('s3-easi', server);
    const url = new URL(database.ownerUrl);
    const pairs = `host=${url.hostname} port=${url.port} user=${url.username} password=${url.password} dbname=${database.name} sslmode=disable`;
    const environment = {
      DB_ADMIN_CONN_STRING: pairs,
      MIGRATIONS_PATH: join(folder, 'migrations'),
      MIGRATIONS_LAYOUT: 'alphabetical',
      MIGRATION_SERVICE: 'easi',
    };
    // Its own tool made the table, and ran the first script.
    await once(
      database.ownerUrl,
      `create table schema_migrations (script_name varchar(255) primary key, executed_at timestamp not null default now());
       insert into schema_migrations values ('001_create_capabilities.sql'); create table capabilities (id bigint generated always as identity primary key, name text not null)`,
    );
    const first = await run(['up'], environment);
    expect(first.stdout, first.stderr).toMatch(/^easi: 2 migrations applied, from 1 to 3/);
    expect(first.stderr).toMatch(/^002_create_events.sql … \d+ ms\n010_index_events.sql … \d+ ms\n$/);
    const recorded = 'select script_name from schema_migrations order by executed_at, script_name';
    expect(await rows(recorded)).toEqual([
      ['001_create_capabilities.sql'],
      ['002_create_events.sql'],
      ['010_index_events.sql'],
    ]);
    expect((await run(['up'], environment)).stdout).toBe('easi is at 3, nothing to do\n');
    // A name between two others is no mistake: it runs.
    await writeFile(join(folder, 'migrations/005_late.sql'), 'create table late ();\n');
    const parts = {
      DB_HOST: url.hostname,
      DB_PORT: url.port,
      DB_NAME: database.name,
      DB_ADMIN_USER: url.username,
      DB_ADMIN_PASSWORD: url.password,
      MIGRATIONS_PATH: join(folder, 'migrations'),
      MIGRATIONS_LAYOUT: 'alphabetical',
    };
    expect((await run(['up'], parts)).stdout).toMatch(/1 migration applied/);
    expect((await run(['status'], environment)).stdout).toMatch(
      /easi is at 4, 0 pending\n[\s\S]*005_late.sql +applied/,
    );
    expect((await run(['verify'], environment)).status).toBe(0);
    // The app's role has nothing but rows.
    await expect(once(database.appUrl, 'create table mine ()')).rejects.toThrow(/permission denied/);
    await expect(
      once(database.appUrl, `insert into capabilities (name) values ('x')`),
    ).resolves.toBeDefined();
    // An edited script is told of; in development the database is built anew.
    await writeFile(join(folder, 'migrations/005_late.sql'), 'create table late (id int);\n');
    expect((await run(['up'], environment)).status).toBe(6);
    const anew = await run(['up'], { ...environment, MIGRATION_ENVIRONMENT: 'development' });
    expect(anew.stdout).toMatch(/easi was recreated: 4 migrations applied/);
    expect(await rows('select name from schema_migrations order by 1')).toHaveLength(4);
  });

  test('S3: nothing is mixed silently, and a script that stops half-way is dirty', async () => {
    const { database, folder, run } = await open('s3-easi', server);
    const environment = {
      DATABASE_CONNECTION_STRING: database.ownerUrl,
      MIGRATIONS_PATH: join(folder, 'migrations'),
      MIGRATIONS_LAYOUT: 'alphabetical',
    };
    const strict = await run(['up'], { ...environment, MIGRATIONS_LAYOUT: 'versioned' });
    expect(strict.status).toBe(3);
    await writeFile(
      join(folder, 'migrations/011_half.sql'),
      'create table half ();\ncreate index concurrently i on nothing (x);\n',
    );
    const half = await run(['up'], environment);
    expect(half.status).toBe(1);
    expect((await run(['up'], environment)).status).toBe(5);
    expect((await run(['status'], environment)).stdout).toMatch(/011_half.sql +dirty/);
    await writeFile(
      join(folder, 'migrations/011_half.sql'),
      'create table half ();\ncreate index concurrently i on events (body);\n',
    );
    await once(database.ownerUrl, 'drop table half');
    expect((await run(['resolve', '--yes'], environment)).stdout).toMatch(
      /011_half.sql is recorded as pending/,
    );
    expect((await run(['up'], environment)).stdout).toMatch(/1 migration applied/);
    const versions = { ...environment, MIGRATIONS_TABLE: 'golang' };
    await once(database.ownerUrl, 'create table golang (version bigint primary key, dirty boolean not null)');
    expect((await run(['up'], versions)).stderr).toMatch(
      /cannot hold the history: it holds versions, and the layout alphabetical records names/,
    );
    await writeFile(join(folder, 'migrations/012_x.up.sql'), 'select 1;\n');
    const wrong = await run(['validate'], environment);
    expect(wrong.status).toBe(3);
    expect(wrong.stdout).toMatch(/012_x.up.sql {2}error {2}file\n {4}is named as in the layout versioned/);
    expect((await run(['force', '1', '--yes'], environment)).status).toBe(2);
    expect((await run(['check'], environment)).status).toBe(2);
  });

  test('S4: the command lines of golang-migrate', async () => {
    const { database, folder, run, rows } = await open('s4-user-service', server);
    const migrate = (...args: string[]) =>
      run([
        '-path',
        join(folder, 'migrations'),
        '-database',
        `${database.ownerUrl}?sslmode=disable`,
        ...args,
      ]);
    expect((await migrate('up')).stdout).toMatch(/3 migrations applied, from none to 3/);
    expect((await migrate('version')).stdout).toBe('3\n');
    expect((await migrate('validate')).status).toBe(0);
    expect((await migrate('down', '1')).stdout).toMatch(/1 migration taken back, from 3 to 2/);
    expect((await migrate('goto', '1')).stdout).toMatch(/from 2 to 1/);
    expect(await rows('select version::int, dirty from schema_migrations')).toEqual([[1, false]]);
    expect((await migrate('force', '2', '--yes')).status).toBe(0);
    expect((await migrate('version')).stdout).toBe('2\n');
    expect((await migrate('force', '1', '--yes')).status).toBe(0);
    expect((await migrate('up')).stdout).toMatch(/from 1 to 3/);
    expect(await rows(tables)).toEqual([['users']]);
    expect((await migrate('history')).stdout).toMatch(/3 migrations in the history/);
    if (server.client === undefined) return;
    expect((await migrate('backup')).status).toBe(0);
    await once(database.ownerUrl, 'drop table users');
    const restored = await migrate('restore', 'latest', '--yes');
    expect(restored.status, restored.stderr).toBe(0);
    expect(await rows(tables)).toEqual([['users']]);
  });
});
