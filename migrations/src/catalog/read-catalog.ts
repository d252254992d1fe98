import type { Tables } from '../history.ts';
import type { Session } from '../session.ts';
import { type Catalog, type CatalogObject, toCatalog } from './catalog.ts';
import { catalogQueries } from './catalog-queries.ts';

/**
 * Reads everything that people made in the session's database, in a snapshot of its own.
 *
 * @param tracking the migrator's own tables, which are no part of the schema
 */
export async function readCatalog(session: Session, tracking: Tables | undefined): Promise<Catalog> {
  await session.query('begin isolation level repeatable read read only');
  try {
    return await readCatalogInside(session, tracking);
  } finally {
    await session.query('rollback').catch(() => {});
  }
}

/**
 * The same inside a transaction that is open, and in its snapshot. Changes `search_path` until that transaction ends:
 * with nothing but the system's schema in it Postgres spells every other name with its schema.
 */
export async function readCatalogInside(session: Session, tracking: Tables | undefined): Promise<Catalog> {
  await session.query(`set local search_path = pg_catalog`);
  const oids = await trackingOids(session, tracking);
  const results = await Promise.all(catalogQueries().map((text) => session.query(text, oids)));
  const objects = results.flat().map(
    ({ kind, name, properties }): CatalogObject => ({
      kind: String(kind),
      name: String(name),
      properties: toProperties(properties),
    }),
  );
  return toCatalog(objects);
}

async function trackingOids(session: Session, tracking: Tables | undefined): Promise<string[]> {
  if (tracking === undefined) return ['0', '0'];
  const [row] = await session.query(
    'select coalesce(to_regclass($1)::oid, 0)::text as version, coalesce(to_regclass($2)::oid, 0)::text as history',
    [tracking.version, tracking.history],
  );
  return [String(row?.['version']), String(row?.['history'])];
}

function toProperties(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([property, text]) => [property, String(text)]));
}
