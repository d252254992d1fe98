import { describe, expect, test } from 'vitest';
import { parseConnectionString } from './connection-string.ts';
import { formatConnectionString } from './format.ts';

const plain = { host: 'db', port: 5432, user: 'u', database: 'd', tls: 'prefer', tlsFiles: {} };

describe('a URL', () => {
  test.each([
    ['postgres://u:p@db/d', { ...plain, password: 'p' }],
    [
      'postgresql://u@db:6543/d?sslmode=require',
      { ...plain, password: undefined, port: 6543, tls: 'require' },
    ],
    ['postgres://u:p@[::1]:1/d', { ...plain, password: 'p', host: '::1', port: 1 }],
    ['postgres://u:p@/d?host=/run/postgresql', { ...plain, password: 'p', host: '/run/postgresql' }],
    ['postgres://u:p@%2Frun%2Fpostgresql/d', { ...plain, password: 'p', host: '/run/postgresql' }],
    ['postgres://u:p@/d', { ...plain, password: 'p', host: 'localhost' }],
    ['postgres://db/d?user=u&password=p', { ...plain, password: 'p' }],
    ['postgres://u:a%40b%2F%25@db/d', { ...plain, password: 'a@b/%' }],
    ['postgres://u:a@b/%@db/d', { ...plain, password: 'a@b/%' }],
    ['postgres://u:^p%4&w{o@r/d#x?y=1@db/d', { ...plain, password: '^p%4&w{o@r/d#x?y=1' }],
    ['postgres://u:p@db/d?application_name=a@b', { ...plain, password: 'p' }],
    [
      'postgres://u:p@db/d?options=-c%20search_path%3Dx',
      { ...plain, password: 'p', options: '-c search_path=x' },
    ],
    ['postgres://u:p@db/d?ssl=true', { ...plain, password: 'p', tls: 'verify-full' }],
  ])('%s is understood', (text, expected) => {
    expect(parseConnectionString(text)).toEqual({ options: undefined, ...expected });
  });
});

test.each([
  ["host=db user=u dbname=d password='it''s'", 'expected key=value pairs, after dbname'],
  ['localhost', 'expected a postgres:// URL or key=value pairs'],
  ['mysql://u:p@db/d', 'expected a postgres:// URL or key=value pairs'],
  ['postgres://u:p@db', 'expected postgres://user:password@host:port/database'],
  ['postgres://u:p@db:99999/d', 'expected postgres://user:password@host:port/database'],
  ['postgres://u:p@h1/d?options=v@h2/d', 'can be read in several ways; percent-encode the password'],
  ['postgres://u:p@h1,h2/d', 'names several hosts; expected one'],
  [
    'postgres://u:p@db/d?sslmode=maybe',
    'sslmode: expected disable, allow, prefer, require, verify-ca, verify-full, no-verify',
  ],
  ['postgres://u:p@db/d?sslmod=require', 'unknown parameter sslmod; did you mean sslmode?'],
  ['host=db dbname=d', 'names no user'],
  ['host=db user=u', 'names no database'],
  ['host=db port=0 user=u dbname=d', 'the port is no number from 1 to 65535'],
  ['host=a..b user=u dbname=d', 'the host is no name and no address'],
  ['host=db\0 user=u dbname=d', 'holds a NUL character'],
  ['host=db user', 'expected key=value pairs, after host'],
])('%j is refused with the rule it breaks, and without its password', (text, rule) => {
  expect(parseConnectionString(text)).toEqual({ rule });
});

test('pairs follow libpq: blanks around =, quotes, backslashes, empty values', () => {
  expect(
    parseConnectionString(
      `  host = db\tport='6543' user=u\n dbname='my db' password='a\\'b\\\\c' options='' `,
    ),
  ).toEqual({
    ...plain,
    port: 6543,
    database: 'my db',
    password: "a'b\\c",
    options: undefined,
  });
  expect(parseConnectionString('host=db user=u dbname=d password=^%&{@/#?')).toMatchObject({
    password: '^%&{@/#?',
  });
});

test('a megabyte of nonsense takes no time to refuse', () => {
  const startedAt = process.cpuUsage();
  for (const text of [
    `postgres://${'@'.repeat(20_000)}`,
    `a=${"'".repeat(1_000_000)}`,
    '='.repeat(1_000_000),
  ]) {
    expect(parseConnectionString(text)).toHaveProperty('rule');
  }
  expect(process.cpuUsage(startedAt).user / 1000).toBeLessThan(2_000);
});

