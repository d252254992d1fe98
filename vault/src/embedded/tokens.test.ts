import { describe, expect, it } from 'vitest';
import { SecretHash } from './secrets.ts';
import { type TokenSeed, TokenStore } from './tokens.ts';

function store() {
  const clock = { now: 1_000_000 };
  const tokens = new TokenStore(new SecretHash(), () => clock.now);
  const make = (seed: Partial<TokenSeed> = {}) =>
    tokens.create({ policies: ['p'], path: 'auth/token/create', displayName: 'token', ttl: 60, ...seed });
  return { clock, tokens, make };
}

describe('TokenStore', () => {
  it('finds a token by its text and by its accessor until it expires', () => {
    const { clock, tokens, make } = store();
    const { text, token } = make();
    expect(tokens.find(text)).toBe(token);
    expect(tokens.findByAccessor(token.accessor)).toBe(token);
    expect(tokens.find(`${text}x`)).toBeUndefined();
    clock.now += 60_000;
    expect(tokens.find(text)).toBeUndefined();
    expect(tokens.findByAccessor(token.accessor)).toBeUndefined();
    expect(tokens.accessors()).toEqual([]);
  });

  it('never lets a token without a time to live expire', () => {
    const { clock, tokens, make } = store();
    const { text } = make({ ttl: 0 });
    clock.now += 1e15;
    expect(tokens.find(text)).toBeDefined();
  });

  it('ends children and grandchildren with the parent, and when the parent expires', () => {
    const { clock, tokens, make } = store();
    const parent = make();
    const child = make({ parent: parent.token, ttl: 600 });
    const grandchild = make({ parent: child.token, ttl: 600 });
    const other = make({ ttl: 600 });
    clock.now += 60_000;
    expect(tokens.find(grandchild.text)).toBeUndefined();
    expect(tokens.find(child.text)).toBeUndefined();
    expect(tokens.find(other.text)).toBeDefined();
  });

  it('leaves children alive when a parent is revoked without them', () => {
    const { tokens, make } = store();
    const parent = make();
    const child = make({ parent: parent.token });
    tokens.revokeOrphaning(parent.token);
    expect(tokens.find(parent.text)).toBeUndefined();
    expect(tokens.find(child.text)?.parent).toBeUndefined();
  });

  it('renews up to the longest life and not beyond', () => {
    const { clock, tokens, make } = store();
    const { text, token } = make({ maxTtl: 100 });
    clock.now += 50_000;
    expect(tokens.renew(token, 0)).toBe(50);
    clock.now += 49_000;
    expect(tokens.renew(token, 500)).toBe(1);
    clock.now += 1_000;
    expect(tokens.find(text)).toBeUndefined();
  });

  it('counts uses and names the last one', () => {
    const { tokens, make } = store();
    const { text, token } = make({ uses: 2 });
    expect(tokens.use(token)).toBe(false);
    expect(tokens.use(token)).toBe(true);
    expect(tokens.find(text)).toBeUndefined();
    expect(tokens.use(make().token)).toBe(false);
  });

  it('survives a chain of three thousand generations', () => {
    const { tokens, make } = store();
    const first = make();
    let last = first;
    for (let n = 0; n < 3_000; n++) last = make({ parent: last.token });
    tokens.revoke(first.token);
    expect(tokens.find(last.text)).toBeUndefined();
    expect(tokens.accessors()).toEqual([]);
  });
});
