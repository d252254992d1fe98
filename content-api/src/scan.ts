import { type Cursor, notFound, type Queryable } from '@lockstep/chassis';

export const verdicts = ['clean', 'infected', 'failed'] as const;
export type Verdict = (typeof verdicts)[number];

/** One scan of some content as the API shows it. `verdict` is null while the scan is open. */
export interface ScanResource {
  readonly id: string;
  readonly contentId: string;
  readonly scanner: string;
  readonly startedAt: Date;
  readonly startedBy: string;
  readonly finishedAt: Date | null;
  readonly finishedBy: string | null;
  readonly verdict: Verdict | null;
  readonly threat: string | null;
}

/** A scan that was just started, with the URL of the bytes to scan. */
export interface StartedScan extends ScanResource {
  readonly blobUrl: string;
}

/** How a scan ended. `failed` says nothing about the bytes: the content is pending again. */
export type ScanResult =
  | { readonly verdict: 'clean' | 'failed' }
  | { readonly verdict: 'infected'; readonly threat: string };

const columns = `id, content_id as "contentId", scanner, started_at as "startedAt", started_by as "startedBy",
    finished_at as "finishedAt", finished_by as "finishedBy", verdict, threat`;

/** Lists at most `limit` scans of some content after `cursor`, the newest first. */
export async function listScans(
  database: Queryable,
  contentId: string,
  { limit, cursor }: { limit: number; cursor: Cursor | undefined },
): Promise<ScanResource[]> {
  const { rows } = await database.query<ScanResource>(
    `select ${columns} from content_scans
     where content_id = $1 and ($2::timestamptz is null or (started_at, id) < ($2, $3::uuid))
     order by started_at desc, id desc
     limit $4`,
    [contentId, cursor?.[0] ?? null, cursor?.[1] ?? null, limit],
  );
  return rows;
}

/**
 * Starts a scan: the content is scanning until its result is recorded, and is not served meanwhile.
 *
 * @throws {Problem} 404
 */
export async function startScan(
  transaction: Queryable,
  contentId: string,
  scanner: string,
  actor: string,
): Promise<StartedScan> {
  const content = await transaction.query<{ blobUrl: string }>(
    'select blob_url as "blobUrl" from content where id = $1 for update',
    [contentId],
  );
  const found = content.rows[0];
  if (found === undefined) throw notFound('content', contentId);
  const { rows } = await transaction.query<ScanResource>(
    `insert into content_scans (content_id, scanner, started_by) values ($1, $2, $3) returning ${columns}`,
    [contentId, scanner, actor],
  );
  const scan = rows[0];
  if (scan === undefined) throw notFound('content', contentId);
  return { ...scan, blobUrl: found.blobUrl };
}

/**
 * Records the result of an open scan; the database moves the content on.
 *
 * @throws {Problem} 404
 */
export async function finishScan(
  transaction: Queryable,
  { contentId, scanId }: { contentId: string; scanId: string },
  result: ScanResult,
  actor: string,
): Promise<ScanResource> {
  // The content's row first, as a start takes it, so that the two never wait for each other.
  await transaction.query('select from content where id = $1 for update', [contentId]);
  const { rows } = await transaction.query<ScanResource>(
    `update content_scans
     set verdict = $3, threat = $4, finished_at = now(), finished_by = $5
     where id = $1 and content_id = $2
     returning ${columns}`,
    [scanId, contentId, result.verdict, result.verdict === 'infected' ? result.threat : null, actor],
  );
  if (rows[0] === undefined) throw notFound('scan', scanId);
  return rows[0];
}
