import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

/** What node-vault hands to the transport, and what this project adds (`timeout`, `signal`). */
export interface TransportRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body; node-vault leaves it out or sets it to an object. */
  readonly json?: unknown;
  /** Milliseconds for the whole exchange, connecting included. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

/** The shape node-vault reads. `body` is undefined when the answer has none. */
export interface TransportResponse {
  readonly statusCode: number;
  readonly body: unknown;
  readonly request: { readonly path: string };
}

/** Nothing came back in time. */
export class TimeoutError extends Error {}

/** Something came back that no Vault sends; `message` says what, in words fit for an evidence line. */
export class ForeignAnswerError extends Error {
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

const largestAnswer = 33 * 1024 * 1024;

/**
 * Carries node-vault's requests over node:http, in place of its own axios.
 *
 * node-vault's axios would send secrets to whatever HTTP_PROXY names, follow redirects with the token attached, read
 * answers of any size, and cannot be cancelled. This one goes straight to the address and does none of it.
 */
export class Transport {
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https = new HttpsAgent({ keepAlive: true });

  async send(request: TransportRequest): Promise<TransportResponse> {
    const { response, text } = await this.#exchange(request);
    const status = response.statusCode ?? 0;
    return {
      statusCode: status,
      body: parse(text, status, response),
      request: { path: new URL(request.uri).pathname },
    };
  }

  /** Ends idle and running connections, so that none keeps the program alive. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #exchange(request: TransportRequest): Promise<{ response: IncomingMessage; text: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = this.#open(request);
      // A timer of its own: node's socket timeout starts again with every byte.
      const timer = setTimeout(() => {
        reject(new TimeoutError(`no answer within ${Math.round(request.timeout)} ms`));
        outgoing.destroy();
      }, request.timeout);
      outgoing.on('close', () => clearTimeout(timer));
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        readBody(response).then((text) => resolve({ response, text }), reject);
      });
      outgoing.end(isBody(request.json) ? JSON.stringify(request.json) : undefined);
    });
  }

  #open({ method, uri, headers, json, signal }: TransportRequest): ClientRequest {
    const url = new URL(uri);
    const options = {
      method,
      headers: {
        Accept: 'application/json',
        ...(isBody(json) ? { 'Content-Type': 'application/json' } : {}),
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    };
    return url.protocol === 'https:'
      ? requestHttps(url, { ...options, agent: this.#https })
      : requestHttp(url, { ...options, agent: this.#http });
  }
}

// node-vault sets `json: true` on requests without a body.
function isBody(json: unknown): json is object {
  return typeof json === 'object' && json !== null;
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > largestAnswer) {
      throw new ForeignAnswerError('it sends more than 33 MB', response.statusCode);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string, status: number, response: IncomingMessage): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // The text itself stays out: a stranger may echo the token it was sent.
    const type =
      response.headers['content-type']?.replace(/[^\w./+;= -]/g, '').slice(0, 60) || 'no content type';
    throw new ForeignAnswerError(
      `it answers ${status} with ${type}, ${text.length} characters that are not JSON`,
      status,
    );
  }
}
