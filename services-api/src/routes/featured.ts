import { type App, actorOf, type Database, schema } from '@lockstep/chassis';
import { feature, listFeatured, readFeatured, unfeature } from '../featured.ts';

// A path is text, so the two positions are too.
const position = schema.object({ position: { type: 'string', enum: ['1', '2'] } }, ['position']);
const choice = schema.object({ categoryId: schema.identifier }, ['categoryId']);

interface ByPosition {
  Params: { position: string };
}

/** Adds the routes of the featured positions, of which there are two. */
export function routeFeatured(app: App, database: Database): void {
  app.get('/featured-categories', async () => ({ items: await listFeatured(database) }));

  app.get<ByPosition>('/featured-categories/:position', { schema: { params: position } }, ({ params }) =>
    readFeatured(database, Number(params.position)),
  );

  app.put<ByPosition & { Body: { categoryId: string } }>(
    '/featured-categories/:position',
    { schema: { params: position, body: choice } },
    (request) => {
      const actor = actorOf(request);
      const at = Number(request.params.position);
      return database.transaction((transaction) => feature(transaction, at, request.body.categoryId, actor));
    },
  );

  app.delete<ByPosition>(
    '/featured-categories/:position',
    { schema: { params: position } },
    async ({ params }, reply) => {
      await unfeature(database, Number(params.position));
      return reply.code(204).send();
    },
  );
}
