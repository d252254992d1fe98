import type { IncomingMessage } from 'node:http';
import { isJsonObject, type JsonObject } from '../json.ts';
import { losesNumber } from './json-numbers.ts';
import { tookList } from './list-method.ts';
import { ApiRefusal, notHere } from './refusal.ts';
import type { Operation } from './routes.ts';
import type { ApiRequest } from './vault.ts';

/** Vault's own limit for a request. */
const largestBody = 32 * 1024 * 1024;
const longestPath = 4096;
/** Deeper JSON is an attack on whoever walks it. */
const deepestJson = 300;

/** Reads one HTTP request: the body first, so that the connection stays usable whatever is refused afterwards. */
export async function readRequest(message: IncomingMessage): Promise<ApiRequest> {
  const text = await readBody(message);
  const url = message.url ?? '/';
  const cut = url.indexOf('?');
  const query = new URLSearchParams(cut === -1 ? '' : url.slice(cut + 1));
  const operation = operationOf(message, query);
  const path = pathOf(cut === -1 ? url : url.slice(0, cut));
  // Vault then answers with its manual, whatever was asked.
  if ((query.get('help') ?? '') !== '') throw notHere(`${path}?help`);
  refuseHeaders(message);
  return { operation, path, query, body: parseBody(text, operation), tokenText: tokenOf(message) };
}

function readBody(message: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = Number(message.headers['content-length'] ?? 0);
    if (length <= largestBody) length = 0;
    // Not `for await`: leaving that loop early cuts the connection, and with it the answer.
    message.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= largestBody) chunks.push(chunk);
      else refuse();
    });
    message.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    message.on('error', reject);
    message.on('close', () => reject(new Error('the client left before its request was whole')));
    const refuse = () => {
      chunks.length = 0;
      reject(new ApiRefusal(413, 'http: request body too large'));
    };
    if (length > largestBody) refuse();
  });
}

function operationOf(message: IncomingMessage, query: URLSearchParams): Operation {
  if (tookList(message.socket)) return 'list';
  switch (message.method) {
    case 'GET': {
      const list = query.get('list');
      return list !== null && /^(?:1|t|true)$/i.test(list) ? 'list' : 'read';
    }
    case 'HEAD':
      // Vault answers HEAD on its health only.
      if (message.url?.startsWith('/v1/sys/health')) return 'read';
      throw new ApiRefusal(405);
    case 'POST':
    case 'PUT':
      return 'update';
    case 'PATCH':
      if (message.headers['content-type']?.split(';')[0]?.trim() !== 'application/merge-patch+json') {
        throw new ApiRefusal(415, 'PATCH requires Content-Type of application/merge-patch+json');
      }
      return 'patch';
    case 'DELETE':
      return 'delete';
    default:
      throw new ApiRefusal(405);
  }
}

/** Decodes the path after `/v1/`. Refuses whatever could mean another path to somebody else who reads it. */
function pathOf(raw: string): string {
  if (!raw.startsWith('/v1/')) throw new ApiRefusal(404);
  if (raw.length > longestPath)
    throw new ApiRefusal(400, `the path is longer than ${longestPath} characters`);
  const segments = raw.slice('/v1/'.length).split('/').map(decodeSegment);
  if (segments.slice(0, -1).includes('')) throw new ApiRefusal(400, 'the path holds an empty segment');
  if (segments.length === 1 && segments[0] === '') throw new ApiRefusal(404);
  return segments.join('/');
}

function decodeSegment(raw: string): string {
  let segment: string;
  try {
    segment = decodeURIComponent(raw);
  } catch {
    throw new ApiRefusal(400, 'the path is not well-formed percent-encoding');
  }
  if (segment === '.' || segment === '..') throw new ApiRefusal(400, 'the path holds a "." or ".." segment');
  if (segment.includes('/')) throw new ApiRefusal(400, 'the path holds an encoded slash');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(segment)) throw new ApiRefusal(400, 'the path holds a control character');
  return segment;
}

/** Refuses what is asked for by header and cannot be done; to ignore it would answer another question. */
function refuseHeaders({ headers }: IncomingMessage): void {
  const namespace = headers['x-vault-namespace'];
  if (namespace !== undefined && !['', 'root', 'root/', '/'].includes(String(namespace))) {
    throw new ApiRefusal(400, 'namespaces are not supported by the embedded development Vault');
  }
  if (headers['x-vault-wrap-ttl'] !== undefined) {
    throw new ApiRefusal(400, 'response wrapping is not supported by the embedded development Vault');
  }
}

function tokenOf({ headers }: IncomingMessage): string {
  const own = headers['x-vault-token'];
  if (own !== undefined) return String(own);
  return /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
}

function parseBody(text: string, operation: Operation): JsonObject {
  // Clients send bodies with reads and lists as well; Vault does not look at them.
  if (text.trim() === '' || operation === 'read' || operation === 'list') return {};
  const wrong = new ApiRefusal(400, 'error parsing JSON');
  if (depthOf(text) > deepestJson) throw wrong;
  let body: unknown;
  try {
    body = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's own message would quote the body, which may hold secrets.
    throw wrong;
  }
  if (!isJsonObject(body)) throw wrong;
  if (losesNumber(text)) {
    throw new ApiRefusal(
      400,
      'a number of more digits than the embedded development Vault can keep: send it as a string',
    );
  }
  return body;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  // By hand: on a hostile text of 32 MB a regular expression takes hours, or all of its stack.
  for (let index = 0; index < text.length; index++) {
    const letter = text[index];
    if (inString) {
      if (letter === '\\') index++;
      else if (letter === '"') inString = false;
    } else if (letter === '"') inString = true;
    else if (letter === '[' || letter === '{') deepest = Math.max(deepest, ++depth);
    else if (letter === ']' || letter === '}') depth--;
  }
  return deepest;
}
