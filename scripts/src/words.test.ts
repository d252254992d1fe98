import { expect, test } from 'vitest';
import { splitWords } from './words.ts';

test.each([
  ['', []],
  ['   ', []],
  ['-f', ['-f']],
  ['--all --rows services=10000', ['--all', '--rows', 'services=10000']],
  ["-c 'select 1'", ['-c', 'select 1']],
  [`-c "select 'a b'"`, ['-c', "select 'a b'"]],
  ['-c \\l', ['-c', '\\l']],
  ["-c '\\d users'", ['-c', '\\d users']],
  ['-c "\\d users"', ['-c', '\\d users']],
  ['a\\ b \\"c\\" d\\\\e', ['a b', '"c"', 'd\\e']],
  ["'' x", ['', 'x']],
  ['a"b c"d', ['ab cd']],
  ['1; touch x $(id) `id` $HOME *', ['1;', 'touch', 'x', '$(id)', '`id`', '$HOME', '*']],
  ['one\ttwo\nthree', ['one', 'two', 'three']],
])('F16.5 %j is split into words and nothing of it is run', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test.each(["-c 'select 1", 'a "b'])('F16.5 %j leaves a quote open', (line) => {
  expect(splitWords(line)).toBeUndefined();
});
