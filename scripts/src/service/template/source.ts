import type { NewService } from '../name.ts';

export const schemaVersion = `/** The newest migration that this code relies on: the app does not listen on an older schema. */
export const requiredSchemaVersion = 1n;
`;

export const schemaVersionTest = `import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requiredSchemaVersion } from './schema-version.ts';

test('the code requires the newest migration there is', () => {
  const files = readdirSync(join(import.meta.dirname, '..', 'migrations')).filter((file) =>
    file.endsWith('.up.sql'),
  );
  const newest = files.sort().at(-1) ?? '';
  expect(requiredSchemaVersion).toBe(BigInt(Number.parseInt(newest, 10)));
});
`;

export function index({ name, identifier }: NewService): string {
  return `import type { Service } from '@lockstep/chassis';
import { constraints } from './constraints.ts';
import { routeItems } from './routes/items.ts';
import { requiredSchemaVersion } from './schema-version.ts';

/** Items, which stand for whatever this service will keep. */
export const ${identifier}: Service = {
  name: '${name}',
  requiredSchemaVersion,
  constraints,
  routes: routeItems,
};
`;
}

export function server({ identifier }: NewService): string {
  return `import { runService } from '@lockstep/chassis';
import { ${identifier} } from './index.ts';

void runService(${identifier}).then((status) => process.exit(status));
`;
}

export function constraints({ specification }: NewService): string {
  return `import type { Constraints } from '@lockstep/chassis';

/** What the constraints of ${specification} mean to a caller. */
export const constraints: Constraints = {
  items_name_unique: { status: 409, code: 'name-taken', title: 'The name is taken' },
};
`;
}

export const item = `import { type Cursor, notFound, type Queryable } from '@lockstep/chassis';

/** An item as the API shows it. */
export interface ItemResource {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** What a caller may set. */
export interface ItemInput {
  readonly name: string;
}

const select = \`select id, name, created_at as "createdAt", created_by as "createdBy" from items\`;

/** Lists at most \`limit\` items after \`cursor\`, the newest first. */
export async function listItems(
  database: Queryable,
  { limit, cursor }: { limit: number; cursor: Cursor | undefined },
): Promise<ItemResource[]> {
  const { rows } = await database.query<ItemResource>(
    \`\${select}
     where ($1::timestamptz is null or (created_at, id) < ($1, $2::uuid))
     order by created_at desc, id desc
     limit $3\`,
    [cursor?.[0] ?? null, cursor?.[1] ?? null, limit],
  );
  return rows;
}

/** @throws {Problem} 404 */
export async function readItem(database: Queryable, id: string): Promise<ItemResource> {
  const { rows } = await database.query<ItemResource>(\`\${select} where id = $1\`, [id]);
  if (rows[0] === undefined) throw notFound('item', id);
  return rows[0];
}

export async function createItem(
  transaction: Queryable,
  { name }: ItemInput,
  actor: string,
): Promise<ItemResource> {
  const { rows } = await transaction.query<{ id: string }>(
    'insert into items (name, created_by) values ($1, $2) returning id',
    [name, actor],
  );
  return await readItem(transaction, rows[0]?.id ?? '');
}
`;

export const itemRoutes = `import { type App, actorOf, type Database, decodeCursor, pageOf, schema } from '@lockstep/chassis';
import { createItem, type ItemInput, listItems, readItem } from '../item.ts';

const creation = schema.object({ name: schema.text({ max: 120 }) }, ['name']);
const listing = schema.object(schema.pageQuery);

interface ById {
  Params: { id: string };
}

/** Adds the routes of items. */
export function routeItems(app: App, database: Database): void {
  app.get<{ Querystring: { limit: number; cursor?: string } }>(
    '/items',
    { schema: { querystring: listing } },
    async ({ query: { limit, cursor } }) => {
      const list = 'items';
      const after = cursor === undefined ? undefined : decodeCursor(cursor, list);
      const rows = await listItems(database, { limit: limit + 1, cursor: after });
      return pageOf(rows, {
        limit,
        list,
        item: (row) => row,
        cursorOf: (row) => [row.createdAt.toISOString(), row.id],
      });
    },
  );

  app.post<{ Body: ItemInput }>('/items', { schema: { body: creation } }, async (request, reply) => {
    const actor = actorOf(request);
    const item = await database.transaction((transaction) => createItem(transaction, request.body, actor));
    reply.code(201).header('location', \`/items/\${item.id}\`);
    return item;
  });

  app.get<ById>('/items/:id', { schema: { params: schema.idPath } }, ({ params }) =>
    readItem(database, params.id),
  );
}
`;
