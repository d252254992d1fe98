import {
  type BrokenRule,
  type ConnectionParameters,
  isHost,
  isKnownName,
  isPort,
  toParameters,
} from './parameters.ts';

/**
 * Parses a `postgres://` URL or libpq's `key=value` pairs.
 *
 * A password that was not percent-encoded (`^ % & { @ / # ?`) is understood as long as only one reading of the URL
 * makes sense: every `@` is tried as the end of the password, and what follows it must be a host, a port, a database
 * and parameters. For what stands when nothing is said see {@link toParameters}.
 *
 * Rules: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
 */
export function parseConnectionString(text: string): ConnectionParameters | BrokenRule {
  if (text.includes('\0')) return { rule: 'holds a NUL character' };
  const url = /^postgres(?:ql)?:\/\//i.exec(text.trim());
  if (url !== null) return parseUrl(text.trim().slice(url[0].length));
  const foreign = ruleOfForeign(text.trim());
  if (foreign !== undefined) return { rule: foreign };
  return text.includes('=') ? parsePairs(text) : { rule: expected };
}

const expected = 'expected a postgres:// URL or key=value pairs';

/** What the drivers of others read, and we would read otherwise or not at all. */
function ruleOfForeign(text: string): string | undefined {
  if (/^jdbc:/i.test(text)) return 'is a JDBC URL; write postgres://user:password@host:port/database';
  if (/^pgx[45]?:\/\//i.test(text)) return 'begins with pgx://, as for golang-migrate; write postgres://';
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return expected;
  if (/^(host|server|data source)\s*=[^;\s]*;/i.test(text)) {
    return 'has semicolons, as for .NET; write key=value pairs with blanks between them';
  }
  return undefined;
}

function parseUrl(rest: string): ConnectionParameters | BrokenRule {
  const readings: Reading[] = [];
  for (let at = rest.indexOf('@'); at !== -1; at = rest.indexOf('@', at + 1)) {
    const reading = readUrl(rest.slice(0, at), rest.slice(at + 1));
    if (reading !== undefined) readings.push(reading);
  }
  const bare = readUrl('', rest);
  if (readings.length === 0 && bare !== undefined) readings.push(bare);
  // A `?` inside a password: what follows it only looks like parameters, as long as there is another way to read it.
  const likely = readings.filter(({ odd }) => !odd);
  const [reading, another] = likely.length > 0 ? likely : readings;
  if (another !== undefined) return { rule: 'can be read in several ways; percent-encode the password' };
  if (reading?.incomplete !== undefined) {
    return { rule: `the parameter ${reading.incomplete} has no value; write ${reading.incomplete}=…` };
  }
  if (reading !== undefined) return toParameters(reading.pairs);
  return { rule: 'expected postgres://user:password@host:port/database' };
}

/** One way to read a URL. */
interface Reading {
  readonly pairs: ReadonlyMap<string, string>;
  /** Whether it has parameters with names such as none of libpq's. */
  readonly odd: boolean;
  /** The parameter without `=`. */
  readonly incomplete: string | undefined;
}

const oneHost = String.raw`(\[[0-9a-f:.]+(?:%[\w%.-]+)?\]|[^/?#:@[\],]*)(?::(\d*))?`;
const severalHosts = '([^/?#@,]*(?:,[^/?#@,]*)+)()';
const addressForms = [oneHost, severalHosts].map(
  (hosts) => new RegExp(String.raw`^${hosts}(?:\/([^/?#@]*))?(?:\?([^#]*))?$`, 'i'),
);

/** Undefined when what follows the password is not a host, a port, a database and parameters. */
function readUrl(credentials: string, address: string): Reading | undefined {
  const match = addressForms.map((form) => form.exec(address)).find((found) => found !== null);
  if (match === undefined) return undefined;
  const pairs = new Map<string, string>();
  const colon = credentials.indexOf(':');
  set(pairs, 'user', decode(colon === -1 ? credentials : credentials.slice(0, colon)));
  if (colon !== -1) set(pairs, 'password', decode(credentials.slice(colon + 1)));
  set(pairs, 'host', decode((match[1] ?? '').replace(/^\[(.*)\]$/, '$1')));
  set(pairs, 'port', match[2]);
  set(pairs, 'dbname', decode(match[3] ?? ''));
  let odd = false;
  let incomplete: string | undefined;
  for (const pair of (match[4] ?? '').split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const key = decode(equals === -1 ? pair : pair.slice(0, equals));
    odd ||= !/^[a-z_]+$/.test(key) || equals === -1;
    if (equals === -1 && /^[\w.-]{1,60}$/.test(key)) incomplete = key;
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    if (key === 'ssl') set(pairs, 'sslmode', sslWord(value));
    else if (value !== '' || !isKnownName(key)) pairs.set(key, value);
  }
  const host = pairs.get('host') ?? '';
  const port = pairs.get('port') ?? '';
  const plausible =
    (host === '' || host.startsWith('/') || host.includes(',') || isHost(host)) && pairs.has('dbname');
  return plausible && (port === '' || isPort(port)) ? { pairs, odd, incomplete } : undefined;
}

/** `ssl=true` is how other tools spell `sslmode=verify-full`; pg and JDBC agree. */
function sslWord(value: string): string {
  return /^(true|1)$/.test(value) ? 'verify-full' : /^(false|0)$/.test(value) ? 'disable' : value;
}

function parsePairs(text: string): ConnectionParameters | BrokenRule {
  const pairs = new Map<string, string>();
  const pair = /\s*([\w.-]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)\s*/giy;
  while (pair.lastIndex < text.length) {
    const from = pair.lastIndex;
    const match = pair.exec(text);
    if (match === null) {
      const after = [...pairs.keys()].at(-1);
      return {
        rule: `expected key=value pairs${after === undefined || from === 0 ? '' : `, after ${after}`}`,
      };
    }
    pairs.set(nameOf(match[1] ?? ''), (match[2] ?? match[3] ?? '').replace(/\\(.)/gs, '$1'));
  }
  return toParameters(pairs);
}

/** As libpq spells it; the names of others stay as they are, to be named. */
function nameOf(key: string): string {
  return isKnownName(key.toLowerCase()) ? key.toLowerCase() : key;
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
