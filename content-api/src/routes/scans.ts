import { type App, actorOf, type Database, decodeCursor, pageOf, schema } from '@lockstep/chassis';
import { readRecord } from '../content.ts';
import { finishScan, listScans, type ScanResult, startScan } from '../scan.ts';

const start = schema.object({ scanner: schema.text({ max: 100 }) }, ['scanner']);
const result = {
  ...schema.object(
    {
      verdict: { type: 'string', enum: ['clean', 'infected', 'failed'] },
      threat: schema.text({ max: 200 }),
    },
    ['verdict'],
  ),
  // A threat is named when one was found, and only then.
  if: { type: 'object', required: ['verdict'], properties: { verdict: { const: 'infected' } } },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schema
  then: { required: ['threat'] },
  else: { type: 'object', properties: { threat: false } },
};
const scanPath = schema.object({ id: schema.identifier, scanId: schema.identifier }, ['id', 'scanId']);
const listing = schema.object(schema.pageQuery);

interface ById {
  Params: { id: string };
}

/** Adds the routes of virus scans: start, result, history. */
export function routeScans(app: App, database: Database): void {
  app.get<ById & { Querystring: { limit: number; cursor?: string } }>(
    '/content/:id/scans',
    { schema: { params: schema.idPath, querystring: listing } },
    async ({ params: { id }, query: { limit, cursor } }) => {
      const list = `scans ${id.toLowerCase()}`;
      const after = cursor === undefined ? undefined : decodeCursor(cursor, list);
      const { scanStatus } = await readRecord(database, id);
      const rows = await listScans(database, id, { limit: limit + 1, cursor: after });
      const page = pageOf(rows, {
        limit,
        list,
        item: (row) => row,
        cursorOf: (row) => [row.startedAt.toISOString(), row.id],
      });
      return { scanStatus, ...page };
    },
  );

  app.post<ById & { Body: { scanner: string } }>(
    '/content/:id/scans',
    { schema: { params: schema.idPath, body: start } },
    async (request, reply) => {
      const actor = actorOf(request);
      const { id } = request.params;
      const scan = await database.transaction((transaction) =>
        startScan(transaction, id, request.body.scanner, actor),
      );
      reply.code(201);
      return scan;
    },
  );

  app.put<{ Params: { id: string; scanId: string }; Body: ScanResult }>(
    '/content/:id/scans/:scanId/result',
    { schema: { params: scanPath, body: result } },
    (request) => {
      const actor = actorOf(request);
      const { id: contentId, scanId } = request.params;
      return database.transaction((transaction) =>
        finishScan(transaction, { contentId, scanId }, request.body, actor),
      );
    },
  );
}
