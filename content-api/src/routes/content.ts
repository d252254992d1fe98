import { type App, actorOf, type Database, decodeCursor, pageOf, schema } from '@lockstep/chassis';
import { readStatistics } from '../access.ts';
import {
  type ContentInput,
  listContent,
  readRecord,
  registerContent,
  type ScanStatus,
  scanStatuses,
  serveContent,
} from '../content.ts';

/** 5 TiB, as the database checks it too. */
const largestSize = 5_497_558_138_880;

const registration = schema.object(
  {
    blobUrl: schema.blobUrl,
    sha256: {
      type: 'string',
      pattern: '^[0-9a-f]{64}$',
      description: 'must be a SHA-256 in 64 lower-case hexadecimal digits',
    },
    mimeType: {
      type: 'string',
      maxLength: 127,
      pattern: '^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$',
      description: 'must be a MIME type in lower case without parameters, such as image/png',
    },
    sizeBytes: { type: 'integer', minimum: 0, maximum: largestSize },
    backend: schema.slug,
  },
  ['blobUrl', 'sha256', 'mimeType', 'sizeBytes'],
);
const listing = schema.object({ ...schema.pageQuery, scanStatus: { type: 'string', enum: scanStatuses } });
const period = schema.object({ days: { type: 'integer', minimum: 1, maximum: 366, default: 30 } });

interface ById {
  Params: { id: string };
}

/** Adds the routes of content and its accesses. */
export function routeContent(app: App, database: Database): void {
  app.get<{ Querystring: { scanStatus?: ScanStatus; limit: number; cursor?: string } }>(
    '/content',
    { schema: { querystring: listing } },
    async ({ query: { limit, cursor, scanStatus } }) => {
      const list = `content ${scanStatus ?? ''}`;
      const after = cursor === undefined ? undefined : decodeCursor(cursor, list);
      const rows = await listContent(database, scanStatus, { limit: limit + 1, cursor: after });
      return pageOf(rows, {
        limit,
        list,
        item: (row) => row,
        cursorOf: (row) => [row.registeredAt.toISOString(), row.id],
      });
    },
  );

  app.post<{ Body: ContentInput }>('/content', { schema: { body: registration } }, async (request, reply) => {
    const actor = actorOf(request);
    const content = await database.transaction((transaction) =>
      registerContent(transaction, request.body, actor),
    );
    reply.code(201).header('location', `/content/${content.id}`);
    return content;
  });

  // No HEAD: asking without reading would count as an access.
  app.get<ById>(
    '/content/:id',
    { schema: { params: schema.idPath }, exposeHeadRoute: false },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return await serveContent(database, request.params.id, actorOf(request));
    },
  );

  app.get<ById>('/content/:id/record', { schema: { params: schema.idPath } }, ({ params }) =>
    readRecord(database, params.id),
  );

  app.get<ById & { Querystring: { days: number } }>(
    '/content/:id/statistics',
    { schema: { params: schema.idPath, querystring: period } },
    ({ params, query }) => readStatistics(database, params.id, query.days),
  );
}
