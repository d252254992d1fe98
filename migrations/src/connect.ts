import { type Deadline, Failure } from '@lockstep/foundation';
import type { Log } from '@lockstep/foundation/log';
import {
  addressOf,
  type ConnectionParameters,
  passingReason,
  TlsRefusedError,
  TlsUnavailableError,
  untilThere,
} from '@lockstep/postgres';
import { DatabaseError } from 'pg';
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
  const { parameters, deadline, signal, log } = options;
  let checkConnection = true;
  let told: string | undefined;
  const attempt = async (): Promise<Session> => {
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
      if (!checkConnection || !mentions(error, 'client_connection_check_interval')) throw error;
      checkConnection = false;
      return attempt();
    }
  };
  try {
    return await untilThere(attempt, {
      deadline,
      // The operation's own deadline aborts too, and is told of as what it is.
      interrupted: () => (signal.reason instanceof InterruptedError ? signal.reason : undefined),
      signal,
      reasonOf: passingHere,
      onWait: (reason, waited) => {
        if (told === reason || waited <= 1000) return;
        log.info(`waiting for Postgres at ${addressOf(parameters)}: ${reason}`);
        told = reason;
      },
      late: (reason, error) => unreachable(parameters, deadline, reason, error),
    });
  } catch (error) {
    throw error instanceof Failure ? error : refusal(parameters, error);
  }
}

/** True when the password, not anything else, was refused. */
export function isWrongPassword(error: unknown): boolean {
  return error instanceof DatabaseRefusedError && mentionsCode(error.cause, '28P01');
}

/** Why it failed, when waiting may mend it. */
function passingHere(error: unknown, waited: number): string | undefined {
  const renaming = mentionsCode(error, '3D000') && waited < renameMilliseconds;
  return renaming && error instanceof DatabaseError ? `${error.message} (3D000)` : passingReason(error);
}

function unreachable(parameters: ConnectionParameters, deadline: Deadline, reason: string, cause: unknown) {
  const timeout = describeDuration(deadline.timeoutMilliseconds);
  return new DatabaseUnreachableError(addressOf(parameters), timeout, reason, cause);
}

function refusal(parameters: ConnectionParameters, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof DatabaseError ? error.code : undefined;
  const { user, database } = parameters;
  const words: Readonly<Record<string, string>> = {
    '28P01': `the password of ${user} is wrong`,
    '28000': `${user} may not log in`,
    '3D000': `there is no database ${database}`,
    '55000': `${database} accepts no connections`,
    '42501': `${user} may not connect to ${database}`,
  };
  if (code === '08P01' && parameters.options !== undefined && /startup parameter/.test(message)) {
    const reason = 'a proxy keeps the options of the connection string from it';
    const remedy = 'connect to the server itself, or set them for the role: alter role … set search_path = …';
    return new DatabaseRefusedError(addressOf(parameters), reason, [`${message} (${code})`, remedy], error);
  }
  const tls = tlsReason(error, parameters);
  if (tls !== undefined) return new DatabaseRefusedError(addressOf(parameters), tls, [message], error);
  const reason = words[code ?? ''] ?? (/password/.test(message) ? `${user} needs a password` : 'see below');
  const evidence = [code === undefined ? message : `${message} (${code})`];
  return new DatabaseRefusedError(addressOf(parameters), reason, evidence, error);
}

function tlsReason(error: unknown, { tls }: ConnectionParameters): string | undefined {
  if (error instanceof TlsUnavailableError) return `it has no TLS, and sslmode=${tls} needs it`;
  return error instanceof TlsRefusedError ? `TLS with sslmode=${tls} failed` : undefined;
}

function mentions(error: unknown, word: string): boolean {
  return error instanceof DatabaseError && error.message.includes(word);
}

function mentionsCode(error: unknown, code: string): boolean {
  return error instanceof DatabaseError && error.code === code;
}
