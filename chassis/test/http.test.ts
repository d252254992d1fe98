import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, type Json, listAt } from '../../test/support/json.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type Bundle, bundle, type RunningProgram, run } from '../../test/support/program.ts';

let program: Bundle;
let database: TestDatabase;
let app: RunningProgram;
let url: string;

beforeAll(async () => {
  [program, database] = await Promise.all([bundle('chassis/test/programs/probe.ts'), createTestDatabase()]);
  await database.query(`create table schema_migrations (version bigint primary key, dirty boolean not null);
    insert into schema_migrations values (3, false);
    grant select on schema_migrations to ${database.app}`);
  app = run(program.file, {
    LISTEN_ADDRESS: '127.0.0.1:0',
    DATABASE_CONNECTION_STRING: database.appUrl,
    LOG_LEVEL: 'debug',
  });
  url = `http://${(await app.event('listening'))['address']}`;
});

afterAll(async () => {
  app.child.kill('SIGTERM');
  expect(await app.ended).toBe(0);
  await Promise.all([program.remove(), database.drop()]);
});

async function ask(path: string, init: RequestInit = {}) {
  const answer = await fetch(url + path, init);
  const text = await answer.text();
  const body: Json | undefined = text === '' ? undefined : JSON.parse(text);
  return { status: answer.status, headers: answer.headers, body };
}

function echo(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) {
  return ask('/echo', { method: 'POST', body, headers });
}

test('a path that is not there is 404, in full as a problem', async () => {
  const { status, headers, body } = await ask('/nowhere?secret=1', { headers: { 'x-request-id': 'abc-1' } });
  expect([status, headers.get('content-type'), headers.get('x-request-id')]).toEqual([
    404,
    'application/problem+json',
    'abc-1',
  ]);
  expect(body).toEqual({
    type: 'urn:lockstep:problem:not-found',
    title: 'There is no such resource',
    status: 404,
    detail: 'there is nothing at /nowhere',
    instance: '/nowhere',
    requestId: 'abc-1',
  });
});

test('a method that a path does not take is 405 and names those it takes', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const { status, headers, body } = await ask('/echo', { method });
    expect([status, headers.get('allow'), at(body, 'type')]).toEqual([
      405,
      'POST',
      'urn:lockstep:problem:method-not-allowed',
    ]);
  }
  expect((await ask('/who', { method: 'POST' })).headers.get('allow')).toBe('GET, HEAD');
});

test.each([
  ['{"text": ', {}],
  ['', {}],
  ['{"text":"a","__proto__":{"x":1}}', {}],
  ['{"text":"a","constructor":{"prototype":{"x":1}}}', {}],
  ['\ufeff{"text":"a"}{', {}],
])('the malformed body %j is 400', async (text) => {
  const { status, body } = await echo(text);
  expect([status, at(body, 'type'), at(body, 'title')]).toEqual([
    400,
    'urn:lockstep:problem:malformed-request',
    'The request is malformed',
  ]);
});

test('a body of 300,000 nested lists, and one of 100,000 unknown properties, are refused shortly', async () => {
  const nested = await echo('['.repeat(300_000) + ']'.repeat(300_000));
  expect(nested.status).toBe(400);
  const many = await echo(`{${Array.from({ length: 90_000 }, (_, n) => `"p${n}":1`).join()}}`);
  expect([many.status, listAt(many.body, 'errors').length]).toEqual([400, 20]);
});

test('text with CRLF, astral characters and a NUL-free megabyte passes unchanged', async () => {
  const text = `a\r\nb 👩‍🔬 ${'x'.repeat(1_000_000)}`;
  expect((await echo(JSON.stringify({ text }))).body).toEqual({ text });
});

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/xml',
  'x',
])('the content type %s is 415', async (type) => {
  const { status, body } = await echo('a=b', { 'content-type': type });
  expect([status, body]).toEqual([
    415,
    {
      type: 'urn:lockstep:problem:unsupported-media-type',
      title: 'Unsupported Media Type',
      status: 415,
      detail: 'send the body as content-type: application/json',
      instance: '/echo',
      requestId: expect.any(String),
    },
  ]);
});

