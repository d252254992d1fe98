import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Connection, DatabaseError } from 'pg';
import { TlsRefusedError, TlsUnavailableError, WeakLoginError } from './errors.ts';
import { openStream } from './open-stream.ts';
import type { ConnectionParameters } from './parameters.ts';
import { objectionTo } from './session-attributes.ts';
import { checkTlsFiles } from './tls-options.ts';
import { type Way, waysOf } from './ways.ts';

/** What the client says of itself when it logs in. */
type StartupPacket = Readonly<Record<string, unknown>>;

declare module 'pg' {
  interface Connection {
    /** pg's own, which its types leave out. */
    _connecting: boolean;
    _ending: boolean;
    attachListeners(stream: Duplex): void;
    startup(packet: StartupPacket): void;
  }
}

/** How pg tells of a failure: what the server says, and what else happens. */
interface Refusal {
  readonly event: 'error' | 'errorMessage';
  readonly error: Error;
}

/** Waiting mends these; another way would not. */
const notThere = /^(57P0[123]|53300)$/;

/**
 * pg's connection, opened as libpq does: sslmode says which ways are tried, and the next is taken when the server, or TLS,
 * refuses the one before it. Whoever uses it sees one connection, and the most telling refusal.
 *
 * Rules: PQconnectPoll in https://github.com/postgres/postgres/blob/REL_18_STABLE/src/interfaces/libpq/fe-connect.c
 */
export class LibpqConnection extends Connection {
  declare stream: Socket;
  readonly #parameters: ConnectionParameters;
  readonly #server = new Map<string, string>();
  readonly #failures: Refusal[] = [];
  #ways: Way[];
  #way: Way = 'plain';
  #packet: StartupPacket | undefined;
  #admitted = false;
  #isBound = false;
  /** Whether the end of the stream is told of by itself. */
  #isAttached = false;
  #isLookedAt = false;

  constructor(parameters: ConnectionParameters) {
    const socket = new Socket();
    super({ stream: () => socket, keepAlive: true });
    this.stream = socket;
    this.#parameters = parameters;
    this.#ways = [...waysOf(parameters)];
  }

  /** How the connection came about, for a second one to the same server. */
  get way(): Way {
    return this.#way;
  }

