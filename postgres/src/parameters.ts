import { isIP } from 'node:net';
import { nearest } from '@lockstep/foundation';
import { adviceFor } from './foreign-parameters.ts';

/** How libpq names the ways of using TLS; `no-verify` is pg's own word for `require` without a root certificate. */
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

const sessionWords = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
/** What kind of server will do. https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS */
export type SessionWord = (typeof sessionWords)[number];

/** What TLS needs besides {@link TlsWord}, by libpq's names. */
export interface TlsFiles {
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
  readonly sslcrl?: string;
  /** Of the key; no file. */
  readonly sslpassword?: string;
}

/** Where Postgres is, who connects, and how. */
export interface ConnectionParameters {
  /** A name, an address, or the folder of a Unix socket when it begins with `/`. */
  readonly host: string;
  /** The address to connect to, where it was given besides the name that the certificate is checked against. */
  readonly hostaddr?: string | undefined;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  /** Command-line options for the server, as in `-c search_path=app`. */
  readonly options: string | undefined;
  readonly tls: TlsWord;
  readonly tlsFiles: TlsFiles;
  /** `direct`: TLS from the first byte (Postgres 17 and newer). */
  readonly tlsNegotiation?: 'direct' | undefined;
  /** The oldest and the newest protocol, such as `TLSv1.3`. */
  readonly tlsVersions?: { readonly oldest?: string; readonly newest?: string } | undefined;
  /** False: the server's name does not go over the wire in clear (`sslsni=0`). */
  readonly tlsNamesServer?: false | undefined;
  /** Only SCRAM that is bound to the TLS connection will do. */
  readonly channelBinding?: 'require' | undefined;
  /** For one attempt at a connection. */
  readonly connectTimeoutSeconds?: number | undefined;
  readonly sessionAttributes?: SessionWord | undefined;
}

/** The rule that a connection string breaks; never quotes the string, which may hold a password. */
export interface BrokenRule {
  readonly rule: string;
}

const used = [
  ...['host', 'hostaddr', 'port', 'user', 'password', 'dbname', 'options', 'connect_timeout'],
  ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslcrl', 'sslpassword', 'sslsni', 'sslnegotiation'],
  ...['ssl_min_protocol_version', 'ssl_max_protocol_version', 'channel_binding', 'target_session_attrs'],
];
/** Understood, and of no consequence: we set our own, there is one host, or pg has none. */
const ignored = [
  ...['application_name', 'fallback_application_name', 'client_encoding', 'load_balance_hosts'],
  ...['gssencmode', 'krbsrvname', 'gsslib', 'gssdelegation', 'sslcertmode', 'sslcompression'],
  ...['keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count', 'tcp_user_timeout'],
  ...['min_protocol_version', 'max_protocol_version', 'uselibpqcompat', 'pool_max_conns'],
];
/** libpq's, and what to do without them. */
const unsupported: Readonly<Record<string, string>> = {
  service: 'service files are not read; write host, dbname and user',
  servicefile: 'service files are not read; write host, dbname and user',
  passfile: 'password files are not read; write password',
  requirepeer: 'the owner of a socket is not checked; leave it out',
  require_auth: 'leave it out, or write channel_binding=require',
  requiressl: 'write sslmode=require',
  sslcrldir: 'write sslcrl, which names one file',
  sslkeylogfile: 'leave it out',
  replication: 'leave it out',
  scram_client_key: 'write password',
  scram_server_key: 'write password',
};
const known = new Set([...used, ...ignored]);
const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/**
 * Checks settings that have names already: the pairs of a connection string, or the parts of DB_HOST and the like. Host
 * defaults to `localhost`, port to 5432, sslmode to `prefer`, as libpq has it.
 */
export function toParameters(pairs: ReadonlyMap<string, string>): ConnectionParameters | BrokenRule {
  for (const key of pairs.keys()) {
    const rule = ruleOfName(key);
    if (rule !== undefined) return { rule };
  }
  const where = readAddress(pairs);
  if ('rule' in where) return where;
  const user = pairs.get('user') ?? '';
  if (user === '') return { rule: 'names no user' };
  const database = pairs.get('dbname') ?? '';
  if (database === '') return { rule: 'names no database' };
  const tls = readTls(pairs);
  if ('rule' in tls) return tls;
  const manner = readManner(pairs);
  if ('rule' in manner) return manner;
  return Object.freeze({
    ...where,
    user,
    password: pairs.get('password') || undefined,
    database,
    options: pairs.get('options') || undefined,
    ...tls,
    ...manner,
  });
}

/** Whether it can be a host's name or address. */
export function isHost(host: string): boolean {
  return (
    /^(?:[\p{L}\p{N}_](?:[\p{L}\p{N}._-]*)|[0-9a-f:.]*:[0-9a-f:.%\w]*)$/iu.test(host) && !host.includes('..')
  );
}

/** Whether it is the name of a parameter that we read, or know to be of no consequence. */
export function isKnownName(name: string): boolean {
  return known.has(name);
}

export function isPort(port: string): boolean {
  return /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
}

