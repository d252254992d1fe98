import {
  type App,
  actorOf,
  checkIfMatch,
  type Database,
  decodeCursor,
  entityTag,
  pageOf,
  schema,
} from '@lockstep/chassis';
import type { FastifyReply } from 'fastify';
import {
  advanceService,
  changeService,
  createService,
  listServices,
  lockService,
  readService,
  type ServiceFilter,
  type ServiceInput,
  type ServiceResource,
  statuses,
} from '../service.ts';

const properties = {
  slug: schema.slug,
  title: schema.text({ max: 200 }),
  summary: schema.text({ min: 0, max: 2000, multiline: true }),
  contentUrl: schema.nullable(schema.blobUrl),
  categoryId: schema.nullable(schema.identifier),
};
const creation = schema.object(properties, ['slug', 'title']);
const change = { ...schema.object(properties), minProperties: 1 };
const listing = schema.object({
  ...schema.pageQuery,
  status: { type: 'string', enum: statuses },
  category: schema.slug,
  title: schema.text({ max: 200 }),
});

interface ById {
  Params: { id: string };
}

/** Adds the routes of services and their publishing workflow. */
export function routeServices(app: App, database: Database): void {
  app.get<{ Querystring: ServiceFilter & { limit: number; cursor?: string } }>(
    '/services',
    { schema: { querystring: listing } },
    async ({ query: { limit, cursor, ...filter } }) => {
      const list = `services ${JSON.stringify([filter.status, filter.category, filter.title])}`;
      const after = cursor === undefined ? undefined : decodeCursor(cursor, list);
      const rows = await listServices(database, filter, { limit: limit + 1, cursor: after });
      return pageOf(rows, {
        limit,
        list,
        item: (row) => row,
        cursorOf: (row) => [row.createdAt.toISOString(), row.id],
      });
    },
  );

  app.post<{ Body: ServiceInput }>('/services', { schema: { body: creation } }, async (request, reply) => {
    const actor = actorOf(request);
    const service = await database.transaction((transaction) =>
      createService(transaction, request.body, actor),
    );
    reply.code(201).header('location', `/services/${service.id}`);
    return tagged(reply, service);
  });

  app.get<ById>('/services/:id', { schema: { params: schema.idPath } }, async (request, reply) =>
    tagged(reply, await readService(database, request.params.id)),
  );

  app.patch<ById & { Body: Partial<ServiceInput> }>(
    '/services/:id',
    { schema: { params: schema.idPath, body: change } },
    async (request, reply) => {
      const actor = actorOf(request);
      const { id } = request.params;
      const service = await database.transaction(async (transaction) => {
        checkIfMatch(request, await lockService(transaction, id));
        return await changeService(transaction, id, request.body, actor);
      });
      return tagged(reply, service);
    },
  );

  for (const [verb, status] of [
    ['publish', 'published'],
    ['archive', 'archived'],
  ] as const) {
    app.post<ById>(`/services/:id/${verb}`, { schema: { params: schema.idPath } }, async (request, reply) => {
      const actor = actorOf(request);
      const { id } = request.params;
      const service = await database.transaction(async (transaction) => {
        checkIfMatch(request, await lockService(transaction, id));
        return await advanceService(transaction, id, status, actor);
      });
      return tagged(reply, service);
    });
  }
}

function tagged(reply: FastifyReply, service: ServiceResource): ServiceResource {
  reply.header('etag', entityTag(service.version));
  return service;
}
