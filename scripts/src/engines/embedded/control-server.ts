import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { renderFailure } from '@lockstep/foundation';
import { explain } from '../../checkout/system-failure.ts';
import type { Supervisor } from './supervisor.ts';
import { onMessage, protocol, type Reply, type Request, sendMessage } from './wire.ts';

/** What the supervisor's program does around a `down`. */
export interface Leaving {
  /** All is stopped: remove what marks this supervisor as the project's. */
  readonly clean: () => void;
  /** The answer is out. */
  readonly exit: () => void;
}

/**
 * Listens for the command line on a socket that only its owner can open.
 *
 * Call it with the project's lock held: a socket file that is there then belongs to nobody and is replaced.
 */
export async function listen(path: string, supervisor: Supervisor, leaving: Leaving): Promise<Server> {
  const server = createServer((socket) => new Conversation(socket, supervisor, leaving, path));
  rmSync(path, { force: true });
  // Without this the socket is open to others for a moment, before the chmod.
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(umask);
  }
  chmodSync(path, 0o600);
  return server;
}

/** One connection: one request and its replies. */
class Conversation {
  readonly #socket: Socket;
  readonly #supervisor: Supervisor;
  readonly #leaving: Leaving;
  readonly #cancel = new AbortController();

  constructor(socket: Socket, supervisor: Supervisor, leaving: Leaving, path: string) {
    this.#socket = socket;
    this.#supervisor = supervisor;
    this.#leaving = leaving;
    socket.on('error', () => undefined);
    onMessage<Request>(socket, (request) => {
      this.#answer(request).catch((error: unknown) => {
        this.#end({ reply: 'error', text: renderFailure('supervisor', explain(error, path)).trimEnd() });
      });
    });
  }

  async #answer(request: Request): Promise<void> {
    if (request.verb === 'cancel') this.#cancel.abort();
    else if (request.verb === 'status')
      this.#end({ reply: 'statuses', statuses: this.#supervisor.statuses() });
    else if (request.verb === 'down') await this.#down();
    else if (request.protocol !== protocol) this.#end({ reply: 'other-protocol' });
    else if (this.#supervisor.leaving) this.#end({ reply: 'leaving' });
    else await this.#up(request);
  }

  async #up(request: Request & { verb: 'up' }): Promise<void> {
    if (this.#supervisor.busy) this.#send({ reply: 'step', text: 'another up is under way; waiting for it' });
    const stop = this.#supervisor.listen((status) => this.#send({ reply: 'service', status }));
    try {
      const { outcomes, cancelled } = await this.#supervisor.up(request.launches, this.#cancel.signal);
      this.#end({ reply: 'outcomes', outcomes, cancelled });
    } finally {
      stop();
    }
  }

  async #down(): Promise<void> {
    const stop = this.#supervisor.listen((status) => this.#send({ reply: 'service', status }));
    await this.#supervisor.down();
    stop();
    this.#leaving.clean();
    this.#socket.once('close', this.#leaving.exit);
    this.#end({ reply: 'stopped' });
    // Whoever asked may be gone.
    setTimeout(this.#leaving.exit, 1_000);
  }

  #send(reply: Reply): void {
    sendMessage(this.#socket, reply);
  }

  #end(reply: Reply): void {
    this.#send(reply);
    this.#socket.end();
  }
}
