import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { markSecret, redact, redactField, redactJson } from './redaction.ts';

describe('F9 a secret that looks like a word', () => {
  for (const secret of ['postgres', 'root', 'wrong', 'services_migrator', 'hunter2', 'why', 'expected']) {
    markSecret(secret);
  }

  test.each([
    '000099_postgres_root.up.sql',
    'make why SERVICE=postgres',
    'the password of pwr is wrong',
    'Postgres at 127.0.0.1:5432 refused: user "postgres" may not log in',
    'holder: pid 4711, user services_migrator, application "psql"',
    'POSTGRES_PASSWORD: expected a value',
    '/var/lib/postgres/data/root.crt is not there',
    'password authentication failed for user "postgres" (28P01)',
    'https://hub.example/postgres:18',
  ])('F9 leaves %j as it is', (text) => {
    expect(redact(text)).toBe(text);
  });

  test.each([
    ['postgres://postgres:postgres@db:5432/postgres', 'postgres://postgres:****@db:5432/postgres'],
    ['PGPASSWORD=postgres psql', 'PGPASSWORD=**** psql'],
    ["alter role services_migrator password 'postgres'", "alter role services_migrator password '****'"],
    ["create user u with password='root';", 'create user u with password=****;'],
    ['POSTGRES_PASSWORD: postgres', 'POSTGRES_PASSWORD: ****'],
    ['{"token":"root","user":"root"}', '{"token":"****","user":"root"}'],
    ['X-Vault-Token: root\r\nHost: root', 'X-Vault-Token: ****\r\nHost: root'],
  ])('F9 prints %j as %j', (text, masked) => {
    expect(redact(text)).toBe(masked);
  });

  test('F9 is masked as a whole value under the name of a secret, and nowhere else', () => {
    expect(redactField('vaultToken', 'root')).toBe('****');
    expect(redactField('database', 'postgres')).toBe('postgres');
    expect(redactJson('{"password":"hunter2","user":"hunter2","n":1}')).toBe(
      '{"password":"****","user":"hunter2","n":1}\n',
    );
  });
});

test('F9 a generated secret is never shown, whatever it is made of', () => {
  for (let n = 0; n < 500; n += 1) {
    const made = [randomBytes(32).toString('base64url'), randomBytes(16).toString('hex'), randomUUID()];
    for (const secret of made) {
      markSecret(secret);
      expect(redact(`x ${secret} y/${secret}.sql`)).toBe('x **** y/****.sql');
    }
  }
});

test.each(['p@ssw0rd', 'S3cr3t!', '50%off', 'correcthorsebatterystaple'])(
  'F9 %j is no word of ours and is masked everywhere',
  (secret) => {
    markSecret(secret);
    expect(redact(`user ${secret} of ${secret}.sql`)).toBe('user **** of ****.sql');
  },
);
