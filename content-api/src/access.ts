import { notFound, type Queryable } from '@lockstep/chassis';

/** How often some content was served within the last days; days without an access are left out. */
export interface AccessStatistics {
  readonly contentId: string;
  readonly days: number;
  readonly accesses: number;
  readonly readers: number;
  readonly lastAccessedAt: Date | null;
  readonly byDay: readonly { readonly day: string; readonly accesses: number; readonly readers: number }[];
}

/**
 * Counts the accesses of the last `days` days, the present one included; a day is one of UTC.
 *
 * @throws {Problem} 404
 */
export async function readStatistics(
  database: Queryable,
  contentId: string,
  days: number,
): Promise<AccessStatistics> {
  const first = `(now() at time zone 'UTC')::date - ($2::int - 1)`;
  const { rows } = await database.query<Omit<AccessStatistics, 'contentId' | 'days'>>(
    `select
       count(log.id)::int as accesses,
       count(distinct log.accessed_by)::int as readers,
       max(log.accessed_at) as "lastAccessedAt",
       coalesce(
         (select json_agg(json_build_object('day', day, 'accesses', accesses, 'readers', readers) order by day)
          from content_access_daily where content_id = $1 and day >= ${first}),
         '[]'
       ) as "byDay"
     from content
     left join content_access_log as log
       on log.content_id = content.id and log.accessed_at >= (${first})::timestamp at time zone 'UTC'
     where content.id = $1
     group by content.id`,
    [contentId, days],
  );
  if (rows[0] === undefined) throw notFound('content', contentId);
  return { contentId, days, ...rows[0] };
}
