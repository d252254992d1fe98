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

describe.each(postgresServers())('the schema of services-api on $name', (server) => {
  test('the migrations and SERVICES-SCHEMA.md give the same catalog', async () => {
    const migrated = await database(server);
    const specified = await database(server);
    const migrations = await readMigrations('services-api');
    const specification = await readSpecification('services-api', 'SERVICES-SCHEMA.md');

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
    const migrations = await readMigrations('services-api');
    for (const { version, up } of migrations) {
      before.push(await describeCatalog(superuserUrl));
      await runSql(ownerUrl, [up]);
      if (version === 1) await runSql(ownerUrl, [earlyRows]);
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

  test('rows from before the category and the record of publications get both', async () => {
    const { ownerUrl, query } = await database(server);
    const [first, ...rest] = (await readMigrations('services-api')).map(({ up }) => up);
    await runSql(ownerUrl, [first ?? '', earlyRows, ...rest]);

    const { rows } = await query(
      `select slug, status, category_slug, version, published_by, published_at = updated_at as "atLastChange", archived_by
       from service_overview order by slug`,
    );
    expect(rows).toEqual([
      {
        slug: 'old-archived',
        status: 'archived',
        category_slug: 'general',
        version: 1,
        published_by: 'carol',
        atLastChange: true,
        archived_by: 'carol',
      },
      {
        slug: 'old-draft',
        status: 'draft',
        category_slug: 'general',
        version: 1,
        published_by: null,
        atLastChange: null,
        archived_by: null,
      },
      {
        slug: 'old-published',
        status: 'published',
        category_slug: 'general',
        version: 1,
        published_by: 'bob',
        atLastChange: true,
        archived_by: null,
      },
    ]);
  });
});

const earlyRows = `insert into services (slug, title, content_url, status, created_by, updated_by) values
  ('old-draft', 'Old draft', null, 'draft', 'alice', 'alice'),
  ('old-published', 'Old published', 'https://blobs.example/a', 'published', 'alice', 'bob'),
  ('old-archived', 'Old archived', 'https://blobs.example/b', 'archived', 'alice', 'carol')`;
