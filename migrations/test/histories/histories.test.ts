import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, postgresServers, type TestDatabase } from '../../../test/support/postgres.ts';
import { compareCatalogs, describeDifferences, migrateTo, readConfig } from '../../src/index.ts';
import { generateHistory, type History } from './generate.ts';
import { handMade } from './hand-made.ts';
import { readWhole } from './read-whole.ts';

const seeds = Array.from({ length: 24 }, (_, index) => index + 1);
const histories: readonly History[] = [...handMade, ...seeds.map(generateHistory)];

const strategies = {
  development: { MIGRATION_ENVIRONMENT: 'development' },
  careful: {
    MIGRATION_ENVIRONMENT: 'staging',
    MIGRATION_VALIDATION: 'minimal',
    MIGRATION_BACKUP: 'none',
    MIGRATION_APPROVAL: 'none',
  },
} as const;

// golang-migrate sends a file as one simple query, in the order of versions, on one connection.
describe.each(postgresServers())('on $name', (server) => {
  let databases: Record<keyof typeof strategies | 'whole', TestDatabase>;

  beforeAll(async () => {
    const [whole, development, careful] = await Promise.all([
      createTestDatabase(server),
      createTestDatabase(server),
      createTestDatabase(server),
    ]);
    databases = { whole, development, careful };
    // What they grant differs in the names of the roles.
    for (const { app, query } of Object.values(databases)) await query(`drop owned by ${app}`);
  });

  afterAll(async () => {
    await Promise.all(Object.values(databases).map((database) => database.drop()));
  });

  test.each(histories)('F2 F4 F5 history $name is applied as by one simple query a file', async (history) => {
    await Promise.all(Object.values(databases).map(empty));
    const folder = await mkdtemp(join(tmpdir(), 'lockstep-history-'));
    try {
      for (const [name, text] of Object.entries({ ...history.files, ...history.others }))
        await writeFile(join(folder, name), text);
      const [expected, ...found] = await Promise.all([
        applyWhole(databases.whole, history).then(() => readWhole(databases.whole)),
        ...(['development', 'careful'] as const).map(async (strategy) => {
          const database = databases[strategy];
          const environment = { ...strategies[strategy], DATABASE_CONNECTION_STRING: database.ownerUrl };
          const settings = readConfig(
            {},
            { ...environment, MIGRATIONS_PATH: folder, MIGRATION_TEMPLATE_SPACE: '0' },
          );
          const { outcome } = await migrateTo(settings, { kind: 'latest' });
          expect(outcome, strategy).toBe('migrated');
          return readWhole(database);
        }),
      ]);
      expect(expected.catalog.objects.size).toBeGreaterThan(0);
      for (const { catalog, rows } of found) {
        expect(describeDifferences(compareCatalogs(expected.catalog, catalog))).toEqual([]);
        expect(rows).toEqual(expected.rows);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** As golang-migrate does with the driver pgx, which records the version behind each file. */
async function applyWhole({ ownerUrl }: TestDatabase, { files }: History): Promise<void> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const ups = Object.keys(files).filter((name) => name.endsWith('.up.sql'));
    for (const name of ups.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))) {
      await client.query((files[name] ?? '').replace('\ufeff', ''));
      for (const text of ['begin', 'select 1', 'commit']) await client.query(text);
    }
  } finally {
    await client.end();
  }
}

/** Everything in the schema goes, with the tables of the migrator. */
async function empty({ owner, query }: TestDatabase): Promise<void> {
  await query(`drop owned by ${owner} cascade`);
}
