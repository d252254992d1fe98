import { type Cursor, notFound, type Queryable } from '@lockstep/chassis';

/** A category as the API shows it. */
export interface CategoryResource {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly featuredPosition: number | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a caller may set. */
export interface CategoryInput {
  readonly slug: string;
  readonly name: string;
}

const select = `select
    category.id, category.slug, category.name, category.is_default as "isDefault",
    featured.position as "featuredPosition",
    category.created_at as "createdAt", category.updated_at as "updatedAt"
  from service_categories as category
  left join featured_categories as featured on featured.category_id = category.id`;

/** Lists at most `limit` categories after `cursor`, by slug. */
export async function listCategories(
  database: Queryable,
  { limit, cursor }: { limit: number; cursor: Cursor | undefined },
): Promise<CategoryResource[]> {
  const { rows } = await database.query<CategoryResource>(
    `${select} where ($1::text is null or category.slug > $1) order by category.slug limit $2`,
    [cursor?.[0] ?? null, limit],
  );
  return rows;
}

/** @throws {Problem} 404 */
export async function readCategory(database: Queryable, id: string): Promise<CategoryResource> {
  const { rows } = await database.query<CategoryResource>(`${select} where category.id = $1`, [id]);
  if (rows[0] === undefined) throw notFound('category', id);
  return rows[0];
}

/** The category that services without one fall into; the database sees to it that there is exactly one. */
export async function readDefaultCategory(database: Queryable): Promise<CategoryResource> {
  const { rows } = await database.query<CategoryResource>(`${select} where category.is_default`);
  if (rows[0] === undefined) throw notFound('category', 'marked as the default');
  return rows[0];
}

export async function createCategory(
  transaction: Queryable,
  { slug, name }: CategoryInput,
): Promise<CategoryResource> {
  const { rows } = await transaction.query<{ id: string }>(
    'insert into service_categories (slug, name) values ($1, $2) returning id',
    [slug, name],
  );
  return await readCategory(transaction, rows[0]?.id ?? '');
}

/** @throws {Problem} 404 */
export async function changeCategory(
  transaction: Queryable,
  id: string,
  { slug, name }: Partial<CategoryInput>,
): Promise<CategoryResource> {
  await transaction.query(
    `update service_categories
     set slug = coalesce($2, slug), name = coalesce($3, name), updated_at = now()
     where id = $1`,
    [id, slug ?? null, name ?? null],
  );
  return await readCategory(transaction, id);
}

/**
 * Hands the mark of the default category over to another.
 *
 * @throws {Problem} 404
 */
export async function makeDefault(transaction: Queryable, id: string): Promise<CategoryResource> {
  // The present default first, and locked: of two callers the second waits, then sees the first one's choice.
  await transaction.query('select from service_categories where is_default for update');
  await readCategory(transaction, id);
  await transaction.query(
    'update service_categories set is_default = false, updated_at = now() where is_default and id <> $1',
    [id],
  );
  await transaction.query(
    'update service_categories set is_default = true, updated_at = now() where id = $1 and not is_default',
    [id],
  );
  return await readCategory(transaction, id);
}

/**
 * Deletes a category: its services fall to the default one, its featured position becomes free.
 *
 * @throws {Problem} 404
 */
export async function deleteCategory(database: Queryable, id: string): Promise<void> {
  const { rows } = await database.query('delete from service_categories where id = $1 returning id', [id]);
  if (rows.length === 0) throw notFound('category', id);
}
