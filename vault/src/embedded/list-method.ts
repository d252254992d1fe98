import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

const listMethod = Buffer.from('LIST ');
const getMethod = Buffer.from('GET ');

/**
 * Lets an HTTP server understand Vault's method `LIST`, which node's parser refuses with 400.
 *
 * Every connection goes through a stream that turns the `LIST` at the start of a request into a `GET` and remembers
 * it; {@link tookList} tells. Requests are told apart by their answers, so a pipelined `LIST` is still refused. No
 * client of Vault pipelines.
 */
export function acceptListMethod(server: Server): void {
  const parse = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const stream = new ListMethodStream(socket);
    for (const listener of parse) listener.call(server, stream);
  });
  server.on('request', ({ socket }: { socket: unknown }, response: NodeJS.EventEmitter) => {
    if (socket instanceof ListMethodStream) response.once('finish', () => socket.beginRequest());
  });
}

/** Whether the request now on this connection came as `LIST`. */
export function tookList(connection: unknown): boolean {
  return connection instanceof ListMethodStream && connection.isList;
}

class ListMethodStream extends Duplex {
  readonly #socket: Socket;
  /** The first bytes of a request, kept until they are enough to know its method. */
  #start: Buffer | undefined = Buffer.alloc(0);
  isList = false;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    socket.on('timeout', () => this.emit('timeout'));
  }

  beginRequest(): void {
    this.#start = Buffer.alloc(0);
    this.isList = false;
  }

  #take(chunk: Buffer): void {
    if (this.#start === undefined) {
      this.#give(chunk);
      return;
    }
    const start = Buffer.concat([this.#start, chunk]);
    this.#start = start;
    if (start.length < listMethod.length && listMethod.indexOf(start) === 0) return;
    this.#start = undefined;
    this.isList = start.indexOf(listMethod) === 0;
    this.#give(this.isList ? Buffer.concat([getMethod, start.subarray(listMethod.length)]) : start);
  }

  #give(chunk: Buffer): void {
    if (!this.push(chunk)) this.#socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  // node:http calls these when they are there, as on a socket.
  setTimeout(milliseconds: number, listener?: () => void): this {
    this.#socket.setTimeout(milliseconds);
    if (listener !== undefined) this.once('timeout', listener);
    return this;
  }

  destroySoon(): void {
    this.end();
    // To close at once would take the answer back from a client that is still sending.
    setTimeout(() => this.destroy(), 500).unref();
  }
}
