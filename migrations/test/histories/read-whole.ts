import { Client } from 'pg';
import type { TestDatabase } from '../../../test/support/postgres.ts';
import { type Catalog, toCatalog } from '../../src/catalog/catalog.ts';
import { catalogQueries } from '../../src/catalog/catalog-queries.ts';

/** A schema, and the rows of its tables, each as text and in order. */
export interface Whole {
  readonly catalog: Catalog;
  readonly rows: Readonly<Record<string, readonly string[]>>;
}

interface Found {
  readonly kind: string;
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** Reads everything but the migrator's own tables. */
export async function readWhole({ ownerUrl }: Pick<TestDatabase, 'ownerUrl'>): Promise<Whole> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read; set local search_path = pg_catalog');
    const own = await client.query<{ oid: string }>(
      `select coalesce(to_regclass('public.' || name)::oid, 0)::text as oid
       from unnest(array['schema_migrations', 'schema_migrations_history']) name`,
    );
    const oids = own.rows.map(({ oid }) => oid);
    const found: Found[] = [];
    for (const text of catalogQueries()) found.push(...(await client.query<Found>(text, oids)).rows);
    const tables = await client.query<{ name: string }>(
      `select oid::regclass::text as name from pg_class where relkind = 'r' and relnamespace >= 2200
         and relnamespace::regnamespace::text !~ '^(pg_|information_schema)' and oid <> all ($1::oid[]) order by 1`,
      [oids],
    );
    const rows: Record<string, readonly string[]> = {};
    for (const { name } of tables.rows) {
      const read = await client.query<{ row: string }>(`select t::text as row from ${name} t order by 1`);
      rows[name] = read.rows.map(({ row }) => row);
    }
    return { catalog: toCatalog(found), rows };
  } finally {
    await client.end();
  }
}
