import type { ConnectionParameters } from './parameters.ts';

/** How one attempt at a connection is made: in clear, with TLS, or with TLS where the server has it. */
export type Way = 'plain' | 'tls' | 'tls if there';

/**
 * The ways that sslmode allows, in order: the next is tried when the server refuses the one before it.
 *
 * https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-SSLMODE-STATEMENTS
 */
export function waysOf({ host, tls }: ConnectionParameters): readonly Way[] {
  // libpq never asks for TLS on a Unix socket.
  if (host.startsWith('/')) return ['plain'];
  switch (tls) {
    case 'disable':
      return ['plain'];
    case 'allow':
      return ['plain', 'tls'];
    case 'prefer':
      return ['tls if there', 'plain'];
    default:
      return ['tls'];
  }
}
