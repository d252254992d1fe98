import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { type LogLevel, redactJson } from '@lockstep/foundation';
import fastify, { type FastifyHttpOptions, type FastifyServerOptions, LogController } from 'fastify';
import type { Database } from './database.ts';
import { Drain } from './drain.ts';
import { routeReadiness } from './readiness.ts';
import {
  checkHost,
  refuseExpectation,
  refuseMalformedHttp,
  refuseUnroutable,
  routeErrors,
} from './refusal.ts';
import type { App, Service } from './service.ts';
import { ajvOptions, readQueryNumbers } from './validation.ts';

/** Requests larger than this are refused with 413. */
const bodyLimitBytes = 1024 * 1024;

/**
 * Creates the app of a service: `/live`, `/ready`, the service's routes, and one way to refuse a request.
 *
 * It opens nothing: the caller opens the database, listens, and closes both.
 *
 * @param log without it nothing is logged
 */
export function createApp(
  service: Service,
  database: Database,
  log?: { level: LogLevel; write?: (line: string) => void },
): App {
  const options: FastifyHttpOptions<Server> = {
    bodyLimit: bodyLimitBytes,
    requestTimeout: 30_000,
    // Node would refuse it with an empty answer; checkHost does it with a problem.
    http: { requireHostHeader: false },
    // While draining, requests on open connections are still answered, with `Connection: close`.
    return503OnClosing: false,
    // Connections without a request are the drain's to close.
    forceCloseConnections: false,
    routerOptions: { maxParamLength: 200 },
    genReqId: (request) => requestId(request.headers['x-request-id']),
    // Fastify's two lines a request are replaced by one, below.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    ajv: ajvOptions,
    // No route has a response schema, so its compiler would be loaded for nothing; that costs about 10 ms of a start.
    schemaController: { compilersFactory: { buildSerializer: () => () => JSON.stringify } },
    frameworkErrors: refuseUnroutable,
    clientErrorHandler: refuseMalformedHttp,
    ...(log === undefined ? {} : { logger: loggerOptions(service.name, log) }),
  };
  const app: App = fastify(options);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    checkHost(request);
  });
  app.server.on('checkExpectation', refuseExpectation);
  const drain = new Drain(app.server);
  app.addHook('preClose', () => drain.begin());
  app.addHook('onSend', async (_request, reply) => {
    if (!drain.isDraining) return;
    // Or the connection would stay open for the next request, and hold the drain up until it times out.
    reply.header('connection', 'close');
    await drain.refusing();
  });
  app.addHook('preValidation', async (request) => readQueryNumbers(request));
  app.addHook('onResponse', async (request, reply) => {
    const probe = request.routeOptions.url === '/ready' || request.routeOptions.url === '/live';
    const fields = {
      method: request.method,
      url: request.url.slice(0, 500),
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime * 10) / 10,
    };
    request.log[probe ? 'debug' : 'info'](fields, 'request');
  });
  // Only JSON is understood; anything else is 415.
  app.removeContentTypeParser('text/plain');
  routeErrors(app, service.constraints);
  routeReadiness(app, service, database);
  service.routes(app, database);
  return app;
}

/** A caller's own request id when it is harmless in a log, else a new one. */
function requestId(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,100}$/.test(header) ? header : randomUUID();
}

/** The same lines as foundation's log writes: an app has no results, so all goes to stderr. */
function loggerOptions(
  program: string,
  {
    level,
    write = (line) => void process.stderr.write(line),
  }: { level: LogLevel; write?: (line: string) => void },
): NonNullable<FastifyServerOptions['logger']> {
  return {
    level,
    base: { program },
    formatters: { level: (label) => ({ level: label }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    stream: { write: (line: string) => write(redactJson(line)) },
  };
}
