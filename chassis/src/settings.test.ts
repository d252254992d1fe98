import { expect, test } from 'vitest';
import { readSettings } from './settings.ts';

const direct = { DATABASE_CONNECTION_STRING: 'postgres://app:pw@db:5432/services' };
const vault = {
  VAULT_ADDR: 'http://vault:8200/',
  VAULT_SECRET_PATH: 'secret/data/services-api/app',
  VAULT_ROLE_ID_FILE: '/run/credentials/role_id',
  VAULT_SECRET_ID_FILE: '/run/credentials/secret_id',
};

/** The evidence of the failure that reading ends with. */
function mistakes(environment: Record<string, string>): unknown {
  try {
    return readSettings(environment);
  } catch (error) {
    return (error as { evidence?: unknown }).evidence;
  }
}

test('the defaults are loopback, info, 30 s to start and 8 s to drain', () => {
  expect(readSettings(direct)).toEqual({
    listen: { host: '127.0.0.1', port: 8080 },
    connection: { kind: 'direct', connectionString: direct.DATABASE_CONNECTION_STRING },
    logLevel: 'info',
    startTimeoutMilliseconds: 30_000,
    drainTimeoutMilliseconds: 8_000,
  });
});

test('Vault is read by role files, or by a token when there is one', () => {
  const access = {
    address: 'http://vault:8200',
    path: 'secret/data/services-api/app',
    key: 'connection_string',
  };
  expect(readSettings(vault).connection).toEqual({
    kind: 'vault',
    access: {
      ...access,
      credentials: {
        kind: 'approle',
        roleIdFile: '/run/credentials/role_id',
        secretIdFile: '/run/credentials/secret_id',
      },
    },
  });
  expect(readSettings({ ...vault, VAULT_TOKEN: 'root-token' }).connection).toEqual({
    kind: 'vault',
    access: { ...access, credentials: { kind: 'token', token: 'root-token' } },
  });
});

test('a connection string given directly wins over Vault', () => {
  expect(readSettings({ ...vault, ...direct }).connection.kind).toBe('direct');
});

test.each([
  ['0.0.0.0:8080', '0.0.0.0', 8080],
  ['[::1]:0', '::1', 0],
  ['localhost:65535', 'localhost', 65535],
])('LISTEN_ADDRESS %s is understood', (text, host, port) => {
  expect(readSettings({ ...direct, LISTEN_ADDRESS: text }).listen).toEqual({ host, port });
});

test.each([
  ':8080',
  '8080',
  'localhost',
  '127.0.0.1:65536',
  '127.0.0.1:-1',
  '::1:80',
  'a b:80',
  'http://a:80',
  '../x:80',
  'a\0:80',
])('LISTEN_ADDRESS %j is refused', (text) => {
  expect(mistakes({ ...direct, LISTEN_ADDRESS: text })).toEqual([
    `LISTEN_ADDRESS: expected host:port, such as 127.0.0.1:8080 or [::1]:8080, got ${JSON.stringify(text)} (from the environment)`,
  ]);
});

test.each([
  ['host=db user=app password=fish', 'names no database'],
  ['postgres://app:fish@db', 'expected postgres://user:password@host:port/database'],
  [
    'postgres://app:fish@db/services?sslmode=bogus',
    'sslmode: expected disable, allow, prefer, require, verify-ca, verify-full, no-verify',
  ],
  ['postgres://app:fish@db/services\0', 'holds a NUL character'],
])('the connection string %j is refused without being shown', (text, rule) => {
  expect(mistakes({ DATABASE_CONNECTION_STRING: text })).toEqual([`DATABASE_CONNECTION_STRING: ${rule}`]);
});

test('a password with special characters is accepted when it is percent-encoded', () => {
  const text = `postgres://app:${encodeURIComponent('^%&{@/')}@db/services`;
  expect(readSettings({ DATABASE_CONNECTION_STRING: text }).connection).toMatchObject({
    connectionString: text,
  });
});
