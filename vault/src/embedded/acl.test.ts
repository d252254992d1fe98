import { describe, expect, it } from 'vitest';
import { Acl } from './acl.ts';
import { parsePolicy } from './policy.ts';

/** `a/*: read list` makes a rule; several policies are merged as a token's are. */
function acl(...policies: string[][]): Acl {
  const text = (rule: string) => {
    const [path, capabilities = ''] = rule.split(': ');
    return `path "${path}" { capabilities = ${JSON.stringify(capabilities.split(' ').filter(Boolean))} }`;
  };
  return new Acl(policies.flatMap((rules) => parsePolicy(rules.map(text).join('\n'))));
}

const granted = (rules: Acl, path: string, listing = false) =>
  [...rules.granted(path, listing)].sort().join(' ');

describe('the examples of the documentation', () => {
  it.each([
    ['secret/foo', 'secret/foo', true],
    ['secret/foo', 'secret/food', false],
    ['secret/foo', 'secret/foo/bar', false],
    ['secret/bar/*', 'secret/bar/zip', true],
    ['secret/bar/*', 'secret/bar/zip/zap', true],
    ['secret/bar/*', 'secret/bars/zip', false],
    ['secret/bar/*', 'secret/bar', false],
    ['secret/zip-*', 'secret/zip-zap/zong', true],
    ['secret/zip-*', 'secret/zip/zap', false],
    ['secret/+/teamb', 'secret/foo/teamb', true],
    ['secret/+/teamb', 'secret/foo/bar/teamb', false],
    ['secret/+/+/teamb', 'secret/bar/foo/teamb', true],
    ['secret/+/team*', 'secret/x/team-1/y', true],
    ['secret/+/team*', 'secret/x/tea', false],
    ['+', 'secret', true],
    ['+', 'secret/x', false],
    ['+/config', 'kv/config', true],
    ['*', 'anything/at/all', true],
    ['secret/a+b', 'secret/a+b', true],
    ['secret/a+b', 'secret/axb', false],
  ])('%s grants %s: %s', (pattern, path, expected) => {
    expect(acl([`${pattern}: read`]).allows(path, 'read')).toBe(expected);
  });

  it('lets an exact deny win over a broad grant', () => {
    const rules = acl(['secret/*: create read update patch delete list', 'secret/super-secret: deny']);
    expect(granted(rules, 'secret/super-secret')).toBe('deny');
    expect(granted(rules, 'secret/other')).toBe('create delete list patch read update');
  });

  it('ranks secret/* above secret/+/+/foo/*, by the number of plusses', () => {
    const rules = acl(['secret/*: read', 'secret/+/+/foo/*: update']);
    expect(granted(rules, 'secret/a/b/foo/c')).toBe('read');
  });
});

describe('priority', () => {
  it.each([
    ['an exact path comes before any pattern', ['a/b: read', 'a/b*: update', 'a/+: delete'], 'a/b', 'read'],
    ['the longest prefix wins', ['a/*: read', 'a/b/*: update', '*: delete'], 'a/b/c', 'update'],
    ['the later first wildcard wins', ['a/+/c: read', 'a/b/+: update'], 'a/b/c', 'update'],
    ['foo/a* comes before foo/+', ['foo/a*: read', 'foo/+: update'], 'foo/ab', 'read'],
    ['a whole match comes before a prefix', ['foo/+: read', 'foo/*: update'], 'foo/x', 'read'],
    [
      'a plus that ends whole comes before one that ends in *',
      ['foo/+/bar: read', 'foo/+/ba*: update'],
      'foo/x/bar',
      'read',
    ],
    ['fewer plusses win', ['foo/+/+/z: read', 'foo/+/y/z: update'], 'foo/x/y/z', 'update'],
    ['the longer text wins', ['foo/+/bar/b*: read', 'foo/+/bar/ba*: update'], 'foo/x/bar/baz', 'update'],
    [
      'a stronger pattern without the capability is not helped by a weaker one',
      ['a/*: read', 'a/b/*: list'],
      'a/b/c',
      'list',
    ],
  ])('%s', (_title, rules, path, expected) => {
    expect(granted(acl(rules), path)).toBe(expected);
    expect(granted(acl([...rules].reverse()), path)).toBe(expected);
  });
});

describe('merging', () => {
  it('unites the capabilities of equal patterns across policies', () => {
    expect(granted(acl(['a/*: read'], ['a/*: update']), 'a/b')).toBe('read update');
  });

  it.each([['a'], ['a/*'], ['a/+/c']])(
    'lets deny win for equal patterns %s across policies, in either order',
    (pattern) => {
      const path = pattern.replace('+', 'b').replace('*', 'b');
      expect(granted(acl([`${pattern}: read`], [`${pattern}: deny`]), path)).toBe('deny');
      expect(granted(acl([`${pattern}: deny`], [`${pattern}: read`]), path)).toBe('deny');
    },
  );

  it('keeps a deny on a weaker pattern from touching a stronger grant', () => {
    expect(granted(acl(['secret/*: deny'], ['secret/data/app: read']), 'secret/data/app')).toBe('read');
  });
});

describe('lists', () => {
  it('matches a folder with and without its slash', () => {
    expect(granted(acl(['secret/metadata/app: list']), 'secret/metadata/app/', true)).toBe('list');
    expect(granted(acl(['secret/metadata/app/: list']), 'secret/metadata/app/', true)).toBe('list');
    expect(granted(acl(['secret/metadata/+: list']), 'secret/metadata/app/', true)).toBe('list');
    expect(granted(acl(['secret/metadata/*: list']), 'secret/metadata/', true)).toBe('list');
  });

  it('takes the slash as part of the path in other operations', () => {
    expect(granted(acl(['secret/metadata/app: read']), 'secret/metadata/app/')).toBe('');
  });
});

it('grants nothing without a rule', () => {
  expect(granted(acl([]), 'secret/data/app')).toBe('');
  expect(granted(acl(['', '']), '')).toBe('');
});
