import { describe, expect, test } from 'vitest';
import { parseConnectionString } from './connection-string.ts';

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

test('a megabyte of nonsense is refused in no time', () => {
  const startedAt = performance.now();
  for (const text of [
    `postgres://${'@'.repeat(20_000)}`,
    `a=${"'".repeat(1_000_000)}`,
    '='.repeat(1_000_000),
  ]) {
    expect(parseConnectionString(text)).toHaveProperty('rule');
  }
  expect(performance.now() - startedAt).toBeLessThan(500);
});
