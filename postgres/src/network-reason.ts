import { DatabaseError } from 'pg';
import { ConnectionClosedError, OtherServerError } from './errors.ts';

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

/**
 * Why a connection failed, in words, when waiting may mend it: the network, or a server that is starting, stopping or full.
 * Undefined for what stays wrong, such as a password or a certificate.
 */
export function passingReason(error: unknown): string | undefined {
  if (error instanceof DatabaseError) {
    return passing.test(error.code ?? '') ? `${error.message} (${error.code})` : undefined;
  }
  // A host with several addresses fails with one error for all of them.
  const first = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  if (!(first instanceof Error)) return undefined;
  if (first instanceof ConnectionClosedError || first instanceof OtherServerError) return first.message;
  const code = 'code' in first && typeof first.code === 'string' ? first.code : '';
  if (network[code] !== undefined) return `${network[code]} (${code})`;
  if (/^(timeout expired|abandoned)$/.test(first.message)) return 'no answer';
  if (/terminated/.test(first.message)) return 'the connection was closed';
  return undefined;
}
