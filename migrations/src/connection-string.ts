import { nearest } from '@lockstep/foundation';

/** How libpq names the ways of using TLS; `no-verify` is pg's own word for `require`. */
export const tlsWords = [
  'disable',
  'allow',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
  'no-verify',
] as const;
export type TlsWord = (typeof tlsWords)[number];

/** Where Postgres is and who connects. */
export interface ConnectionParameters {
  /** A name, an address, or the folder of a Unix socket when it begins with `/`. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  /** Command-line options for the server, as in `-c search_path=app`. */
  readonly options: string | undefined;
  readonly tls: TlsWord;
  /** Files, by libpq's names. */
  readonly tlsFiles: { readonly sslrootcert?: string; readonly sslcert?: string; readonly sslkey?: string };
}

/** The rule that a connection string breaks; never quotes the string, which may hold a password. */
export interface BrokenRule {
  readonly rule: string;
}

/** Understood, and of no consequence to us: we set our own, or pg has none. */
const ignored = new Set([
  'application_name',
  'fallback_application_name',
  'connect_timeout',
  'client_encoding',
  'target_session_attrs',
  'channel_binding',
  'gssencmode',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'sslcompression',
  'sslsni',
  'sslnegotiation',
  'uselibpqcompat',
  'pool_max_conns',
]);
const used = ['host', 'hostaddr', 'port', 'user', 'password', 'dbname', 'options'];
const tlsKeys = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'];
const known = new Set([...used, ...tlsKeys, ...ignored]);

/**
 * Parses a `postgres://` URL or libpq's `key=value` pairs.
 *
 * A password that was not percent-encoded (`^ % & { @ / # ?`) is understood as long as only one reading of the URL
 * makes sense: every `@` is tried as the end of the password, and what follows it must be a host, a port, a database
 * and known parameters. Host defaults to `localhost`, port to 5432, sslmode to `disable`.
 *
 * Rules: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
 */
export function parseConnectionString(text: string): ConnectionParameters | BrokenRule {
  if (text.includes('\0')) return { rule: 'holds a NUL character' };
  const url = /^postgres(?:ql)?:\/\//i.exec(text.trim());
  if (url !== null) return parseUrl(text.trim().slice(url[0].length));
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text.trim()) || !text.includes('=')) {
    return { rule: 'expected a postgres:// URL or key=value pairs' };
  }
  return parsePairs(text);
}

/** Checks settings that have names already: the pairs of a connection string, or the parts of DB_HOST and the like. */
export function toParameters(pairs: ReadonlyMap<string, string>): ConnectionParameters | BrokenRule {
  for (const key of pairs.keys()) {
    if (known.has(key)) continue;
    const meant = nearest(key, known);
    return { rule: `unknown parameter ${key}${meant === undefined ? '' : `; did you mean ${meant}?`}` };
  }
  const host = pairs.get('hostaddr') ?? (pairs.get('host') || 'localhost');
  if (host.includes(',')) return { rule: 'names several hosts; expected one' };
  if (!host.startsWith('/') && !isHost(host)) return { rule: 'the host is no name and no address' };
  const port = pairs.get('port') || '5432';
  if (!isPort(port)) return { rule: 'the port is no number from 1 to 65535' };
  const user = pairs.get('user') ?? '';
  if (user === '') return { rule: 'names no user' };
  const database = pairs.get('dbname') ?? '';
  if (database === '') return { rule: 'names no database' };
  const word = pairs.get('sslmode') || 'disable';
  const tls = tlsWords.find((candidate) => candidate === word);
  if (tls === undefined) return { rule: `sslmode: expected ${tlsWords.join(', ')}` };
  const files = tlsKeys.slice(1).flatMap((key) => (pairs.get(key) ? [[key, pairs.get(key)]] : []));
  return Object.freeze({
    host,
    port: Number(port),
    user,
    password: pairs.get('password') || undefined,
    database,
    options: pairs.get('options') || undefined,
    tls,
    tlsFiles: Object.fromEntries(files),
  });
}

