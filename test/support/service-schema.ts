import { afterEach, describe, expect, test } from 'vitest';
import { describeCatalog } from './catalog.ts';
import { createTestDatabase, type PostgresServer, postgresServers, type TestDatabase } from './postgres.ts';
import { readMigrations, readSpecification, runSql, type ServiceName } from './service-migrations.ts';

/** What a service's schema is proven with. */
export interface SchemaProof {
  readonly service: ServiceName;
  /** The file whose fenced sql blocks are the specification. */
  readonly specification: string;
  /** Rows as they were written when the schema was at `version`; the later migrations must carry them along. */
  readonly earlyRows: { readonly version: number; readonly sql: string };
}

const made: TestDatabase[] = [];

/** An empty database that is dropped after the test. */
export async function freshDatabase(server: PostgresServer): Promise<TestDatabase> {
  const created = await createTestDatabase(server);
  made.push(created);
  return created;
}

/** Runs every up file in order, and the early rows where they belong. */
export async function migrateWithRows(ownerUrl: string, { service, earlyRows }: SchemaProof): Promise<void> {
  for (const { version, up } of await readMigrations(service)) {
    await runSql(ownerUrl, version === earlyRows.version ? [up, earlyRows.sql] : [up]);
  }
}

/** Proves on every server: the specification is what the migrations make, and each down file undoes its up file. */
export function proveSchema(proof: SchemaProof): void {
  const { service, specification, earlyRows } = proof;
  afterEach(async () => {
    await Promise.all(made.splice(0).map((each) => each.drop()));
  });

  describe.each(postgresServers())(`the schema of ${service} on $name`, (server) => {
    test(`the migrations and ${specification} give the same catalog`, async () => {
      const [migrated, specified] = [await freshDatabase(server), await freshDatabase(server)];
      const migrations = await readMigrations(service);
      await runSql(
        migrated.ownerUrl,
        migrations.map(({ up }) => up),
      );
      const blocks = await readSpecification(service, specification);
      await runSql(specified.ownerUrl, blocks);
      const catalog = await describeCatalog(migrated.superuserUrl);
      // Or they would be equal for want of anything to compare.
      expect(catalog.length).toBeGreaterThan(blocks.join('\n').match(/^create /gm)?.length ?? Infinity);
      expect(catalog).toEqual(await describeCatalog(specified.superuserUrl));
    });

    test('each down file takes back exactly what its up file brought, with rows in the tables', async () => {
      const { ownerUrl, superuserUrl } = await freshDatabase(server);
      const before: string[][] = [];
      const migrations = await readMigrations(service);
      for (const { version, up } of migrations) {
        before.push(await describeCatalog(superuserUrl));
        await runSql(ownerUrl, version === earlyRows.version ? [up, earlyRows.sql] : [up]);
      }
      const whole = await describeCatalog(superuserUrl);
      for (const { name, down } of migrations.toReversed()) {
        await runSql(ownerUrl, [down]);
        expect(await describeCatalog(superuserUrl), `after the down file of ${name}`).toEqual(before.pop());
      }
      await runSql(
        ownerUrl,
        migrations.map(({ up }) => up),
      );
      expect(await describeCatalog(superuserUrl)).toEqual(whole);
    });
  });
}
