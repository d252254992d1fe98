import { expect, test } from 'vitest';
import { postgresServers } from '../../test/support/postgres.ts';
import { freshDatabase, migrateWithRows, proveSchema } from '../../test/support/service-schema.ts';

const earlyRows = `insert into services (slug, title, content_url, status, created_by, updated_by) values
  ('old-draft', 'Old draft', null, 'draft', 'alice', 'alice'),
  ('old-published', 'Old published', 'https://blobs.example/a', 'published', 'alice', 'bob'),
  ('old-archived', 'Old archived', 'https://blobs.example/b', 'archived', 'alice', 'carol')`;

const proof = {
  service: 'services-api',
  specification: 'SERVICES-SCHEMA.md',
  earlyRows: { version: 1, sql: earlyRows },
} as const;

proveSchema(proof);

test.each(postgresServers())(
  'rows from before the category and the record of publications get both, on $name',
  async (server) => {
    const { ownerUrl, query } = await freshDatabase(server);
    await migrateWithRows(ownerUrl, proof);
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
  },
);
