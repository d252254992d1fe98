import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Problem, type ProblemDetail, problemBody, problemContentType } from './problem.ts';
import type { App } from './service.ts';
import { validationProblem } from './validation.ts';
import { type Constraints, violationProblem } from './violation.ts';

/** Makes every refusal of `app` a problem: thrown by a route, by fastify itself, or for a route that is not there. */
export function routeErrors(app: App, constraints: Constraints): void {
  const routes: { method: string; path: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const path = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[^/]+/g, '[^/]+')}$`);
    for (const each of [method].flat()) routes.push({ method: each, path });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request);
    const methods = routes.filter((route) => route.path.test(path)).map((route) => route.method);
    return answer(request, reply, methods.length > 0 ? methodNotAllowed(methods) : routeNotFound(path));
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error, constraints);
    if (problem.status >= 500) request.log.error({ err: error }, problem.title);
    return answer(request, reply, problem);
  });
}

/** Answers a path that no route could ever match: percent-encoding that is wrong, a segment that is too long. */
export function refuseUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  answer(request, reply, problemOf(error, {}));
}

/** @throws {Problem} 400 for HTTP/1.1 without a Host, as RFC 9112 (3.2) asks */
export function checkHost({ raw }: FastifyRequest): void {
  if (raw.httpVersion !== '1.1' || raw.headers.host !== undefined) return;
  throw new Problem({ ...malformed, detail: 'HTTP/1.1 asks for a Host header' });
}

/** Answers an `Expect` other than 100-continue, which no route ever sees. */
export function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify({ ...bareProblem(417), detail: 'the only expectation is 100-continue' });
  const headers = { 'content-type': problemContentType, 'content-length': body.length, connection: 'close' };
  response.writeHead(417, headers).end(body);
}

/** Answers what is not even HTTP, where there is no request: an over-long header, a request that never ended. */
export function refuseMalformedHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const status = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }[error.code ?? ''] ?? 400;
  const problem = bareProblem(status);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status} ${problem.title}`,
    `content-type: ${problemContentType}`,
    `content-length: ${body.length}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy();
}

function bareProblem(status: number): { type: string; title: string; status: number } {
  const title = STATUS_CODES[status] ?? '';
  return { type: `urn:lockstep:problem:${kebab(title)}`, title, status };
}

function answer(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .type(problemContentType)
    .serializer(JSON.stringify)
    .send(problemBody(problem, { path: pathOf(request), requestId: request.id }));
}

function pathOf(request: FastifyRequest): string {
  return request.url.replace(/[?#].*$/s, '').slice(0, 500);
}

function problemOf(error: FastifyError, constraints: Constraints): Problem {
  if (error instanceof Problem) return error;
  if (error.validation !== undefined) return validationProblem(error);
  return violationProblem(error, constraints) ?? new Problem(requestProblem(error) ?? internal, error);
}

const malformed = { status: 400, code: 'malformed-request', title: 'The request is malformed' };

const internal: ProblemDetail = {
  status: 500,
  code: 'internal',
  title: 'The service failed',
  detail: 'the log has the cause under this requestId',
};

/** What fastify itself refuses before a route sees it; its messages are about the request and hold no internals. */
function requestProblem({ statusCode, code, message }: FastifyError): ProblemDetail | undefined {
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return undefined;
  const detail: Record<string, string> = {
    FST_ERR_CTP_BODY_TOO_LARGE: 'a body has at most 1 MiB',
    FST_ERR_CTP_INVALID_MEDIA_TYPE: 'send the body as content-type: application/json',
    FST_ERR_CTP_EMPTY_JSON_BODY: 'the content-type says JSON and the body is empty',
  };
  const title = STATUS_CODES[statusCode] ?? 'Refused';
  return {
    status: statusCode,
    ...(statusCode === 400 ? malformed : { code: kebab(title), title }),
    detail: detail[code] ?? message,
  };
}

function routeNotFound(path: string): Problem {
  const detail = `there is nothing at ${path}`;
  return new Problem({ status: 404, code: 'not-found', title: 'There is no such resource', detail });
}

function methodNotAllowed(methods: readonly string[]): Problem {
  const allow = [...new Set(methods)].sort().join(', ');
  return new Problem({
    status: 405,
    code: 'method-not-allowed',
    title: 'The resource does not take this method',
    detail: `it takes ${allow}`,
    headers: { allow },
  });
}

function kebab(title: string): string {
  return title.toLowerCase().replace(/[^a-z]+/g, '-');
}
