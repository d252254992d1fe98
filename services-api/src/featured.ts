import { notFound, Problem, type Queryable } from '@lockstep/chassis';

/** A featured position as the API shows it. */
export interface FeaturedResource {
  readonly position: number;
  readonly category: { readonly id: string; readonly slug: string; readonly name: string };
  readonly featuredAt: Date;
  readonly featuredBy: string;
}

const select = `select
    featured.position, json_build_object('id', category.id, 'slug', category.slug, 'name', category.name) as category,
    featured.featured_at as "featuredAt", featured.featured_by as "featuredBy"
  from featured_categories as featured
  join service_categories as category on category.id = featured.category_id`;

/** The positions that are taken, in order; there are two at most. */
export async function listFeatured(database: Queryable): Promise<FeaturedResource[]> {
  const { rows } = await database.query<FeaturedResource>(`${select} order by featured.position`);
  return rows;
}

/** @throws {Problem} 404 when the position is free */
export async function readFeatured(database: Queryable, position: number): Promise<FeaturedResource> {
  const { rows } = await database.query<FeaturedResource>(`${select} where featured.position = $1`, [
    position,
  ]);
  if (rows[0] === undefined) throw notFound('category at featured position', String(position));
  return rows[0];
}

/**
 * Puts a category at a position, in place of the one that had it.
 *
 * @throws {Problem} 422 when there is no such category
 */
export async function feature(
  transaction: Queryable,
  position: number,
  categoryId: string,
  actor: string,
): Promise<FeaturedResource> {
  // Looked up first: the foreign key cannot tell a category that is not there from the default one.
  const { rows } = await transaction.query('select from service_categories where id = $1 for key share', [
    categoryId,
  ]);
  if (rows.length === 0) {
    throw new Problem({ status: 422, code: 'category-unknown', title: 'There is no such category' });
  }
  await transaction.query(
    `insert into featured_categories (position, category_id, featured_by) values ($1, $2, $3)
     on conflict (position) do update
     set category_id = excluded.category_id, featured_by = excluded.featured_by, featured_at = now()`,
    [position, categoryId, actor],
  );
  return await readFeatured(transaction, position);
}

/** @throws {Problem} 404 when the position is free */
export async function unfeature(database: Queryable, position: number): Promise<void> {
  const { rows } = await database.query(
    'delete from featured_categories where position = $1 returning position',
    [position],
  );
  if (rows.length === 0) throw notFound('category at featured position', String(position));
}
