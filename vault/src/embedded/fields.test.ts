import { describe, expect, it } from 'vitest';
import { Fields, parseSeconds, showSeconds } from './fields.ts';

describe('durations', () => {
  it.each([
    [90, 90],
    ['90', 90],
    ['90s', 90],
    ['1h30m', 5400],
    ['2d', 172_800],
    ['', 0],
    [0, 0],
    [-1, undefined],
    [1.5, undefined],
    ['-5s', undefined],
    ['1 h', undefined],
    ['h', undefined],
    ['9999999999h', undefined],
    [1e300, undefined],
    [true, undefined],
    [null, undefined],
    [['1s'], undefined],
  ])('%j is %s seconds', (value, expected) => {
    expect(parseSeconds(value)).toBe(expected);
  });

  it('prints them as Go does', () => {
    expect([0, 59, 60, 3661, 86_400].map(showSeconds)).toEqual(['0s', '59s', '1m0s', '1h1m1s', '24h0m0s']);
  });
});

describe('Fields', () => {
  it('refuses a value of the wrong kind and names the field', () => {
    const fields = new Fields({ text: 1, list: [1], flag: 'maybe', amount: -1, object: [], numbers: ['x'] });
    expect(() => fields.text('text')).toThrow('error converting input for field "text": expected a string');
    expect(() => fields.texts('list')).toThrow(
      'error converting input for field "list": expected a list of strings',
    );
    expect(() => fields.flag('flag')).toThrow('error converting input for field "flag": expected a boolean');
    expect(() => fields.amount('amount')).toThrow(
      'error converting input for field "amount": expected a whole number, not negative',
    );
    expect(() => fields.object('object')).toThrow(
      'error converting input for field "object": expected an object',
    );
    expect(() => fields.amounts('numbers')).toThrow(
      'error converting input for field "numbers": expected a list of whole numbers',
    );
  });

  it('reads lists with commas, and reports what nothing has read', () => {
    const fields = new Fields({ policies: 'a, b,,c', versions: '1, 2', toekn_ttl: 1 });
    expect(fields.texts('policies')).toEqual(['a', 'b', 'c']);
    expect(fields.amounts('versions')).toEqual([1, 2]);
    expect(fields.warnings()).toEqual(['Endpoint ignored these unrecognized parameters: [toekn_ttl]']);
  });

  it('sees only own keys', () => {
    expect(new Fields({}).raw('constructor')).toBeUndefined();
    expect(new Fields({}).raw('__proto__')).toBeUndefined();
  });
});
