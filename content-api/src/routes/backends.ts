import { type App, actorOf, type Database, schema } from '@lockstep/chassis';
import {
  type BackendInput,
  type Health,
  healthStates,
  listBackends,
  putBackend,
  recordHealth,
} from '../backend.ts';

const byName = schema.object({ name: schema.slug }, ['name']);
const backend = schema.object(
  {
    baseUrl: {
      type: 'string',
      maxLength: 500,
      pattern: '^https://[!"$->A-\\[\\]-~]+/$',
      description: 'must be an https:// URL that ends with a slash, without credentials or query',
    },
    priority: { type: 'integer', minimum: 1, maximum: 1000 },
    active: { type: 'boolean' },
  },
  ['baseUrl', 'priority'],
);
const finding = schema.object(
  { health: { type: 'string', enum: healthStates }, note: schema.nullable(schema.text({ max: 500 })) },
  ['health'],
);

interface ByName {
  Params: { name: string };
}

/** Adds the routes of storage backends and their health. */
export function routeBackends(app: App, database: Database): void {
  app.get('/backends', async () => ({ items: await listBackends(database) }));

  app.put<ByName & { Body: BackendInput }>(
    '/backends/:name',
    { schema: { params: byName, body: backend } },
    async ({ params, body }, reply) => {
      const { backend: stored, created } = await putBackend(database, params.name, body);
      reply.code(created ? 201 : 200);
      return stored;
    },
  );

  app.put<ByName & { Body: { health: Health; note?: string | null } }>(
    '/backends/:name/health',
    { schema: { params: byName, body: finding } },
    (request) => recordHealth(database, request.params.name, request.body, actorOf(request)),
  );
}
