import { describe, expect, test } from 'vitest';
import { losesNumber } from './json-numbers.ts';

describe('F15 a number in JSON', () => {
  test.each(['1e400', '-1e400', '9007199254740993', '1e-400', '0.12345678901234567890123'])(
    'F15 %s is lost',
    (number) => {
      expect(losesNumber(`{"a":[1,{"b":${number}}]}`)).toBe(true);
    },
  );

  test.each([
    '0',
    '-0',
    '1.0',
    '1E5',
    '100',
    '9007199254740992',
    '0.1',
    '1.50',
    '1e21',
    '123456789012345680000',
    '5e-324',
  ])('F15 %s is kept', (number) => {
    expect(losesNumber(`{"a":${number}}`)).toBe(false);
  });

  test('F15 texts of megabytes are looked through at once', () => {
    const long = 'x\\\\"'.repeat(1_000_000);
    expect(losesNumber(JSON.stringify({ a: long, b: 1 }))).toBe(false);
    expect(losesNumber(`[${'0'.repeat(2_000_000)}1]`)).toBe(true);
  });

  test('F15 digits in a string are no number', () => {
    expect(losesNumber(String.raw`{"1e400":"9007199254740993 \" 1e400"}`)).toBe(false);
  });
});
