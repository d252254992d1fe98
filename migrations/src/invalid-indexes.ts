import type { Session } from './session.ts';

/**
 * Finds indexes that Postgres does not use, as a failed CREATE INDEX CONCURRENTLY leaves them; five at most, none when it
 * cannot be asked. An index of a partitioned table, which lacks only its partitions' indexes, is none of them.
 */
export async function findInvalidIndexes(session: Session): Promise<string[]> {
  const rows = await session
    .query(
      `select i.indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indexrelid
       where not i.indisvalid and c.relkind = 'i' order by 1 limit 5`,
    )
    .catch(() => []);
  return rows.map(({ name }) => String(name));
}
