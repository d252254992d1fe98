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
    await migrateByHand(database.ownerUrl, 'content-api');
    client = new Client({ connectionString: database.appUrl });
    await client.connect();
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  beforeEach(async () => {
    await client.query(`
      delete from content_access_log;
      delete from content_scans;
      delete from content;
      insert into content (blob_url, sha256, mime_type, size_bytes, backend_id, registered_by)
        select 'https://blobs.example/a', repeat('a', 64), 'text/plain', 1, id, 'x'
        from storage_backends where name = 'primary'`);
  });

  const start = `insert into content_scans (content_id, scanner, started_by) select id, 'clamav', 'x' from content`;
  const clean = `update content_scans set verdict = 'clean', finished_at = now(), finished_by = 'x' where verdict is null`;
  const infected = clean.replace(`'clean'`, `'infected', threat = 'T'`);
  const backend = '(select id from storage_backends limit 1)';

  test.each([
    [
      'content_begins_pending',
      `insert into content (blob_url, sha256, mime_type, size_bytes, backend_id, registered_by, scan_status)
      values ('https://b.example/b', repeat('b', 64), 'text/plain', 1, ${backend}, 'x', 'clean')`,
    ],
    ['content_scan_transition', `update content set scan_status = 'clean'`],
    ['content_scan_transition', `update content set scan_status = 'infected'`],
    ['content_infected_is_final', `${start}; ${infected}; update content set scan_status = 'clean'`],
    ['content_infected_is_final', `${start}; ${infected}; update content set scan_status = 'pending'`],
    ['content_infected_is_final', `${start}; ${infected}; ${start}`],
    ['content_bytes_are_final', `${start}; ${clean}; update content set blob_url = 'https://b.example/evil'`],
    ['content_bytes_are_final', `update content set sha256 = repeat('b', 64)`],
    ['content_bytes_are_final', 'update content set size_bytes = 2'],
    ['content_scans_one_open', `${start}; ${start}`],
    [
      'content_scans_begin_open',
      start
        .replace('started_by)', `started_by, finished_at, finished_by, verdict)`)
        .replace(`'x' from`, `'x', now(), 'x', 'clean' from`),
    ],
    [
      'content_scans_record_is_final',
      `${start}; ${infected}; update content_scans set verdict = 'clean', threat = null`,
    ],
    ['content_scans_record_is_final', `${start}; update content_scans set scanner = 'other'`],
    ['content_scans_finished_whole', `${start}; update content_scans set finished_at = now()`],
    ['content_scans_finished_whole', `${start}; update content_scans set verdict = 'clean'`],
    ['content_scans_threat_named', `${start}; ${clean.replace(`'clean'`, `'infected'`)}`],
    ['content_scans_threat_named', `${start}; ${clean.replace(`'clean'`, `'clean', threat = 'T'`)}`],
    ['content_scans_content_fkey', `${start}; delete from content`],
    [
      'content_access_log_content_fkey',
      `insert into content_access_log (content_id, accessed_by) values (gen_random_uuid(), 'x')`,
    ],
    [
      'content_sha256_form',
      `insert into content (blob_url, sha256, mime_type, size_bytes, backend_id, registered_by)
      values ('https://b.example/b', repeat('A', 64), 'text/plain', 1, ${backend}, 'x')`,
    ],
    ['content_mime_type_form', `update content set mime_type = 'Text/Plain'`],
    [
      'content_size_range',
      `insert into content (blob_url, sha256, mime_type, size_bytes, backend_id, registered_by)
      values ('https://b.example/b', repeat('a', 64), 'text/plain', -1, ${backend}, 'x')`,
    ],
    [
      'content_blob_url_form',
      `insert into content (blob_url, sha256, mime_type, size_bytes, backend_id, registered_by)
      values ('https://b.example/b?sig=1', repeat('a', 64), 'text/plain', 1, ${backend}, 'x')`,
    ],
    ['content_backend_fkey', `delete from storage_backends`],
    [
      'storage_backends_active_priority',
      `insert into storage_backends (name, base_url, priority) values ('x', 'https://x.example/', 1)`,
    ],
    ['storage_backends_health_known', `update storage_backends set health = 'fine'`],
    ['storage_backends_priority_range', `update storage_backends set priority = 0 where name = 'primary'`],
    ['storage_backends_base_url_form', `update storage_backends set base_url = 'https://x.example'`],
    ['storage_backends_name_form', `update storage_backends set name = 'X' where name = 'primary'`],
    ['storage_backends_check_recorded', `update storage_backends set health_checked_at = now()`],
  ])('%s refuses: %s', async (constraint, sql) => {
    await expect(client.query(sql)).rejects.toMatchObject({ constraint, code: expect.stringMatching(/^23/) });
  });

  test('servable_content holds clean content only, and none whose bytes are infected elsewhere', async () => {
    const servable = async () => {
      const { rows } = await client.query<{ blob_url: string }>(
        'select blob_url from servable_content order by blob_url',
      );
      return rows.map((row) => row.blob_url);
    };
    expect(await servable()).toEqual([]);
    await client.query(start);
    expect(await servable()).toEqual([]);
    await client.query(clean);
    expect(await servable()).toEqual(['https://blobs.example/a']);
    await client.query(`insert into content (blob_url, sha256, mime_type, size_bytes, backend_id, registered_by)
      values ('https://blobs.example/twin', repeat('a', 64), 'text/plain', 1, ${backend}, 'x')`);
    expect(await servable()).toEqual(['https://blobs.example/a']);
    await client.query(`${start} where blob_url like '%twin'; ${infected}`);
    expect(await servable()).toEqual([]);
  });

  test.each([
    'create table t ()',
    'alter table content disable trigger content_lifecycle',
    'alter table content drop constraint content_bytes_are_final',
    'drop view servable_content',
    'create or replace view servable_content as select * from content',
    'truncate content_access_log',
    'drop trigger content_scans_apply on content_scans',
    `set session_replication_role = 'replica'`,
  ])('the app role cannot: %s', async (sql) => {
    await expect(client.query(sql)).rejects.toMatchObject({ code: '42501' });
  });
});
