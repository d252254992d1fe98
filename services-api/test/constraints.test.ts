import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, postgresServers, type TestDatabase } from '../../test/support/postgres.ts';
import { migrateByHand } from '../../test/support/service-migrations.ts';

// Straight SQL as the app role: the rules hold in the database, whoever writes.
describe.each(postgresServers())('in the database on $name', (server) => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase(server);
    await migrateByHand(database.ownerUrl, 'services-api');
    client = new Client({ connectionString: database.appUrl });
    await client.connect();
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  beforeEach(async () => {
    await client.query(`
      delete from featured_categories;
      delete from services;
      delete from service_categories where not is_default;
      insert into service_categories (slug, name) values ('a', 'A'), ('b', 'B');
      insert into services (slug, title, created_by, updated_by, content_url)
        values ('s', 'S', 'x', 'x', 'https://blobs.example/s')`);
  });

  const published = `update services set status = 'published', published_at = now(), published_by = 'x'`;
  const archived = `update services set status = 'archived', archived_at = now(), archived_by = 'x'`;

  test.each([
    [
      'services_begin_as_draft',
      `insert into services (slug, title, created_by, updated_by, status, content_url, published_at, published_by)
      values ('p', 'P', 'x', 'x', 'published', 'https://b.example/p', now(), 'x')`,
    ],
    ['services_status_transition', archived.replace('set', `set published_at = now(), published_by = 'x',`)],
    [
      'services_status_transition',
      `${published}; ${archived}; update services set status = 'published', archived_at = null`,
    ],
    ['services_status_transition', `${published}; update services set status = 'draft'`],
    ['services_publication_recorded', `update services set status = 'published', published_at = now()`],
    ['services_publication_recorded', `update services set published_by = 'x'`],
    [
      'services_archival_recorded',
      `${published}; update services set status = 'archived', archived_at = now()`,
    ],
    ['services_record_is_final', `${published}; update services set published_by = 'y'`],
    [
      'services_record_is_final',
      `${published}; ${archived}; update services set archived_at = archived_at - interval '1 s'`,
    ],
    ['services_archived_is_final', `${published}; ${archived}; update services set title = 'T'`],
    ['services_published_has_content', `${published.replace('set', 'set content_url = null,')}`],
    ['services_content_url_form', `update services set content_url = 'http://blobs.example/s'`],
    ['services_content_url_form', `update services set content_url = 'https://user@blobs.example/s'`],
    ['services_content_url_form', `update services set content_url = 'https://blobs.example/s?sig=x'`],
    ['services_slug_form', `update services set slug = 'Not a slug'`],
    [
      'services_slug_unique',
      `insert into services (slug, title, created_by, updated_by) values ('s', 'S', 'x', 'x')`,
    ],
    ['services_title_length', `update services set title = ''`],
    ['services_summary_length', `update services set summary = repeat('x', 2001)`],
    ['services_category_fkey', 'update services set category_id = gen_random_uuid()'],
    ['service_categories_default_stays', 'delete from service_categories'],
    ['service_categories_default_exists', 'update service_categories set is_default = false'],
    ['service_categories_one_default', 'update service_categories set is_default = true'],
    [
      'service_categories_one_default',
      `insert into service_categories (slug, name, is_default) values ('c', 'C', true)`,
    ],
    ['service_categories_slug_form', `insert into service_categories (slug, name) values ('-', 'C')`],
    ['service_categories_name_length', `insert into service_categories (slug, name) values ('c', '')`],
    [
      'featured_categories_position_known',
      `insert into featured_categories (position, category_id, featured_by)
      select 3, id, 'x' from service_categories where slug = 'a'`,
    ],
    [
      'featured_categories_pkey',
      `insert into featured_categories (position, category_id, featured_by)
      select 1, id, 'x' from service_categories where not is_default`,
    ],
    [
      'featured_categories_category_once',
      `insert into featured_categories (position, category_id, featured_by)
      select position, id, 'x' from service_categories, (values (1), (2)) as positions (position) where slug = 'a'`,
    ],
    [
      'featured_categories_never_default',
      `insert into featured_categories (position, category_id, featured_by)
      select 1, id, 'x' from service_categories where is_default`,
    ],
    [
      'featured_categories_never_default',
      `insert into featured_categories (position, category_id, featured_by)
        select 1, id, 'x' from service_categories where slug = 'a';
      update service_categories set is_default = false where is_default;
      update service_categories set is_default = true where slug = 'a'`,
    ],
  ])('%s refuses: %s', async (constraint, sql) => {
    await expect(client.query(sql)).rejects.toMatchObject({ constraint, code: expect.stringMatching(/^23/) });
    await client.query('rollback');
  });

  test('a default that is featured in a second transaction meanwhile is refused there or here', async () => {
    const other = new Client({ connectionString: database.appUrl });
    await other.connect();
    try {
      await client.query(`begin; insert into featured_categories (position, category_id, featured_by)
        select 1, id, 'x' from service_categories where slug = 'a'`);
      await other.query('begin; update service_categories set is_default = false where is_default');
      const second = other.query(`update service_categories set is_default = true where slug = 'a'`);
      // Handled now, so that a refusal before the commit below is not an unhandled one.
      const outcome = second.then(
        () => 'accepted',
        (error: { constraint?: string }) => error.constraint,
      );
      await client.query('commit');
      expect(await outcome).toBe('featured_categories_never_default');
    } finally {
      await other.end();
    }
  });

  test.each([
    'create table t ()',
    'create temporary table t ()',
    'create index on services (title)',
    'alter table services add column x int',
    'alter table services disable trigger all',
    'drop table services',
    'truncate services cascade',
    'drop function default_category_id()',
    'create or replace function default_category_id() returns uuid language sql return null::uuid',
    'create schema s',
    'alter view service_overview set (security_invoker = false)',
    `set session_replication_role = 'replica'`,
    `insert into featured_categories (position, category_id, category_is_default, featured_by)
      select 1, id, false, 'x' from service_categories`,
  ])('the app role cannot: %s', async (sql) => {
    await expect(client.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|428C9)$/) });
  });
});
