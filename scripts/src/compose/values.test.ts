import { describe, expect, it } from 'vitest';
import { shellWords } from './shell-words.ts';
import { composeDuration } from './values.ts';

describe('a compose duration', () => {
  it.each([
    ['500ms', 500],
    ['1s', 1000],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['1.5s', 1500],
    ['0s', 0],
  ])('%s is %i ms', (text, expected) => {
    expect(composeDuration(text)).toBe(expected);
  });

  it.each(['', '5', 's', '1 s', '-1s', '1y', '1s2'])('is not "%s"', (text) => {
    expect(composeDuration(text)).toBeUndefined();
  });
});

describe('shellWords', () => {
  it.each([
    ['a b  c', ['a', 'b', 'c']],
    [`a "b c" 'd "e'`, ['a', 'b c', 'd "e']],
    ['a\\ b "c\\"d" ""', ['a b', 'c"d', '']],
    ['', []],
  ])('splits %s', (line, words) => {
    expect(shellWords(line)).toEqual({ words, rest: '' });
  });

  it('refuses a quote that is not closed', () => {
    expect(shellWords('a "b')).toBeUndefined();
  });
});
