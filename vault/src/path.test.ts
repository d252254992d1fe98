import { describe, expect, it } from 'vitest';
import { checkAddress, checkEntryPath, checkPath, encodePath, versionedSpelling } from './path.ts';

describe('checkPath', () => {
  it('takes off a leading slash and /v1/', () => {
    expect(checkPath('/v1/secret/data/a')).toBe('secret/data/a');
    expect(checkPath('/secret/data/a')).toBe('secret/data/a');
    expect(checkPath('secret/metadata/')).toBe('secret/metadata/');
  });

  it.each([
    ['', 'vault path "" is empty'],
    ['secret/../sys/seal', 'vault path "secret/../sys/seal" holds a "." or ".." segment'],
    ['secret/./a', 'vault path "secret/./a" holds a "." or ".." segment'],
    ['secret//a', 'vault path "secret//a" holds an empty segment'],
    ['secret/a\0', 'vault path "secret/a\\u0000" holds a control character'],
    ['secret/a\r\nX: y', 'vault path "secret/a\\r\\nX: y" holds a control character'],
    ['secret/\ud800', 'vault path "secret/\\ud800" is not well-formed text'],
    ['x'.repeat(2000), `vault path "${'x'.repeat(120)}…" is longer than 1024 characters`],
  ])('refuses %.40j', (path, message) => {
    expect(() => checkPath(path)).toThrow(expect.objectContaining({ message }));
  });

  it('refuses an entry that ends in a slash', () => {
    expect(() => checkEntryPath('secret/data/')).toThrow(
      'vault path "secret/data/" ends in a slash, so it names no entry',
    );
  });
});

it('encodes each segment, so that a name stays a name', () => {
  expect(encodePath('secret/data/50% off?#/é b')).toBe('secret/data/50%25%20off%3F%23/%C3%A9%20b');
});

it('knows the path that was probably meant', () => {
  expect(versionedSpelling('secret/services-api/app')).toBe('secret/data/services-api/app');
  expect(versionedSpelling('secret/metadata/services-api/app')).toBe('secret/data/services-api/app');
  expect(versionedSpelling('secret/data/services-api/app')).toBeUndefined();
  expect(versionedSpelling('auth/approle/login')).toBeUndefined();
  expect(versionedSpelling('secret')).toBeUndefined();
});

describe('checkAddress', () => {
  it('takes off trailing slashes', () => {
    expect(checkAddress('http://127.0.0.1:8200//')).toBe('http://127.0.0.1:8200');
    expect(checkAddress('https://vault.example/prefix/')).toBe('https://vault.example/prefix');
  });

  it.each([
    ['127.0.0.1:8200', 'vault address "127.0.0.1:8200" is not an http:// or https:// URL'],
    ['ftp://x', 'vault address "ftp://x" is not an http:// or https:// URL'],
    ['', 'vault address "" is not an http:// or https:// URL'],
    ['http://', 'vault address "http://" is not an http:// or https:// URL'],
    ['http://u:hunter2@x', 'vault address "http://x" must hold no credentials, query or fragment'],
    ['htp://u:hunter2@x', 'vault address "…@x" is not an http:// or https:// URL'],
    ['http://x?token=a', 'vault address "http://x" must hold no credentials, query or fragment'],
  ])('refuses %j', (address, message) => {
    expect(() => checkAddress(address)).toThrow(expect.objectContaining({ message }));
  });
});
