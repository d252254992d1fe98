import { expect, test } from 'vitest';
import { postgresServers } from '../../test/support/postgres.ts';
import { freshDatabase, migrateWithRows, proveSchema } from '../../test/support/service-schema.ts';

const earlyRows = `
  insert into content (id, blob_url, sha256, mime_type, size_bytes, scan_status, registered_by) values
    ('00000000-0000-4000-8000-000000000001', 'https://elsewhere.example/1', repeat('AB', 32), 'Image/PNG', 1, 'clean', 'a'),
    ('00000000-0000-4000-8000-000000000002', 'https://secondary.blob.example/2', repeat('cd', 32), 'text/plain', 2, 'pending', 'b');
  insert into content_scans (content_id, scanner, started_by, finished_at, finished_by, verdict) values
    ('00000000-0000-4000-8000-000000000001', 'clamav', 's', '2026-01-02T00:00:00Z', 's', 'clean');
  insert into content_access_log (content_id, accessed_by) values ('00000000-0000-4000-8000-000000000001', 'r')`;

const proof = {
  service: 'content-api',
  specification: 'CONTENT-SCHEMA.md',
  earlyRows: { version: 3, sql: earlyRows },
} as const;

proveSchema(proof);

test.each(postgresServers())(
  'rows from before backends and verdict times get both, and their hashes in lower case, on $name',
  async (server) => {
    const { ownerUrl, query } = await freshDatabase(server);
    await migrateWithRows(ownerUrl, proof);
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
  },
);
