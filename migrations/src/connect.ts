import type { Deadline } from '@lockstep/foundation';
import type { Log } from '@lockstep/foundation/log';
import { DatabaseError } from 'pg';
import type { ConnectionParameters } from './connection-string.ts';
import {
  DatabaseRefusedError,
  DatabaseUnreachableError,
  describeDuration,
  InterruptedError,
} from './errors.ts';
import { Session } from './session.ts';

/** Who connects, until when, and whom to tell. */
export interface ConnectOptions {
  readonly parameters: ConnectionParameters;
  readonly applicationName: string;
  readonly deadline: Deadline;
  /** Ends the waiting, and later cancels what runs on the session. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** A server that is starting, stopping, full, or not there yet; 08P01 is a proxy that does not understand us, and never will. */
const passing = /^(57P0[123]|53300|08(?!P01)...)$/;
const network: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EHOSTDOWN: 'the host is down',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ENOENT: 'no such socket',
};
/** One attempt at a connection; a host that moved is looked up again after it. */
const attemptMilliseconds = 5000;
/** A database that is renamed in this moment is not there for a moment. */
const renameMilliseconds = 400;

/**
 * Connects, waiting until the deadline for a Postgres that is not there yet, starting, stopping or full.
 *
 * @throws {DatabaseUnreachableError} when the deadline passes, with the last reason
 * @throws {DatabaseRefusedError} at once for what waiting does not mend
 */
export async function connect(options: ConnectOptions): Promise<Session> {
  const { deadline, signal, log } = options;
  let { parameters } = options;
  let checkConnection = true;
  let pause = 25;
  let told: string | undefined;
  let last: { reason: string; error: unknown } = { reason: 'no answer', error: undefined };
  const startedAt = performance.now();
  for (;;) {
    if (signal.reason instanceof InterruptedError) throw signal.reason;
    if (deadline.passed) throw unreachable(parameters, deadline, last.reason, last.error);
    try {
      return await Session.open({
        parameters,
        applicationName: options.applicationName,
        remainingMilliseconds: deadline.remaining(),
        connectMilliseconds: Math.min(deadline.remaining(), attemptMilliseconds),
        signal,
        checkConnection,
        log,
      });
    } catch (error) {
      if (signal.reason instanceof InterruptedError) throw signal.reason;
      const waited = performance.now() - startedAt;
      if (parameters.tls === 'prefer' || parameters.tls === 'allow') {
        if (error instanceof Error && /not support SSL/.test(error.message)) {
          parameters = { ...parameters, tls: 'disable' };
          continue;
        }
      }
      if (checkConnection && mentions(error, 'client_connection_check_interval')) {
        checkConnection = false;
        continue;
      }
      const reason = passingReason(error, waited);
      if (reason === undefined) throw refusal(parameters, error);
      last = { reason, error };
      if (told !== reason && waited > 1000) {
        log.info(`waiting for Postgres at ${addressOf(parameters)}: ${reason}`);
        told = reason;
      }
    }
    await deadline.sleep(pause, signal);
    pause = Math.min(500, pause * 1.6);
  }
}

/** `127.0.0.1:5432` */
export function addressOf({ host, port }: ConnectionParameters): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True when the password, not anything else, was refused. */
export function isWrongPassword(error: unknown): boolean {
  return error instanceof DatabaseRefusedError && mentionsCode(error.cause, '28P01');
}

/** Why it failed, when waiting may mend it. */
function passingReason(error: unknown, waited: number): string | undefined {
  if (error instanceof DatabaseError) {
    const renaming = error.code === '3D000' && waited < renameMilliseconds;
    return renaming || passing.test(error.code ?? '') ? `${error.message} (${error.code})` : undefined;
  }
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (network[code] !== undefined) return `${network[code]} (${code})`;
  if (/^(timeout expired|abandoned)$/.test(error.message)) return 'no answer';
  if (/terminated|establishing an SSL/.test(error.message)) return 'the connection was closed';
  return undefined;
}

function unreachable(parameters: ConnectionParameters, deadline: Deadline, reason: string, cause: unknown) {
  const timeout = describeDuration(deadline.timeoutMilliseconds);
  return new DatabaseUnreachableError(addressOf(parameters), timeout, reason, cause);
}

function refusal(parameters: ConnectionParameters, error: unknown): Error {
  if (error instanceof DatabaseRefusedError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof DatabaseError ? error.code : undefined;
  const { user, database } = parameters;
  const words: Readonly<Record<string, string>> = {
    '28P01': `the password of ${user} is wrong`,
    '28000': `${user} may not log in`,
    '3D000': `there is no database ${database}`,
    '42501': `${user} may not connect to ${database}`,
  };
  const reason = words[code ?? ''] ?? (/password/.test(message) ? `${user} needs a password` : 'see below');
  const evidence = [code === undefined ? message : `${message} (${code})`];
  return new DatabaseRefusedError(addressOf(parameters), reason, evidence, error);
}

function mentions(error: unknown, word: string): boolean {
  return error instanceof DatabaseError && error.message.includes(word);
}

function mentionsCode(error: unknown, code: string): boolean {
  return error instanceof DatabaseError && error.code === code;
}
