import { expect, test } from 'vitest';
import { readServerFlags } from './server-flags.ts';

test('the flags of vault server -dev are understood with one dash or two', () => {
  for (const dash of ['-', '--']) {
    const words = ['dev', 'dev-no-store-token', 'dev-listen-address=0.0.0.0:8200'].map((word) => dash + word);
    expect(readServerFlags(words, {})).toEqual({ host: '0.0.0.0', port: 8200, rootToken: undefined });
  }
});

test('the root token comes from the environment, and a flag wins over it', () => {
  const environment = { VAULT_DEV_ROOT_TOKEN_ID: 'from-environment' };
  expect(readServerFlags(['-dev'], environment).rootToken).toBe('from-environment');
  expect(readServerFlags(['-dev', '-dev-root-token-id=from-flag'], environment).rootToken).toBe('from-flag');
});

test('without an address it is the loopback interface, as with Vault', () => {
  expect(readServerFlags(['-dev'], {})).toMatchObject({ host: '127.0.0.1', port: 8200 });
});

test('an address may be a name of IPv6, or a port alone for every address', () => {
  expect(readServerFlags(['-dev', '-dev-listen-address=[::]:8200'], {})).toMatchObject({ host: '[::]' });
  expect(readServerFlags(['-dev', '-dev-listen-address=:80'], {})).toMatchObject({
    host: '0.0.0.0',
    port: 80,
  });
});

test.each([
  [['-config=/vault/config'], 'the embedded Vault has no flag -config'],
  [[], 'server needs -dev: the embedded Vault is for development only'],
  [['-dev=false'], 'server needs -dev: the embedded Vault is for development only'],
  [['-dev', 'more'], 'server takes flags only, not "more"'],
  [['-dev', '-dev-listen-address=host'], '-dev-listen-address must be host:port, not "host"'],
  [['-dev', '-dev-listen-address=host:70000'], '-dev-listen-address must be host:port, not "host:70000"'],
])('%j is refused', (words, fact) => {
  expect(() => readServerFlags(words, {})).toThrow(fact);
});
