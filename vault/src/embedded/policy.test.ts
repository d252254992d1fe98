import { describe, expect, it } from 'vitest';
import { parsePolicy } from './policy.ts';

const plain = (text: string) =>
  parsePolicy(text).map(({ pattern, capabilities }) => [pattern, [...capabilities].sort().join(' ')]);

describe('parsePolicy', () => {
  it('reads HCL, also with paths in one block', () => {
    expect(
      plain(
        'name = "x"\npath "/a/*" { capabilities = ["read", "list"] }\npath = { "b" = { policy = "read" } }',
      ),
    ).toEqual([
      ['a/*', 'list read'],
      ['b', 'list read'],
    ]);
  });

  it('reads JSON, with an object of paths or a list of them', () => {
    expect(
      plain('{"path": {"a": {"capabilities": ["read"]}, "b/*": {"capabilities": ["create", "patch"]}}}'),
    ).toEqual([
      ['a', 'read'],
      ['b/*', 'create patch'],
    ]);
    expect(plain('{"path": [{"a": {"capabilities": ["read"]}}, {"b": {"policy": "deny"}}]}')).toEqual([
      ['a', 'read'],
      ['b', 'deny'],
    ]);
  });

  it('translates the old words', () => {
    const old = (word: string) => plain(`path "a" { policy = "${word}" }`)[0]?.[1];
    expect(old('read')).toBe('list read');
    expect(old('write')).toBe('create delete list read update');
    expect(old('sudo')).toBe('create delete list read sudo update');
    expect(old('deny')).toBe('deny');
  });

  it('drops every other capability beside deny', () => {
    expect(plain('path "a" { capabilities = ["read", "deny", "sudo"] }')).toEqual([['a', 'deny']]);
  });

  it('takes an empty text and a path without capabilities as granting nothing', () => {
    expect(plain('# nothing')).toEqual([]);
    expect(plain('path "a" { }')).toEqual([['a', '']]);
  });

  it.each([
    ['path "a" { capabilities = ["reed"] }', 'path "a": invalid capability "reed"'],
    ['path "a" { capabilities = "read" }', 'path "a": capabilities must be a list'],
    ['path "a" { capabilites = ["read"] }', 'path "a": invalid key "capabilites"'],
    ['path "a" { policy = "all" }', 'path "a": invalid policy "all"'],
    [
      'path "a" { capabilities = ["read"] capabilities = ["deny"] }',
      'path "a": "capabilities" is given twice',
    ],
    ['paths "a" { }', 'At 1:1: invalid key "paths", expected "path"'],
    ['path "a" "b" { }', 'At 1:1: expected one path, found 2'],
    ['path = "a"', 'At 1:1: expected a block after "path"'],
    ['path "a/+*" { capabilities = ["read"] }', `path "a/+*": invalid use of wildcards ('+*' is forbidden)`],
    [
      'path "a" { required_parameters = ["x"] }',
      'path "a": required_parameters is not supported by the embedded development Vault',
    ],
    [
      'path "a" { allowed_parameters = { "x" = [] } }',
      'path "a": allowed_parameters is not supported by the embedded development Vault',
    ],
    [
      'path "a" { denied_parameters { "x" = [] } }',
      'path "a": denied_parameters is not supported by the embedded development Vault',
    ],
    [
      'path "a" { min_wrapping_ttl = "1s" }',
      'path "a": min_wrapping_ttl is not supported by the embedded development Vault',
    ],
    [
      'path "a/{{identity.entity.id}}" { policy = "read" }',
      'path "a/{{identity.entity.id}}": templates are not supported by the embedded development Vault',
    ],
    ['path "a\\nb" { }', 'path "a\\nb": holds a control character'],
    ['{"path": {"a": null}}', 'null is no value in a policy'],
    ['{"path": ', 'invalid JSON'],
    [`{"path": ${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 'too deeply nested'],
    [`# ${'x'.repeat(2 ** 20)}`, 'the policy is longer than 1 MB'],
  ])('refuses %.60j', (text, message) => {
    expect(() => parsePolicy(text)).toThrow(expect.objectContaining({ message }));
  });
});