function ruleOfName(key: string): string | undefined {
  if (known.has(key)) return undefined;
  const instead = unsupported[key];
  if (instead !== undefined) return `the parameter ${key} is not supported: ${instead}`;
  // What is no name may be a piece of a password.
  if (!/^[\w.-]{1,60}$/.test(key)) return 'a parameter has no name';
  const advice = adviceFor(key);
  if (advice !== undefined) return `unknown parameter ${key}; ${advice}`;
  const meant = nearest(key, known);
  const server = 'a setting of the server is written options=-cname=value';
  return `unknown parameter ${key}; ${meant === undefined ? server : `did you mean ${meant}?`}`;
}

function readAddress(
  pairs: ReadonlyMap<string, string>,
): Pick<ConnectionParameters, 'host' | 'hostaddr' | 'port'> | BrokenRule {
  const hostaddr = pairs.get('hostaddr') || undefined;
  const host = pairs.get('host') || hostaddr || 'localhost';
  const port = pairs.get('port') || '5432';
  if (`${host}${hostaddr ?? ''}${port}`.includes(',')) return { rule: 'names several hosts; expected one' };
  if (!host.startsWith('/') && !isHost(host)) return { rule: 'the host is no name and no address' };
  if (hostaddr !== undefined && isIP(hostaddr.replace(/%.*/, '')) === 0) {
    return { rule: 'hostaddr is no address; a name belongs into host' };
  }
  if (!isPort(port)) return { rule: 'the port is no number from 1 to 65535' };
  return { host, port: Number(port), ...(hostaddr !== undefined && hostaddr !== host && { hostaddr }) };
}

type TlsParameters = Pick<
  ConnectionParameters,
  'tls' | 'tlsFiles' | 'tlsNegotiation' | 'tlsVersions' | 'tlsNamesServer' | 'channelBinding'
>;

/** https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-SSLMODE and what follows it there. */
function readTls(pairs: ReadonlyMap<string, string>): TlsParameters | BrokenRule {
  const system = pairs.get('sslrootcert') === 'system';
  const word = pairs.get('sslmode') || (system ? 'verify-full' : 'prefer');
  const tls = tlsWords.find((candidate) => candidate === word);
  if (tls === undefined) return { rule: `sslmode: expected ${tlsWords.join(', ')}` };
  if (system && tls !== 'verify-full') return { rule: 'sslrootcert=system takes sslmode=verify-full' };
  const negotiation = pairs.get('sslnegotiation') || 'postgres';
  if (negotiation !== 'postgres' && negotiation !== 'direct') {
    return { rule: 'sslnegotiation: expected postgres, direct' };
  }
  if (negotiation === 'direct' && ['disable', 'allow', 'prefer'].includes(tls)) {
    return { rule: 'sslnegotiation=direct takes sslmode=require, verify-ca or verify-full' };
  }
  const channelBinding = pairs.get('channel_binding') || 'prefer';
  if (!['disable', 'prefer', 'require'].includes(channelBinding)) {
    return { rule: 'channel_binding: expected disable, prefer, require' };
  }
  const [oldest, newest] = ['min', 'max'].map((end) => pairs.get(`ssl_${end}_protocol_version`) || undefined);
  if ([oldest, newest].some((version) => version !== undefined && !tlsVersions.includes(version))) {
    return { rule: `ssl_min_protocol_version, ssl_max_protocol_version: expected ${tlsVersions.join(', ')}` };
  }
  // What is not checked here would be taken for granted.
  if (pairs.get('gssencmode') === 'require') return { rule: 'gssencmode=require is not supported: use TLS' };
  if (pairs.get('sslcertmode') === 'require') {
    return { rule: 'sslcertmode=require is not supported: write sslcert and sslkey' };
  }
  return {
    tls,
    tlsFiles: readFiles(pairs),
    ...(negotiation === 'direct' && { tlsNegotiation: 'direct' as const }),
    ...((oldest ?? newest) !== undefined && {
      tlsVersions: { ...(oldest !== undefined && { oldest }), ...(newest !== undefined && { newest }) },
    }),
    ...(pairs.get('sslsni') === '0' && { tlsNamesServer: false as const }),
    ...(channelBinding === 'require' && { channelBinding: 'require' as const }),
  };
}

function readFiles(pairs: ReadonlyMap<string, string>): TlsFiles {
  const keys = ['sslrootcert', 'sslcert', 'sslkey', 'sslcrl', 'sslpassword'];
  const unsent = pairs.get('sslcertmode') === 'disable' ? ['sslcert', 'sslkey', 'sslpassword'] : [];
  return Object.fromEntries(
    keys.flatMap((key) => (pairs.get(key) && !unsent.includes(key) ? [[key, pairs.get(key)]] : [])),
  );
}

function readManner(
  pairs: ReadonlyMap<string, string>,
): Pick<ConnectionParameters, 'connectTimeoutSeconds' | 'sessionAttributes'> | BrokenRule {
  const timeout = pairs.get('connect_timeout') || '0';
  if (!/^-?\d{1,9}$/.test(timeout)) return { rule: 'connect_timeout: expected seconds, 0 for no limit' };
  const word = pairs.get('target_session_attrs') || 'any';
  const sessionAttributes = sessionWords.find((candidate) => candidate === word);
  if (sessionAttributes === undefined) {
    return { rule: `target_session_attrs: expected ${sessionWords.join(', ')}` };
  }
  return {
    ...(Number(timeout) > 0 && { connectTimeoutSeconds: Number(timeout) }),
    ...(sessionAttributes !== 'any' && { sessionAttributes }),
  };
}
