import { afterEach, describe, expect, test } from 'vitest';
import { describeCatalog } from '../../test/support/catalog.ts';
import { createTestDatabase, postgresServers, type TestDatabase } from '../../test/support/postgres.ts';
import { readMigrations, readSpecification, runSql } from '../../test/support/service-migrations.ts';

const made: TestDatabase[] = [];

async function database(server: Parameters<typeof createTestDatabase>[0]): Promise<TestDatabase> {
  const created = await createTestDatabase(server);
  made.push(created);
  return created;
}

afterEach(async () => {
  await Promise.all(made.splice(0).map((each) => each.drop()));
});

describe.each(postgresServers())('the schema of content-api on $name', (server) => {
  test('the migrations and CONTENT-SCHEMA.md give the same catalog', async () => {
    const migrated = await database(server);
    const specified = await database(server);
    const migrations = await readMigrations('content-api');
    const specification = await readSpecification('content-api', 'CONTENT-SCHEMA.md');

    await runSql(
      migrated.ownerUrl,
      migrations.map(({ up }) => up),
    );
    await runSql(specified.ownerUrl, specification);

    const catalog = await describeCatalog(migrated.superuserUrl);
    expect(catalog.length).toBeGreaterThan(80);
    expect(catalog).toEqual(await describeCatalog(specified.superuserUrl));
  });

  test('each down file takes back exactly what its up file brought, with rows in the tables', async () => {
    const { ownerUrl, superuserUrl } = await database(server);
    const before: string[][] = [];
    const migrations = await readMigrations('content-api');
    for (const { version, up } of migrations) {
      before.push(await describeCatalog(superuserUrl));
      await runSql(ownerUrl, [up]);
      if (version === 3) await runSql(ownerUrl, [earlyRows]);
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

  test('rows from before backends and verdict times get both, and their hashes in lower case', async () => {
    const { ownerUrl, query } = await database(server);
    const ups = (await readMigrations('content-api')).map(({ up }) => up);
    await runSql(ownerUrl, [...ups.slice(0, 3), earlyRows, ...ups.slice(3)]);

    const { rows } = await query(
      `select blob_url, left(sha256, 4) as sha256, mime_type, scan_status, backend.name, scanned_at
       from content join storage_backends backend on backend.id = backend_id order by blob_url`,
    );
    expect(rows).toEqual([
      {
        blob_url: 'https://elsewhere.example/1',
        sha256: 'abab',
        mime_type: 'image/png',
        scan_status: 'clean',
        name: 'primary',
        scanned_at: new Date('2026-01-02T00:00:00Z'),
      },
      {
        blob_url: 'https://secondary.blob.example/2',
        sha256: 'cdcd',
        mime_type: 'text/plain',
        scan_status: 'pending',
        name: 'secondary',
        scanned_at: null,
      },
    ]);
  });
});

const earlyRows = `
  insert into content (id, blob_url, sha256, mime_type, size_bytes, scan_status, registered_by) values
    ('00000000-0000-4000-8000-000000000001', 'https://elsewhere.example/1', repeat('AB', 32), 'Image/PNG', 1, 'clean', 'a'),
    ('00000000-0000-4000-8000-000000000002', 'https://secondary.blob.example/2', repeat('cd', 32), 'text/plain', 2, 'pending', 'b');
  insert into content_scans (content_id, scanner, started_by, finished_at, finished_by, verdict) values
    ('00000000-0000-4000-8000-000000000001', 'clamav', 's', '2026-01-02T00:00:00Z', 's', 'clean');
  insert into content_access_log (content_id, accessed_by) values ('00000000-0000-4000-8000-000000000001', 'r')`;
