import { type Cursor, notFound, type Queryable } from '@lockstep/chassis';

export const statuses = ['draft', 'published', 'archived'] as const;
export type Status = (typeof statuses)[number];

/** A service as the API shows it. */
export interface ServiceResource {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  readonly summary: string;
  readonly contentUrl: string | null;
  readonly status: Status;
  readonly category: { readonly id: string; readonly slug: string; readonly name: string };
  readonly featuredPosition: number | null;
  /** Counts the changes; the ETag. */
  readonly version: number;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly updatedAt: Date;
  readonly updatedBy: string;
  readonly publishedAt: Date | null;
  readonly publishedBy: string | null;
  readonly archivedAt: Date | null;
  readonly archivedBy: string | null;
}

/** What a caller may set. `categoryId` null or left out means the default category. */
export interface ServiceInput {
  readonly slug: string;
  readonly title: string;
  readonly summary?: string;
  readonly contentUrl?: string | null;
  readonly categoryId?: string | null;
}

/** Which services a list shows. `title` is the beginning of the title, in any case. */
export interface ServiceFilter {
  readonly status?: Status;
  readonly category?: string;
  readonly title?: string;
}

const select = `select
    id, slug, title, summary, content_url as "contentUrl", status,
    json_build_object('id', category_id, 'slug', category_slug, 'name', category_name) as category,
    featured_position as "featuredPosition", version,
    created_at as "createdAt", created_by as "createdBy", updated_at as "updatedAt", updated_by as "updatedBy",
    published_at as "publishedAt", published_by as "publishedBy",
    archived_at as "archivedAt", archived_by as "archivedBy"
  from service_overview`;

/** Lists at most `limit` services after `cursor`, the newest first. */
export async function listServices(
  database: Queryable,
  { status, category, title }: ServiceFilter,
  { limit, cursor }: { limit: number; cursor: Cursor | undefined },
): Promise<ServiceResource[]> {
  const prefix = title === undefined ? null : `${title.replace(/[\\%_]/g, '\\$&')}%`;
  const { rows } = await database.query<ServiceResource>(
    `${select}
     where ($1::text is null or status = $1)
       and ($2::text is null or category_id = (select id from service_categories where slug = $2))
       and ($3::text is null or lower(title) like lower($3))
       and ($4::timestamptz is null or (created_at, id) < ($4, $5::uuid))
     order by created_at desc, id desc
     limit $6`,
    [status ?? null, category ?? null, prefix, cursor?.[0] ?? null, cursor?.[1] ?? null, limit],
  );
  return rows;
}

/** @throws {Problem} 404 */
export async function readService(database: Queryable, id: string): Promise<ServiceResource> {
  const { rows } = await database.query<ServiceResource>(`${select} where id = $1`, [id]);
  if (rows[0] === undefined) throw notFound('service', id);
  return rows[0];
}

/** Creates a draft. */
export async function createService(
  transaction: Queryable,
  { slug, title, summary = '', contentUrl = null, categoryId = null }: ServiceInput,
  actor: string,
): Promise<ServiceResource> {
  const { rows } = await transaction.query<{ id: string }>(
    `insert into services (slug, title, summary, content_url, category_id, created_by, updated_by)
     values ($1, $2, $3, $4, coalesce($5::uuid, default_category_id()), $6, $6)
     returning id`,
    [slug, title, summary, contentUrl, categoryId, actor],
  );
  return await readService(transaction, rows[0]?.id ?? '');
}

/**
 * Locks a service until the transaction ends, and returns its version.
 *
 * @throws {Problem} 404
 */
export async function lockService(transaction: Queryable, id: string): Promise<number> {
  const { rows } = await transaction.query<{ version: number }>(
    'select version from services where id = $1 for update',
    [id],
  );
  if (rows[0] === undefined) throw notFound('service', id);
  return rows[0].version;
}

const settable = {
  slug: 'slug = $%',
  title: 'title = $%',
  summary: 'summary = $%',
  contentUrl: 'content_url = $%',
  categoryId: 'category_id = coalesce($%::uuid, default_category_id())',
} as const satisfies Record<keyof ServiceInput, string>;

/** Changes what `change` names; the rest stays. */
export async function changeService(
  transaction: Queryable,
  id: string,
  change: Partial<ServiceInput>,
  actor: string,
): Promise<ServiceResource> {
  const values: unknown[] = [id, actor];
  const assignments = ['updated_by = $2'];
  for (const [property, assignment] of Object.entries(settable)) {
    const value = change[property as keyof ServiceInput];
    if (value !== undefined) assignments.push(assignment.replace('%', String(values.push(value))));
  }
  await transaction.query(`update services set ${assignments.join(', ')} where id = $1`, values);
  return await readService(transaction, id);
}

/** Takes the next step of the workflow and records who took it; the database refuses a step that is not the next. */
export async function advanceService(
  transaction: Queryable,
  id: string,
  status: 'published' | 'archived',
  actor: string,
): Promise<ServiceResource> {
  await transaction.query(
    `update services
     set status = '${status}', ${status}_at = now(), ${status}_by = $2, updated_by = $2
     where id = $1`,
    [id, actor],
  );
  return await readService(transaction, id);
}