  /** Takes pg's port and host as they are in the parameters. */
  connect(): void {
    this._connecting = true;
    try {
      checkTlsFiles(this.#parameters);
    } catch (error) {
      this.stream.destroy();
      process.nextTick(() => this.#fail('error', error instanceof Error ? error : new Error(String(error))));
      return;
    }
    void this.#open(this.stream);
  }

  override startup(packet: StartupPacket): void {
    this.#packet = packet;
    super.startup(packet);
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const [first] = values;
    if (event === 'errorMessage' && !this.#admitted && first instanceof Error) {
      return this.#refused('errorMessage', first);
    }
    const objection = this.#objection(event, first);
    if (objection === undefined) return super.emit(event, ...values);
    return this.#fail('error', objection);
  }

  async #open(socket: Socket): Promise<void> {
    const way = this.#ways.shift() ?? 'plain';
    this.stream = socket;
    let opened: Socket;
    try {
      const { stream, encrypted } = await openStream(this.#parameters, way, socket, (stream) => {
        this.stream = stream;
      });
      this.#way = encrypted ? 'tls' : 'plain';
      // The server has no TLS: the way in clear was taken already.
      if (way !== 'plain' && !encrypted) this.#ways = [];
      opened = stream;
    } catch (error) {
      this.stream.destroy();
      this.#refused('error', error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.stream = opened;
    this.#isAttached = true;
    opened.on('error', (error) => {
      if (this.stream === opened) this.#broken(error);
    });
    opened.on('close', () => {
      if (this.stream === opened) super.emit('end');
    });
    this.attachListeners(opened);
    if (this.#packet === undefined) super.emit('connect');
    else super.startup(this.#packet);
  }

  /** Tries the next way, or tells of the most telling refusal. */
  #refused(event: 'error' | 'errorMessage', error: Error): boolean {
    const refusal = { event, error };
    if (isProxys(error) && this.#packet !== undefined && hasLimits(this.#packet, this.#parameters)) {
      this.#packet = withoutLimits(this.#packet, this.#parameters);
      this.#ways.unshift(this.#way);
      return this.#again();
    }
    this.#failures.push(refusal);
    const mayMend =
      error instanceof DatabaseError
        ? !notThere.test(error.code ?? '')
        : error instanceof TlsRefusedError || error instanceof TlsUnavailableError;
    if (mayMend && this.#ways.length > 0) return this.#again();
    const told = mostTelling(this.#failures, refusal);
    return this.#fail(told.event, told.error);
  }

  #again(): true {
    const before = this.stream;
    const socket = new Socket();
    this.#isAttached = false;
    this.stream = socket;
    before.destroy();
    void this.#open(socket);
    return true;
  }

  /** As pg does: the reason, and then the end. */
  #fail(event: Refusal['event'], error: Error): boolean {
    this.stream.destroy();
    process.nextTick(() => {
      if (!this.#isAttached) super.emit('end');
    });
    return super.emit(event, error);
  }

  #broken(error: Error): void {
    // pg's rule: what happens while it says goodbye is no error.
    const isGoodbye = 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
    if (!(this._ending && isGoodbye)) super.emit('error', error);
  }

  /** What speaks against an answer of the server, by channel_binding and target_session_attrs. */
  #objection(event: string | symbol, message: unknown): Error | undefined {
    const { channelBinding, sessionAttributes } = this.#parameters;
    if (event === 'authenticationOk') this.#admitted = true;
    if (event === 'authenticationSASLFinal') this.#isBound = true;
    if (channelBinding === 'require') {
      const isWeak =
        event === 'authenticationCleartextPassword' ||
        event === 'authenticationMD5Password' ||
        (event === 'authenticationOk' && !this.#isBound) ||
        (event === 'authenticationSASL' && !bindsChannel(message));
      if (isWeak) return new WeakLoginError();
    }
    if (sessionAttributes === undefined) return undefined;
    if (event === 'parameterStatus' && isStatus(message)) {
      this.#server.set(message.parameterName, message.parameterValue);
    }
    if (event !== 'readyForQuery' || this.#isLookedAt) return undefined;
    this.#isLookedAt = true;
    return objectionTo(sessionAttributes, this.#server);
  }
}

/** PgBouncer refuses what it cannot keep for each client. */
function isProxys(error: Error): boolean {
  return error instanceof DatabaseError && error.code === '08P01' && /startup parameter/.test(error.message);
}

/** Whether anything is in the packet besides what the connection string says: limits, which are good to have. */
function hasLimits(packet: StartupPacket, { options }: ConnectionParameters): boolean {
  return limits.some((name) => name in packet) || (packet['options'] ?? options) !== options;
}

function withoutLimits(packet: StartupPacket, { options }: ConnectionParameters): StartupPacket {
  const kept = Object.entries(packet).filter(([name]) => name !== 'options' && !limits.includes(name));
  return { ...Object.fromEntries(kept), ...(options !== undefined && { options }) };
}

const limits: readonly string[] = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
];

/** Where TLS is missing, and where pg_hba.conf has no line for the way, the other way has more to say. */
function mostTelling(failures: readonly Refusal[], last: Refusal): Refusal {
  const isTelling = ({ error }: Refusal) =>
    !(error instanceof TlsUnavailableError || (error instanceof DatabaseError && error.code === '28000'));
  const withTls = ({ error }: Refusal) => !(error instanceof TlsUnavailableError);
  return failures.find(isTelling) ?? failures.find(withTls) ?? last;
}

function bindsChannel(message: unknown): boolean {
  if (typeof message !== 'object' || message === null || !('mechanisms' in message)) return false;
  return Array.isArray(message.mechanisms) && message.mechanisms.includes('SCRAM-SHA-256-PLUS');
}

interface Status {
  readonly parameterName: string;
  readonly parameterValue: string;
}

function isStatus(message: unknown): message is Status {
  return typeof message === 'object' && message !== null && 'parameterName' in message;
}
