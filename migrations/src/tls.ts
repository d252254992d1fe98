import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { ConnectionParameters } from './connection-string.ts';
import { DatabaseRefusedError } from './errors.ts';

/**
 * Turns libpq's words for TLS into Node's options; `false` for none.
 *
 * `require` does not verify the server, as in libpq, unless a root certificate is given; `verify-ca` verifies all but
 * the name. https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
 *
 * @throws {DatabaseRefusedError} when a certificate file cannot be read
 */
export function tlsOptions({ tls, tlsFiles }: ConnectionParameters): ConnectionOptions | false {
  if (tls === 'disable') return false;
  const files = {
    ...read('ca', tlsFiles.sslrootcert),
    ...read('cert', tlsFiles.sslcert),
    ...read('key', tlsFiles.sslkey),
  };
  if (tls === 'verify-full') return files;
  const anyName = { ...files, checkServerIdentity: () => undefined };
  if (tls === 'verify-ca' || (tls === 'require' && tlsFiles.sslrootcert !== undefined)) return anyName;
  return { ...files, rejectUnauthorized: false };
}

function read(option: 'ca' | 'cert' | 'key', file: string | undefined): ConnectionOptions {
  // libpq's word for the certificates the system trusts, which are Node's default.
  if (file === undefined || file === 'system') return {};
  try {
    return { [option]: readFileSync(file, 'utf8') };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DatabaseRefusedError(file, 'this TLS file cannot be read', [reason], error);
  }
}
