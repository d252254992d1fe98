import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { checksumStatements } from './checksum.ts';
import { parseStatements } from './statements.ts';

const checksum = (sql: string) => checksumStatements(parseStatements(sql));

test('is the SHA-256 of the tokens, each ended by U+0000', () => {
  const tokens = ['select', '1', ';', 'create', 'table', '"A"', '(', 'a', 'int', ')', ';'];
  const expected = createHash('sha256')
    .update(tokens.map((token) => `${token}\0`).join(''))
    .digest('hex');
  expect(checksum('SELECT 1;\nCREATE TABLE "A" (a int)')).toBe(expected);
  expect(expected).toMatch(/^[0-9a-f]{64}$/);
});

describe('does not count', () => {
  test.each([
    ['comments', 'select 1 + 2', '/* a */ select 1 -- b\n + /* /* */ */ 2 -- c'],
    ['blank space', 'select (1)', '\n\tselect(\f 1 )  '],
    ['line endings', 'select 1\n;select 2', 'select 1\r\n;\rselect 2\r\n'],
    [
      'line endings inside quotes',
      'select \'a\nb\', $$\n$$, "a\nb"',
      'select \'a\r\nb\', $$\r\n$$, "a\r\nb"',
    ],
    ['the last semicolon', 'select 1', 'select 1;;'],
    ['the case of words', 'SELECT Name FROM T', 'select name from t'],
    ['the case of prefixes and exponents', "select e'a', X'1f', 1e5", "SELECT E'a', x'1f', 1E5"],
    ['an enclosing transaction', 'select 1', 'begin; select 1; commit'],
    ['blank space around operators', 'select a=-1, b::text', 'select a = - 1, b :: text'],
  ])('%s', (_, one, other) => {
    expect(checksum(one)).toBe(checksum(other));
  });
});

describe('counts', () => {
  test.each([
    ['where a word ends', 'select a b', 'select ab'],
    ['where a statement ends', 'select 1; select 2', 'select 1 select 2'],
    ['the order of statements', 'select 1; select 2', 'select 2; select 1'],
    ['blank space in a string', "select 'a b'", "select 'a  b'"],
    ['a comment in a function body', 'do $$ begin end $$', 'do $$ begin /* a */ end $$'],
    ['case in a string', "select 'a'", "select 'A'"],
    ['case in a quoted identifier', 'select "a"', 'select "A"'],
    ['case beyond ASCII, which Postgres does not fold', 'select é', 'select É'],
    ['quotes around an identifier', 'select a', 'select "a"'],
    ['a lone CR in a string', "select 'a\nb'", "select 'a\rb'"],
    ['the escapes of a string', "select 'a\\n'", "select E'a\\n'"],
    ['a digit separator', 'select 1_000', 'select 1 _000'],
    ['what a string looks like', "select ';'", 'select ;'],
  ])('%s', (_, one, other) => {
    expect(checksum(one)).not.toBe(checksum(other));
  });
});

test('a text beyond the size of one chunk has one checksum however it is spaced', () => {
  const unit = "insert into t values (1, 'é');";
  expect(checksum(unit.repeat(2_000))).toBe(checksum(`${unit}\n`.repeat(2_000)));
  expect(checksum(unit.repeat(2_000))).not.toBe(checksum(unit.repeat(2_001)));
});