test.each([
  [
    'postgres://u:p@db/d?x-migrations-table=m',
    'unknown parameter x-migrations-table; name the table with --table (MIGRATIONS_TABLE)',
  ],
  [
    'postgres://u:p@db/d?x-multi-statement=true',
    'unknown parameter x-multi-statement; files are split into statements; leave it out',
  ],
  ['postgres://u:p@db/d?x-no-such=1', 'unknown parameter x-no-such; it is golang-migrate’s; leave it out'],
  ['postgres://u:p@db/d?TimeZone=UTC', 'unknown parameter TimeZone; write options=-cTimeZone=…'],
  [
    'postgres://u:p@db/d?statement_timeout=5s',
    'unknown parameter statement_timeout; write options=-cstatement_timeout=…',
  ],
  [
    'postgres://u:p@db/d?a-b=1',
    'unknown parameter a-b; a setting of the server is written options=-cname=value',
  ],
  [
    'postgres://u:p@db/d?a-b=',
    'unknown parameter a-b; a setting of the server is written options=-cname=value',
  ],
  ['postgres://u:p@db/d?search_path=x', 'unknown parameter search_path; write options=-csearch_path=…'],
  ['host=db user=u dbname=d search_path=x', 'unknown parameter search_path; write options=-csearch_path=…'],
  [
    'host=db user=u dbname=d x-migrations-table=m',
    'unknown parameter x-migrations-table; name the table with --table (MIGRATIONS_TABLE)',
  ],
  ['host=db user=u dbname=d TimeZone=UTC', 'unknown parameter TimeZone; write options=-cTimeZone=…'],
  ['postgres://u:p@db/d?schema=public', 'unknown parameter schema; write options=-csearch_path=…'],
  ['postgres://u:p@db/d?currentSchema=x', 'unknown parameter currentSchema; write options=-csearch_path=…'],
  ['postgres://u:p@db/d?pgbouncer=true', 'unknown parameter pgbouncer; leave it out'],
  [
    'postgres://u:p@db/d?default_query_exec_mode=exec',
    'unknown parameter default_query_exec_mode; leave it out',
  ],
  ['host=db username=u database=d', 'unknown parameter username; did you mean user?'],
  ['postgres://u:p@db/d?sslmode', 'the parameter sslmode has no value; write sslmode=…'],
  [
    'jdbc:postgresql://db/d?user=u&password=p',
    'is a JDBC URL; write postgres://user:password@host:port/database',
  ],
  ['pgx5://u:p@db/d', 'begins with pgx://, as for golang-migrate; write postgres://'],
  [
    'Host=db;Username=u;Password=p;Database=d',
    'has semicolons, as for .NET; write key=value pairs with blanks between them',
  ],
])('F10.2 %j is refused with what to write', (text, rule) => {
  expect(parseConnectionString(text)).toEqual({ rule });
});

test.each([
  ['postgres://u:50%off@db/d', '50%off'],
  ['postgres://u:50%25off@db/d', '50%off'],
  ['postgres://u:p#w@db/d', 'p#w'],
  ['postgres://u:p?w=1&a-b=2@db/d', 'p?w=1&a-b=2'],
  ['postgres://u:^%&{@/@db/d', '^%&{@/'],
  [`postgres://u:${encodeURIComponent('^%&{@/')}@db/d`, '^%&{@/'],
  ["host=db user=u dbname=d password='^%&{@/ \\'\\\\'", "^%&{@/ '\\"],
  ['host=db user=u dbname=d password=50%off', '50%off'],
])('F12.1 %s has the password %s', (text, password) => {
  expect(parseConnectionString(text)).toMatchObject({ host: 'db', user: 'u', database: 'd', password });
});

test.each([
  ['postgres://u:p@h1:1,h2:2/d', 'names several hosts; expected one'],
  ['postgres://u:p@h1,h2:2/d?target_session_attrs=any', 'names several hosts; expected one'],
  ['host=h1,h2 user=u dbname=d', 'names several hosts; expected one'],
  ['host=h port=1,2 user=u dbname=d', 'names several hosts; expected one'],
  [
    'service=prod',
    'the parameter service is not supported: service files are not read; write host, dbname and user',
  ],
  [
    'postgres://u@db/d?passfile=/x',
    'the parameter passfile is not supported: password files are not read; write password',
  ],
  [
    'postgres://u:p@db/d?requirepeer=x',
    'the parameter requirepeer is not supported: the owner of a socket is not checked; leave it out',
  ],
  [
    'postgres://u:p@db/d?require_auth=scram-sha-256',
    'the parameter require_auth is not supported: leave it out, or write channel_binding=require',
  ],
  ['postgres://u:p@db/d?gssencmode=require', 'gssencmode=require is not supported: use TLS'],
  ['postgres://u:p@db/d?sslrootcert=system&sslmode=require', 'sslrootcert=system takes sslmode=verify-full'],
  [
    'postgres://u:p@db/d?target_session_attrs=master',
    'target_session_attrs: expected any, read-write, read-only, primary, standby, prefer-standby',
  ],
  ['postgres://u:p@db/d?connect_timeout=soon', 'connect_timeout: expected seconds, 0 for no limit'],
  ['postgres://u:p@db/d?hostaddr=db', 'hostaddr is no address; a name belongs into host'],
])('F12.3 %j is refused by name', (text, rule) => {
  expect(parseConnectionString(text)).toEqual({ rule });
});

test('F12.3 what libpq knows besides is read', () => {
  const text =
    'postgres://u:p@[fe80::1%25eth0]:1/d?options=-csearch_path%3Dx&connect_timeout=7&application_name=a&gssencmode=prefer' +
    '&target_session_attrs=read-write&sslrootcert=system&sslsni=0&channel_binding=require';
  expect(parseConnectionString(text)).toMatchObject({
    host: 'fe80::1%eth0',
    options: '-csearch_path=x',
    connectTimeoutSeconds: 7,
    sessionAttributes: 'read-write',
    tls: 'verify-full',
    tlsNamesServer: false,
    channelBinding: 'require',
  });
});

test('F12.1 what was read is written so that it is read the same again', () => {
  for (const text of [
    String.raw`host=/run/x user='a b' dbname=d/e password='^%&{@/ \'' options='-c a=b'`,
    'postgres://u:p%40@[fe80::1%25eth0]:1/d?sslmode=verify-ca&sslrootcert=/a%20b&sslnegotiation=direct&connect_timeout=3',
    'postgres://u@db/d?hostaddr=10.0.0.1&ssl_min_protocol_version=TLSv1.3&sslsni=0&target_session_attrs=standby',
  ]) {
    const parameters = parseConnectionString(text);
    if ('rule' in parameters) throw new Error(parameters.rule);
    expect(parseConnectionString(formatConnectionString(parameters))).toEqual(parameters);
  }
});
