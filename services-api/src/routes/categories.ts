import { type App, type Database, decodeCursor, pageOf, schema } from '@lockstep/chassis';
import {
  type CategoryInput,
  changeCategory,
  createCategory,
  deleteCategory,
  listCategories,
  makeDefault,
  readCategory,
  readDefaultCategory,
} from '../category.ts';

const properties = { slug: schema.slug, name: schema.text({ max: 120 }) };
const creation = schema.object(properties, ['slug', 'name']);
const change = { ...schema.object(properties), minProperties: 1 };
const choice = schema.object({ categoryId: schema.identifier }, ['categoryId']);
const listing = schema.object(schema.pageQuery);

interface ById {
  Params: { id: string };
}

/** Adds the routes of categories; exactly one of them is the default. */
export function routeCategories(app: App, database: Database): void {
  app.get<{ Querystring: { limit: number; cursor?: string } }>(
    '/categories',
    { schema: { querystring: listing } },
    async ({ query: { limit, cursor } }) => {
      const list = 'categories';
      const after = cursor === undefined ? undefined : decodeCursor(cursor, list);
      const rows = await listCategories(database, { limit: limit + 1, cursor: after });
      return pageOf(rows, { limit, list, item: (row) => row, cursorOf: (row) => [row.slug, row.id] });
    },
  );

  app.post<{ Body: CategoryInput }>('/categories', { schema: { body: creation } }, async (request, reply) => {
    const category = await database.transaction((transaction) => createCategory(transaction, request.body));
    reply.code(201).header('location', `/categories/${category.id}`);
    return category;
  });

  app.get('/categories/default', () => readDefaultCategory(database));

  app.put<{ Body: { categoryId: string } }>('/categories/default', { schema: { body: choice } }, ({ body }) =>
    database.transaction((transaction) => makeDefault(transaction, body.categoryId)),
  );

  app.get<ById>('/categories/:id', { schema: { params: schema.idPath } }, ({ params }) =>
    readCategory(database, params.id),
  );

  app.patch<ById & { Body: Partial<CategoryInput> }>(
    '/categories/:id',
    { schema: { params: schema.idPath, body: change } },
    ({ params, body }) => database.transaction((transaction) => changeCategory(transaction, params.id, body)),
  );

  app.delete<ById>('/categories/:id', { schema: { params: schema.idPath } }, async ({ params }, reply) => {
    await deleteCategory(database, params.id);
    return reply.code(204).send();
  });
}
