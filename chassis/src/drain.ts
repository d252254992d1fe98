import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';

/** With nothing new for this long, whoever wanted to connect is connected. */
const calmMilliseconds = 20;
/** Clients that never pause are waited for no longer. */
const longestCalmMilliseconds = 250;
/** An open connection without a request is given this long since its last answer: its next one may be on the way. */
const idleMilliseconds = 500;
const lookMilliseconds = 25;

/** What a connection is used for. */
interface Use {
  /** Requests that were read and not answered. */
  unanswered: number;
  /** When it was opened or last answered, in milliseconds of this process's life. */
  since: number;
  /** What it had read by then: more means that a request is arriving. */
  read: number;
}

/**
 * Ends a server so that no request that reached it goes without an answer.
 *
 * Closing the listening socket resets what waits in its queue, and closing an idle connection resets a request that is just
 * arriving; Node does both at once. So answers are held back until the queue is empty (a client that is answered sends the
 * next), the socket is closed right after a look at it, and an open connection only when it has been silent for a while.
 * A connection that is made within the microseconds between look and close is reset all the same: no program can prevent it.
 */
export class Drain {
  readonly #server: Server;
  readonly #connections = new Map<Socket, Use>();
  /** Connections and requests so far. */
  #arrivals = 0;
  #release: () => void = () => undefined;
  #refusing: Promise<void> | undefined;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#connect(socket));
    server.on('request', (request, response) => this.#answer(request, response));
    // Called by Node's own close(), which would end them whatever is under way to them.
    server.closeIdleConnections = () => void this.#closeSilent();
  }

  /** Whether the server is about to end: its answers close their connections. */
  get isDraining(): boolean {
    return this.#refusing !== undefined;
  }

  /** Resolves at the moment to close the listening socket: within the same turn of the event loop, after a look at its queue. */
  async begin(): Promise<void> {
    this.#refusing = new Promise((resolve) => {
      this.#release = resolve;
    });
    if (this.#server.listening) await this.#untilCalm();
    void setImmediate().then(this.#release);
  }

  /** Resolves once new connections are refused; at once for a server that does not drain. */
  async refusing(): Promise<void> {
    await this.#refusing;
  }

  async #untilCalm(): Promise<void> {
    const until = performance.now() + longestCalmMilliseconds;
    for (;;) {
      const seen = this.#arrivals;
      await setTimeout(calmMilliseconds);
      // The event loop accepts and reads between a timer and this.
      await setImmediate();
      if (this.#arrivals === seen) return;
      if (performance.now() < until) continue;
      // What came while the last look's requests were begun.
      await setImmediate();
      return;
    }
  }

  async #closeSilent(): Promise<void> {
    while (this.#connections.size > 0) {
      const before = performance.now() - idleMilliseconds;
      await setImmediate();
      for (const [socket, use] of this.#connections) {
        if (use.unanswered === 0 && use.since <= before && socket.bytesRead === use.read) socket.destroy();
      }
      await setTimeout(lookMilliseconds);
    }
  }

  #connect(socket: Socket): void {
    this.#arrivals += 1;
    this.#connections.set(socket, { unanswered: 0, since: performance.now(), read: 0 });
    socket.once('close', () => this.#connections.delete(socket));
  }

  #answer({ socket }: IncomingMessage, response: ServerResponse): void {
    this.#arrivals += 1;
    const use = this.#connections.get(socket);
    if (use === undefined) return;
    use.unanswered += 1;
    response.once('close', () => {
      use.unanswered -= 1;
      use.since = performance.now();
      use.read = socket.bytesRead;
    });
  }
}
