import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { type Bundle, bundle, run } from './program.ts';
import { readMigrations, runSql, type ServiceName, serviceFolder } from './service-migrations.ts';

/** Proves with the real programs: an app refuses every schema but one that is new enough, and serves that. */
export function proveGate(service: ServiceName): void {
  let program: Bundle;
  let migrator: Bundle;
  let database: TestDatabase;

  beforeAll(async () => {
    [program, migrator, database] = await Promise.all([
      bundle(`${service}/src/server.ts`),
      bundle('migrations/src/cli.ts'),
      createTestDatabase(),
    ]);
  });

  afterAll(() => Promise.all([program.remove(), migrator.remove(), database.drop()]));

  test('the app refuses a database that was never migrated and serves it once the migrator ran', async () => {
    const environment = { LISTEN_ADDRESS: '127.0.0.1:0', DATABASE_CONNECTION_STRING: database.appUrl };
    const refused = run(program.file, environment);
    expect([await refused.ended, refused.stderr()]).toEqual([
      3,
      `${service}: ${service} was never migrated: there is no schema_migrations\n  try: make db-migrate-up SERVICE=${service}\n`,
    ]);

    const migrating = run(
      migrator.file,
      {
        DATABASE_CONNECTION_STRING: database.ownerUrl,
        MIGRATIONS_PATH: join(serviceFolder(service), 'migrations'),
        MIGRATION_SERVICE: service,
        MIGRATION_ENVIRONMENT: 'development',
      },
      ['up'],
    );
    expect(await migrating.ended, migrating.stderr()).toBe(0);
    const newest = (await readMigrations(service)).at(-1)?.version ?? 0;
    const app = run(program.file, environment);
    const listening = await app.event('listening');
    expect(listening).toMatchObject({ program: service, schemaVersion: newest });
    const ready = await fetch(`http://${listening['address']}/ready`);
    expect(await ready.json()).toEqual({ status: 'ready', schemaVersion: newest });
    app.child.kill('SIGTERM');
    expect(await app.ended).toBe(0);

    await runSql(database.ownerUrl, [`update schema_migrations set version = ${newest - 1}`]);
    const older = run(program.file, environment);
    expect([await older.ended, older.stderr()]).toEqual([
      3,
      `${service}: the schema of ${service} is at ${newest - 1} and the app needs ${newest}\n  try: make db-migrate-up SERVICE=${service}\n`,
    ]);
  });
}
