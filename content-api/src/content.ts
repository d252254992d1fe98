import { type Cursor, notFound, Problem, type Queryable } from '@lockstep/chassis';

export const scanStatuses = ['pending', 'scanning', 'clean', 'infected'] as const;
export type ScanStatus = (typeof scanStatuses)[number];

/** Content as a list shows it: everything but where its bytes are. */
export interface ContentRecord {
  readonly id: string;
  readonly sha256: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly scanStatus: ScanStatus;
  readonly scannedAt: Date | null;
  readonly backend: string;
  readonly registeredAt: Date;
  readonly registeredBy: string;
}

/** Content as it is served: clean, and with the URL of its bytes. */
export interface ServedContent extends ContentRecord {
  readonly scanStatus: 'clean';
  readonly blobUrl: string;
  readonly backendHealth: 'healthy' | 'degraded';
}

/** What a caller registers. Without `backend` the one whose URL the blob's begins with, else the best one. */
export interface ContentInput {
  readonly blobUrl: string;
  readonly sha256: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly backend?: string;
}

// A bigint arrives as text; the largest size is far below 2^53.
const columns = `id, sha256, mime_type as "mimeType", size_bytes::float8 as "sizeBytes"`;

const select = `select
    content.${columns}, scan_status as "scanStatus", scanned_at as "scannedAt", backend.name as backend,
    registered_at as "registeredAt", registered_by as "registeredBy"
  from content
  join storage_backends as backend on backend.id = content.backend_id`;

/** Lists at most `limit` records after `cursor`, the newest first. */
export async function listContent(
  database: Queryable,
  scanStatus: ScanStatus | undefined,
  { limit, cursor }: { limit: number; cursor: Cursor | undefined },
): Promise<ContentRecord[]> {
  const { rows } = await database.query<ContentRecord>(
    `${select}
     where ($1::text is null or scan_status = $1)
       and ($2::timestamptz is null or (registered_at, content.id) < ($2, $3::uuid))
     order by registered_at desc, content.id desc
     limit $4`,
    [scanStatus ?? null, cursor?.[0] ?? null, cursor?.[1] ?? null, limit],
  );
  return rows;
}

/**
 * Reads a record whatever its scan status, without the URL of its bytes.
 *
 * @throws {Problem} 404
 */
export async function readRecord(database: Queryable, id: string): Promise<ContentRecord> {
  const { rows } = await database.query<ContentRecord>(`${select} where content.id = $1`, [id]);
  if (rows[0] === undefined) throw notFound('content', id);
  return rows[0];
}

/**
 * Registers content, which begins as pending.
 *
 * @throws {Problem} 422 when the named backend is not there or not active, 503 when none is
 */
export async function registerContent(
  transaction: Queryable,
  { blobUrl, sha256, mimeType, sizeBytes, backend }: ContentInput,
  actor: string,
): Promise<ContentRecord> {
  const backendId = await chooseBackend(transaction, blobUrl, backend);
  const { rows } = await transaction.query<{ id: string }>(
    `insert into content (blob_url, sha256, mime_type, size_bytes, backend_id, registered_by)
     values ($1, $2, $3, $4, $5, $6)
     returning id`,
    [blobUrl, sha256, mimeType, sizeBytes, backendId, actor],
  );
  return await readRecord(transaction, rows[0]?.id ?? '');
}

async function chooseBackend(
  transaction: Queryable,
  blobUrl: string,
  name: string | undefined,
): Promise<string> {
  const { rows } = await transaction.query<{ id: string }>(
    `select id from storage_backends
     where active and ($1::text is null or name = $1)
     order by starts_with($2, base_url) desc, array_position(array['healthy', 'degraded', 'unavailable'], health), priority
     limit 1`,
    [name ?? null, blobUrl],
  );
  if (rows[0] !== undefined) return rows[0].id;
  if (name === undefined) {
    throw new Problem({ status: 503, code: 'no-backend', title: 'No storage backend is active' });
  }
  throw new Problem({
    status: 422,
    code: 'backend-unknown',
    title: 'There is no such active backend',
    detail: `there is no active backend ${name}`,
  });
}

/**
 * Reads content to serve it, and logs the access in the same statement: neither happens without the other.
 *
 * @throws {Problem} 404; 409 when it is not scanned; 410 when its bytes are infected; 503 when its backend is down
 */
export async function serveContent(database: Queryable, id: string, actor: string): Promise<ServedContent> {
  const { rows } = await database.query<ServedContent>(
    `with served as (
       select * from servable_content where id = $1 and backend_health <> 'unavailable'
     ), logged as (
       insert into content_access_log (content_id, accessed_by) select id, $2 from served
     )
     select
       ${columns}, blob_url as "blobUrl", 'clean' as "scanStatus", scanned_at as "scannedAt",
       backend_name as backend, backend_health as "backendHealth",
       registered_at as "registeredAt", registered_by as "registeredBy"
     from served`,
    [id, actor],
  );
  return rows[0] ?? (await refuse(database, id));
}

/** Says why content is not served. */
async function refuse(database: Queryable, id: string): Promise<never> {
  const { scanStatus, backend, sha256 } = await readRecord(database, id);
  if (scanStatus === 'pending' || scanStatus === 'scanning') {
    throw new Problem({
      status: 409,
      code: 'not-scanned',
      title: 'The content is served only after a clean scan',
      detail: `its scan status is ${scanStatus}`,
    });
  }
  const { rows } = await database.query(
    `select from content where sha256 = $1 and scan_status = 'infected' limit 1`,
    [sha256],
  );
  if (scanStatus === 'infected' || rows.length > 0) {
    throw new Problem({
      status: 410,
      code: 'infected',
      title: 'The content is infected and never served',
      detail:
        scanStatus === 'infected'
          ? 'a scan found it infected'
          : 'the same bytes were found infected elsewhere',
    });
  }
  throw new Problem({
    status: 503,
    code: 'backend-unavailable',
    title: 'The storage backend of the content is unavailable',
    detail: `its backend is ${backend}`,
    headers: { 'retry-after': '30' },
  });
}
