import { notFound, type Queryable } from '@lockstep/chassis';

export const healthStates = ['healthy', 'degraded', 'unavailable'] as const;
export type Health = (typeof healthStates)[number];

/** A storage backend as the API shows it. The lowest priority number comes first. */
export interface BackendResource {
  readonly id: string;
  readonly name: string;
  readonly baseUrl: string;
  readonly priority: number;
  readonly active: boolean;
  readonly health: Health;
  readonly healthNote: string | null;
  readonly healthCheckedAt: Date | null;
  readonly healthCheckedBy: string | null;
}

/** What a caller may set. */
export interface BackendInput {
  readonly baseUrl: string;
  readonly priority: number;
  readonly active?: boolean;
}

const columns = `id, name, base_url as "baseUrl", priority, active, health, health_note as "healthNote",
    health_checked_at as "healthCheckedAt", health_checked_by as "healthCheckedBy"`;

/** Lists the backends in order of preference, those that are not active last. A stack has a handful: no pages. */
export async function listBackends(database: Queryable): Promise<BackendResource[]> {
  const { rows } = await database.query<BackendResource>(
    `select ${columns} from storage_backends order by active desc, priority, name limit 1000`,
  );
  return rows;
}

/** Adds a backend, or changes the one of this name. */
export async function putBackend(
  database: Queryable,
  name: string,
  { baseUrl, priority, active = true }: BackendInput,
): Promise<{ backend: BackendResource; created: boolean }> {
  const { rows } = await database.query<BackendResource & { created: boolean }>(
    // xmax is 0 only in a row that no statement has updated.
    `insert into storage_backends (name, base_url, priority, active) values ($1, $2, $3, $4)
     on conflict (name) do update
     set base_url = excluded.base_url, priority = excluded.priority, active = excluded.active
     returning ${columns}, (xmax = 0) as created`,
    [name, baseUrl, priority, active],
  );
  const row = rows[0];
  if (row === undefined) throw notFound('backend', name);
  const { created, ...backend } = row;
  return { backend, created };
}

/**
 * Records what a check of a backend found.
 *
 * @throws {Problem} 404
 */
export async function recordHealth(
  database: Queryable,
  name: string,
  { health, note }: { health: Health; note?: string | null },
  actor: string,
): Promise<BackendResource> {
  const { rows } = await database.query<BackendResource>(
    `update storage_backends
     set health = $2, health_note = $3, health_checked_at = now(), health_checked_by = $4
     where name = $1
     returning ${columns}`,
    [name, health, note ?? null, actor],
  );
  if (rows[0] === undefined) throw notFound('backend', name);
  return rows[0];
}
