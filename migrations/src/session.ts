import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Log } from '@lockstep/foundation/log';
import { type ConnectionParameters, LibpqClient, openStream } from '@lockstep/postgres';
import { DatabaseError, Query } from 'pg';

/** What a connection needs besides where it goes. */
export interface SessionOptions {
  readonly parameters: ConnectionParameters;
  /** Shown in pg_stat_activity, so that others see who holds a lock. */
  readonly applicationName: string;
  /** From now; statements and lock waits end on the server when it has passed, also when this process is gone. */
  readonly remainingMilliseconds: number;
  /** For the connection alone. */
  readonly connectMilliseconds: number;
  /** When it aborts, the running statement is cancelled on the server; 1.5 s later the connection is destroyed. */
  readonly signal: AbortSignal;
  /** False for servers that cannot notice a client's death while a statement runs (Postgres on Windows). */
  readonly checkConnection: boolean;
  readonly log: Log;
}

/** The connection is gone, with whatever was open on it; not a failure yet, because one can connect again. */
export class SessionLostError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
    this.name = 'SessionLostError';
  }
}

/** One row, by column name. */
export type Row = Readonly<Record<string, unknown>>;

/** What became of each statement of a batch: undefined when it succeeded. */
export type Outcome = DatabaseError | undefined;

/** Postgres ends the session with these, or was never reached (class 08). */
const endings = /^(57P0[1-5]|25P0[34]|08...)$/;
const cancelRequestCode = 80_877_102;
/** How long the running statement, and what clears up after it, may take from the abort on; then the connection is destroyed. */
const graceMilliseconds = 1500;