function parseUrl(rest: string): ConnectionParameters | BrokenRule {
  const readings: ReadonlyMap<string, string>[] = [];
  for (let at = rest.indexOf('@'); at !== -1; at = rest.indexOf('@', at + 1)) {
    const reading = readUrl(rest.slice(0, at), rest.slice(at + 1));
    if (reading !== undefined) readings.push(reading);
  }
  const bare = readUrl('', rest);
  if (readings.length === 0 && bare !== undefined) readings.push(bare);
  const [reading] = readings;
  if (readings.length > 1) return { rule: 'can be read in several ways; percent-encode the password' };
  if (reading !== undefined) return toParameters(reading);
  return { rule: 'expected postgres://user:password@host:port/database' };
}

/** Undefined when what follows the password is not a host, a port, a database and parameters. */
function readUrl(credentials: string, address: string): ReadonlyMap<string, string> | undefined {
  const match = /^(\[[0-9a-f:.%]+\]|[^/?#:@[\]]*)(?::(\d*))?(?:\/([^/?#@]*))?(?:\?([^#]*))?$/i.exec(address);
  if (match === null) return undefined;
  const pairs = new Map<string, string>();
  const colon = credentials.indexOf(':');
  set(pairs, 'user', decode(colon === -1 ? credentials : credentials.slice(0, colon)));
  if (colon !== -1) set(pairs, 'password', decode(credentials.slice(colon + 1)));
  set(pairs, 'host', decode((match[1] ?? '').replace(/^\[(.*)\]$/, '$1')));
  set(pairs, 'port', match[2]);
  set(pairs, 'dbname', decode(match[3] ?? ''));
  for (const pair of (match[4] ?? '').split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const key = decode(equals === -1 ? pair : pair.slice(0, equals));
    // A `?` inside a password: what follows it only looks like parameters.
    if (!/^[a-z_]+$/.test(key) || equals === -1) return undefined;
    set(pairs, key === 'ssl' ? 'sslmode' : key, sslWord(key, decode(pair.slice(equals + 1))));
  }
  const host = pairs.get('host') ?? '';
  const port = pairs.get('port') ?? '';
  const plausible =
    (host === '' || host.startsWith('/') || host.includes(',') || isHost(host)) && pairs.has('dbname');
  return plausible && (port === '' || isPort(port)) ? pairs : undefined;
}

/** `ssl=true` is how other tools spell `sslmode=verify-full`; pg agrees. */
function sslWord(key: string, value: string): string {
  if (key !== 'ssl') return value;
  return /^(true|1)$/.test(value) ? 'verify-full' : /^(false|0)$/.test(value) ? 'disable' : value;
}

function parsePairs(text: string): ConnectionParameters | BrokenRule {
  const pairs = new Map<string, string>();
  const pair = /\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)\s*/giy;
  while (pair.lastIndex < text.length) {
    const from = pair.lastIndex;
    const match = pair.exec(text);
    if (match === null) {
      const after = [...pairs.keys()].at(-1);
      return {
        rule: `expected key=value pairs${after === undefined || from === 0 ? '' : `, after ${after}`}`,
      };
    }
    pairs.set((match[1] ?? '').toLowerCase(), (match[2] ?? match[3] ?? '').replace(/\\(.)/gs, '$1'));
  }
  return toParameters(pairs);
}

function set(pairs: Map<string, string>, key: string, value: string | undefined): void {
  if (value !== undefined && value !== '') pairs.set(key, value);
}

/** Percent-decodes; text that is not percent-encoded (`50%off`) is left as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isHost(host: string): boolean {
  return (
    /^(?:[\p{L}\p{N}_](?:[\p{L}\p{N}._-]*)|[0-9a-f:.]*:[0-9a-f:.%\w]*)$/iu.test(host) && !host.includes('..')
  );
}

function isPort(port: string): boolean {
  return /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
}