test('a body of more than 1 MiB is 413, one of 50 MB before it was sent', async () => {
  const { status, body } = await echo(JSON.stringify({ text: 'x'.repeat(1024 * 1024) }));
  expect([status, at(body, 'type'), at(body, 'detail')]).toEqual([
    413,
    'urn:lockstep:problem:payload-too-large',
    'a body has at most 1 MiB',
  ]);

  const answer = await new Promise<number | undefined>((resolve, reject) => {
    const large = httpRequest(`${url}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': 50_000_000 },
    });
    large.once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
      large.destroy();
    });
    large.once('error', reject);
    large.write('{"text":"');
  });
  expect(answer).toBe(413);
});

test('a body without a length that grows to 50 MB is cut off, and the app goes on', async () => {
  const status = await new Promise<number | string>((resolve) => {
    const large = httpRequest(`${url}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    large.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    large.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    large.end(Buffer.alloc(50_000_000, 'x'));
  });
  expect([413, 'ECONNRESET', 'EPIPE']).toContain(status);
  expect((await ask('/live')).status).toBe(200);
});

test('a path whose encoding is wrong is 400, a very long one 404', async () => {
  expect((await ask('/%zz')).body).toMatchObject({
    status: 400,
    type: 'urn:lockstep:problem:malformed-request',
  });
  expect((await ask(`/${'x'.repeat(5_000)}`)).status).toBe(404);
});

test.each([
  ['GET / HTTP/9.9\r\n\r\n', 400],
  ['nonsense\r\n\r\n', 400],
  [`GET /live HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
  ['GET /live HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
  ['GET /live HTTP/1.1\r\nhost: x\r\nexpect: a wonder\r\n\r\n', 417],
])('what is no HTTP (%#) is refused as a problem', async (text, status) => {
  const answer = await new Promise<string>((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    socket.once('close', () => resolve(received));
    socket.once('error', reject);
  });
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toContain(`HTTP/1.1 ${status} `);
  expect(head).toContain('content-type: application/problem+json');
  expect(JSON.parse(body)).toMatchObject({
    status,
    type: expect.stringMatching(/^urn:lockstep:problem:[a-z-]+$/),
  });
});

test('a defect is 500 without internals, and the log has it under the request id, without the secret', async () => {
  const { status, body } = await ask('/defect');
  expect([status, body]).toEqual([
    500,
    {
      type: 'urn:lockstep:problem:internal',
      title: 'The service failed',
      status: 500,
      detail: 'the log has the cause under this requestId',
      instance: '/defect',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    },
  ]);
  const logged = await app.event('The service failed');
  expect(logged).toMatchObject({ level: 'error', program: 'probe', requestId: at(body, 'requestId') });
  expect(app.stderr()).toContain('password=****');
  expect(app.stderr()).not.toContain('swordfish');
});

test('a request id that would forge a log line is replaced', async () => {
  const { headers } = await ask('/live', { headers: { 'x-request-id': 'a"},{"b' } });
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('each request is one line of JSON on stderr, probes at debug', async () => {
  await ask('/who', { headers: { 'x-request-id': 'one-line' } });
  await ask('/ready', { headers: { 'x-request-id': 'a-probe' } });
  // A line is written after its answer was sent.
  await expect.poll(() => app.stderr()).toContain('"a-probe"');
  const lines = app
    .stderr()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  expect(lines.filter(({ requestId }) => requestId === 'one-line')).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/Z$/),
      program: 'probe',
      requestId: 'one-line',
      method: 'GET',
      url: '/who',
      status: 200,
      milliseconds: expect.any(Number),
      msg: 'request',
    },
  ]);
  expect(lines.find(({ requestId }) => requestId === 'a-probe')).toMatchObject({ level: 'debug' });
  expect(app.stdout()).toBe('');
});

test('a query that looks like a secret is masked in the log, and the line stays JSON', async () => {
  const asked = 'x?password=swordfish';
  await ask(`/${asked}`, { headers: { 'x-request-id': 'masked-query' } });
  await expect.poll(() => app.stderr()).toContain('masked-query');
  const line = app
    .stderr()
    .split('\n')
    .find((text) => text.includes('masked-query'));
  expect(JSON.parse(line ?? '')).toMatchObject({ url: '/x?password=****', status: 404 });
});
