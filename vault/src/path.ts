import { VaultSettingError } from './errors.ts';

const longestPath = 1024;

/** Checks an address and returns it without trailing slashes: http or https, no credentials, query or fragment. */
export function checkAddress(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    // Shown without what stands before an @: it may be a password.
    throw new VaultSettingError(
      'address',
      address.replace(/^.*@/s, '…@'),
      'is not an http:// or https:// URL',
    );
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new VaultSettingError('address', url.origin, 'must hold no credentials, query or fragment');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/**
 * Checks a path such as `secret/data/services-api/migrator` and returns it without a leading `/v1/`.
 *
 * Refuses what would reach another path than the one written: `.` and `..`, empty segments, control characters.
 *
 * @throws {VaultSettingError}
 */
export function checkPath(path: string): string {
  const trimmed = path.replace(/^\/?v1\//, '').replace(/^\//, '');
  const refuse = (rule: string) => new VaultSettingError('path', path, rule);
  if (trimmed === '') throw refuse('is empty');
  if (trimmed.length > longestPath) throw refuse(`is longer than ${longestPath} characters`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(trimmed)) throw refuse('holds a control character');
  if (isBroken(trimmed)) throw refuse('is not well-formed text');
  const segments = trimmed.split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw refuse('holds a "." or ".." segment');
  }
  if (segments.slice(0, -1).includes('')) throw refuse('holds an empty segment');
  return trimmed;
}

/** Checks the path of one KV entry: as {@link checkPath}, and it must not end in a slash. */
export function checkEntryPath(path: string): string {
  const checked = checkPath(path);
  if (checked.endsWith('/'))
    throw new VaultSettingError('path', path, 'ends in a slash, so it names no entry');
  return checked;
}

/** Whether `text` holds half a surrogate pair, which no encoding can carry. */
export function isBroken(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

/** Percent-encodes each segment, so that `%`, `?`, `#` and blanks in a name stay part of the name. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/**
 * The path that was probably meant, when `path` lacks the `data/` of KV version 2:
 * `secret/services-api/app` → `secret/data/services-api/app`.
 */
export function versionedSpelling(path: string): string | undefined {
  const [mount, second, ...rest] = path.split('/');
  if (mount === undefined || second === undefined || second === 'data') return undefined;
  if (['sys', 'auth', 'identity', 'cubbyhole'].includes(mount)) return undefined;
  if (second === 'metadata') return rest.length === 0 ? undefined : [mount, 'data', ...rest].join('/');
  return [mount, 'data', second, ...rest].join('/');
}
