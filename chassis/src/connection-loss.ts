import { Failure } from '@lockstep/foundation';
import { TlsRefusedError, TlsUnavailableError, WeakLoginError } from '@lockstep/postgres';
import { DatabaseError } from 'pg';
import { DatabaseRefusedError, DatabaseUnreachableError } from './errors.ts';

/** True when the server knows the role and refuses its password: other credentials may help. */
export function isLoginRefusal(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '28P01';
}

/**
 * True for what a connection meets that is being opened while a recreate swaps the database: for a moment none of that name is
 * there (3D000), or the session is ended with all others (57P01). The migrator waits through it likewise.
 */
export function isSwap(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === '3D000' || error.code === '57P01');
}

/**
 * True for an error that says nothing about the statement: the network, a client-side timeout (neither has an
 * SQLSTATE), or a server that ends sessions (classes 08 and 57P), has none left (53300), or cannot log in.
 */
function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return true;
  return /^(08|57P0|53300)/.test(error.code ?? '');
}

/** The failure that an error while connecting means: what waiting does not mend is refused at once. */
export function connectionFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof DatabaseError) {
    const { message, code } = error;
    return isConnectionLoss(error)
      ? unreachable(error)
      : new DatabaseRefusedError(`${message} (${code})`, error);
  }
  const isTls =
    error instanceof TlsRefusedError ||
    error instanceof TlsUnavailableError ||
    error instanceof WeakLoginError;
  return isTls ? new DatabaseRefusedError(error.message, error) : unreachable(error);
}

function unreachable(error: unknown): DatabaseUnreachableError {
  if (error instanceof DatabaseUnreachableError) return error;
  // A host with several addresses fails with an AggregateError whose own message is empty.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return new DatabaseUnreachableError(first instanceof Error ? first.message : String(first), {
    cause: error,
  });
}

/** What an error of a statement means: a failure when the connection was the trouble, else the error itself. */
export function statementError(error: unknown): unknown {
  return isConnectionLoss(error) ? unreachable(error) : error;
}