/** One connection, with statements sent back to back where that saves round trips. */
export class Session {
  readonly #client: LibpqClient;
  readonly #options: SessionOptions;
  readonly #stop = () => {
    // A server that no longer answers would hold up even the ROLLBACK for ever.
    const destroy = () => this.#socket.destroy(new Error('the server no longer answers'));
    this.#end = setTimeout(destroy, graceMilliseconds).unref();
    void this.#cancel();
  };
  #end: NodeJS.Timeout | undefined;
  #settled = false;
  #key: { readonly processID: number; readonly secretKey: number } | undefined;
  #pending = 0;
  #lost: Error | undefined;
  #backend: number | undefined;
  #isOwn = false;
  #hasOptions = false;

  private constructor(options: SessionOptions, client: LibpqClient) {
    this.#options = options;
    this.#client = client;
    client.on('error', (error) => {
      this.#lost ??= error;
    });
    client.on('end', () => {
      this.#lost ??= new Error('the connection was closed');
    });
    client.on('notice', ({ severity, message }) => {
      options.log[severity === 'WARNING' ? 'warn' : 'debug'](`Postgres: ${message ?? ''}`);
    });
    client.connection.once('backendKeyData', (key: { processID: number; secretKey: number }) => {
      this.#key = key;
    });
  }

  /**
   * Connects once. Rejects with pg's own error; the caller knows which are worth another attempt.
   *
   * Timeouts go into the start-up packet: they cost no round trip, and RESET ALL returns to them.
   */
  static async open(options: SessionOptions): Promise<Session> {
    const { parameters, signal } = options;
    const client = new LibpqClient(parameters, {
      application_name: options.applicationName,
      options: settingsOf(options)
        .map((setting) => `-c ${setting}`)
        .join(' '),
      connectionTimeoutMillis: Math.max(1, Math.ceil(options.connectMilliseconds)),
      pipeline: true,
    });
    const session = new Session(options, client);
    const abandon = () => session.#socket.destroy(new Error('abandoned'));
    signal.addEventListener('abort', abandon, { once: true });
    try {
      await client.connect();
    } catch (error) {
      session.#socket.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', abandon);
    }
    if (signal.aborted) session.#stop();
    else signal.addEventListener('abort', session.#stop, { once: true });
    return session;
  }

  /** What can be destroyed when the server no longer answers; another one for each way that is tried. */
  get #socket(): Socket {
    return this.#client.socket;
  }

  /** The server's process for this session, as far as it is known. */
  get processId(): number {
    return this.#backend ?? this.toldProcessId;
  }

  /** The process that was named at login: the server's own, or what a proxy made up. */
  get toldProcessId(): number {
    return this.#key?.processID ?? 0;
  }

  /** The process that answered when it was asked for; see connection/own-backend.ts. */
  get backend(): number | undefined {
    return this.#backend;
  }

  /** Whether that process is known to serve this session alone, though a proxy is between. */
  get isOwn(): boolean {
    return this.#isOwn;
  }

  /** Whether what goes into the start-up packet is known to hold, though a proxy is between. */
  get hasOptions(): boolean {
    return this.#hasOptions;
  }

  servedBy(backend: number): void {
    this.#backend = backend;
  }

  owned(): void {
    this.#isOwn = true;
  }

  tookOptions(): void {
    this.#hasOptions = true;
  }

  /** Sets, behind a proxy that takes no options, what else goes into the start-up packet. */
  async setLimits(): Promise<void> {
    await this.query(
      settingsOf(this.#options)
        .map((setting) => `set ${setting}`)
        .join('; '),
    );
    this.#hasOptions = true;
  }

  /** Connects once more, by the same way; for as long as a look takes. */
  another(connectMilliseconds: number): Promise<Session> {
    return Session.open({ ...this.#options, connectMilliseconds });
  }

  /** Ends the session without waiting for anybody. */
  abandon(): void {
    this.#options.signal.removeEventListener('abort', this.#stop);
    clearTimeout(this.#end);
    this.#lost ??= new Error('the session was abandoned');
    this.#socket.destroy();
  }

  get parameters(): ConnectionParameters {
    return this.#options.parameters;
  }

  /**
   * Runs one query and returns its rows. Several may be sent without waiting: they run in order.
   *
   * @throws {DatabaseError} as Postgres reported it
   * @throws {SessionLostError} when the connection is gone
   */
  async query(text: string, values?: readonly unknown[]): Promise<Row[]> {
    this.#pending += 1;
    try {
      const { rows } = await (values === undefined
        ? this.#client.query<Row>(text)
        : this.#client.query<Row>(text, [...values]));
      return rows;
    } catch (error) {
      throw this.#judge(error);
    } finally {
      this.#pending -= 1;
    }
  }

  /**
   * Sends `texts` back to back, each as a simple query of its own, and waits for all. Rows are dropped.
   *
   * Inside BEGIN and COMMIT this is as safe as waiting after each: when one fails Postgres refuses the rest, and the
   * COMMIT rolls back. Never put what must not run after a failure behind anything but a COMMIT.
   *
   * @param onDone called with each text's place as it succeeds
   * @throws {SessionLostError} when the connection is gone; what ran is unknown then
   */
  async batch(texts: readonly string[], onDone?: (index: number) => void): Promise<Outcome[]> {
    const { stream } = this.#client.connection;
    this.#pending += texts.length;
    stream.cork();
    const sent = texts.map((text, index) =>
      onDone === undefined ? this.#send(text) : this.#send(text).then(() => onDone(index)),
    );
    stream.uncork();
    const settled = await Promise.allSettled(sent);
    this.#pending -= texts.length;
    return settled.map((one) => {
      if (one.status === 'fulfilled') return undefined;
      const error = this.#judge(one.reason);
      if (error instanceof DatabaseError) return error;
      throw error;
    });
  }

  /**
   * Streams rows into COPY … FROM STDIN.
   *
   * @throws {DatabaseError} as Postgres reported it; what `rows` throws, when they cannot be read
   * @throws {SessionLostError} when the connection is gone
   */
  async copyFrom(text: string, rows: Readable): Promise<void> {
    const { from } = await import('pg-copy-streams');
    if (this.#pending > 0) throw new Error('COPY must be the only query of its session');
    this.#pending += 1;
    // pg refuses queries of another class, such as COPY, on a connection where queries follow back to back. Here none does.
    const client: { pipeline?: boolean } = this.#client;
    client.pipeline = false;
    let source: Error | undefined;
    rows.once('error', (error) => {
      source = error;
    });
    try {
      await pipeline(rows, this.#client.query(from(text)));
    } catch (error) {
      throw source ?? this.#judge(error);
    } finally {
      client.pipeline = true;
      this.#pending -= 1;
    }
  }

  /** Nothing more is cancelled: what is sent from now on clears up after an abort. */
  settle(): void {
    this.#settled = true;
  }

  /**
   * Sends two texts at most, each as a query of its own, and leaves without waiting for them: the server finishes what it has been given.
   * It notices that nobody listens when it answers the second (the first answer meets a closed socket, and is told so by the time of
   * the next). Only for what nobody waits for, and what the next run does again when the server could not.
   */
  async leave(texts: readonly [] | readonly [string] | readonly [string, string]): Promise<void> {
    // Else the server would notice that nobody listens any more.
    if (this.#options.checkConnection) await this.query('set client_connection_check_interval = 0');
    const { stream } = this.#client.connection;
    for (const text of texts) void this.#send(text).catch(() => {});
    this.#options.signal.removeEventListener('abort', this.#stop);
    await new Promise<void>((resolve) => stream.end(resolve));
    this.#socket.unref();
    this.#lost ??= new Error('the session was left to the server');
  }

  /** Says goodbye and waits a moment for the server's end; never throws. Open transactions and locks end with it. */
  async close(): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#stop);
    clearTimeout(this.#end);
    if (this.#lost === undefined && this.#pending === 0) {
      const ended = this.#client.end().catch(() => {});
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 250).unref())]);
    }
    this.#socket.destroy();
  }

  #send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const query = new Query(text);
      // A listener for rows and no callback: pg then keeps none of them.
      query.on('row', () => {});
      query.on('error', reject);
      query.on('end', () => resolve());
      this.#client.query(query);
    });
  }

  #judge(error: unknown): Error {
    if (error instanceof DatabaseError && !endings.test(error.code ?? '')) return error;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#lost ??= cause;
    return new SessionLostError(error instanceof DatabaseError ? error : this.#lost);
  }

  /** Asks again and again: a request that arrives between two statements of a batch hits nothing. */
  async #cancel(): Promise<void> {
    while (this.#pending > 0 && this.#lost === undefined && !this.#settled) {
      this.#requestCancel();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /**
   * Sends a CancelRequest on a connection of its own. Unlike pg_cancel_backend it needs no login and no free slot.
   * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
   */
  #requestCancel(): void {
    if (this.#key === undefined) return;
    const packet = Buffer.alloc(16);
    packet.writeInt32BE(16, 0);
    packet.writeInt32BE(cancelRequestCode, 4);
    packet.writeInt32BE(this.#key.processID, 8);
    packet.writeInt32BE(this.#key.secretKey, 12);
    const socket = new Socket();
    socket.on('error', () => {});
    socket.setTimeout(graceMilliseconds, () => socket.destroy());
    socket.unref();
    // As the connection itself: the key must not go over the network in clear where that does not.
    void openStream(this.#options.parameters, this.#client.way, socket).then(
      ({ stream }) => stream.end(packet),
      () => socket.destroy(),
    );
  }
}

/** What goes into the start-up packet. */
function settingsOf({ remainingMilliseconds, checkConnection }: SessionOptions): string[] {
  const limit = Math.max(1, Math.ceil(remainingMilliseconds));
  return [
    `statement_timeout=${limit}`,
    `lock_timeout=${limit}`,
    `idle_in_transaction_session_timeout=${limit}`,
    // A migrator that is frozen between two statements must not keep the lock for ever.
    `idle_session_timeout=${limit}`,
    // So that a statement ends soon after the migrator that sent it was killed.
    ...(checkConnection ? ['client_connection_check_interval=1000'] : []),
  ];
}
