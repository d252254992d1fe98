import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { TlsFileError } from './errors.ts';
import type { ConnectionParameters, TlsFiles } from './parameters.ts';

type FileName = Exclude<keyof TlsFiles, 'sslpassword'>;

/**
 * Turns libpq's words for TLS into Node's options. As in libpq, the server's certificate is checked whenever there is a root
 * certificate, which makes `require` with one `verify-ca`; `verify-ca` checks all but the name. Files that nobody names are
 * those of libpq in `~/.postgresql`. Unlike libpq, `verify-full` without a root certificate trusts what Node trusts.
 *
 * https://www.postgresql.org/docs/current/libpq-ssl.html
 *
 * @throws {TlsFileError} when a file cannot be read, or one is missing
 */
export function tlsOptions(parameters: ConnectionParameters): ConnectionOptions {
  const { tls, tlsFiles, tlsVersions } = parameters;
  const rootFile = tls === 'no-verify' ? undefined : fileOf(tlsFiles, 'sslrootcert', 'root.crt');
  if (tls === 'verify-ca' && rootFile === undefined) {
    throw new TlsFileError('sslrootcert', 'none is given', 'sslmode=verify-ca says which authority to trust');
  }
  const certFile = fileOf(tlsFiles, 'sslcert', 'postgresql.crt');
  const keyFile = certFile && fileOf(tlsFiles, 'sslkey', 'postgresql.key');
  if (certFile !== undefined && keyFile === undefined) {
    throw new TlsFileError('sslkey', 'none is given', `sslcert has a key of its own: ${certFile.path}`);
  }
  const ca = rootFile?.path === 'system' ? undefined : rootFile;
  const { oldest, newest } = tlsVersions ?? {};
  return {
    ...(ca && { ca: read(ca) }),
    ...(certFile && { cert: read(certFile) }),
    ...(keyFile && { key: read(keyFile) }),
    ...(tlsFiles.sslpassword !== undefined && { passphrase: tlsFiles.sslpassword }),
    ...(ca && readRevoked(tlsFiles)),
    ...(isVersion(oldest) && { minVersion: oldest }),
    ...(isVersion(newest) && { maxVersion: newest }),
    // Said, so that NODE_TLS_REJECT_UNAUTHORIZED weakens nothing.
    rejectUnauthorized: rootFile !== undefined || tls === 'verify-full',
    ...(tls !== 'verify-full' && { checkServerIdentity: () => undefined }),
  };
}

/**
 * Looks at the files that are named, before anybody connects.
 *
 * @throws {TlsFileError} as {@link tlsOptions}
 */
export function checkTlsFiles(parameters: ConnectionParameters): void {
  const { host, tls, tlsFiles } = parameters;
  if (tls === 'disable' || host.startsWith('/')) return;
  if (tls === 'verify-ca' || Object.keys(tlsFiles).length > 0) tlsOptions(parameters);
}

interface TlsFile {
  readonly parameter: FileName;
  readonly path: string;
}

function fileOf(files: TlsFiles, parameter: FileName, usual: string): TlsFile | undefined {
  const named = files[parameter];
  if (named !== undefined) return { parameter, path: named };
  const path = join(homedir(), '.postgresql', usual);
  return existsSync(path) ? { parameter, path } : undefined;
}

function readRevoked(files: TlsFiles): ConnectionOptions {
  const file = fileOf(files, 'sslcrl', 'root.crl');
  return file === undefined ? {} : { crl: read(file) };
}

function read({ parameter, path }: TlsFile): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new TlsFileError(parameter, path, reasons[code] ?? `it cannot be read (${code})`, error);
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
};

function isVersion(version: string | undefined): version is SecureVersion {
  return version !== undefined;
}
