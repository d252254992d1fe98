import { describe, expect, test } from 'vitest';
import { excerpt, locate, offsetOfCharacter } from './position.ts';

describe('locate', () => {
  test.each([
    ['a\nb', 2, 2, 1],
    ['a\r\nb', 3, 2, 1],
    ['a\rb', 2, 2, 1],
    ['a\r\rb', 3, 3, 1],
    ['a\n\r\nb', 4, 3, 1],
    ['', 0, 1, 1],
    ['ab', 2, 1, 3],
    ['ab\n', 3, 2, 1],
    ['😀b', 2, 1, 2],
    ['e\u0301b', 2, 1, 3],
    ['\tb', 1, 1, 2],
  ])('%j at %i is line %i, column %i', (text, offset, line, column) => {
    expect(locate(text, offset)).toEqual({ line, column });
  });

  test('the line feed of a CRLF belongs to the line it ends', () => {
    expect(locate('ab\r\nc', 3)).toEqual({ line: 1, column: 4 });
  });

  test('an offset inside a surrogate pair is that of its start, and one beyond the text is its end', () => {
    expect(locate('a😀b', 2)).toEqual({ line: 1, column: 2 });
    expect(locate('a\nbc', 99)).toEqual({ line: 2, column: 3 });
    expect(locate('a', -1)).toEqual({ line: 1, column: 1 });
  });
});

describe('offsetOfCharacter', () => {
  test('counts code points from 1, as Postgres does', () => {
    const text = 'a😀é\r\nb';
    const characters = [...text];
    const offsets = characters.map((_, index) => offsetOfCharacter(text, index + 1));
    expect(offsets.map((offset) => String.fromCodePoint(text.codePointAt(offset) ?? 0))).toEqual(characters);
  });

  test('a position beyond the end is the end, and one before the start is the start', () => {
    expect(offsetOfCharacter('a😀', 3)).toBe(3);
    expect(offsetOfCharacter('a😀', 99)).toBe(3);
    expect(offsetOfCharacter('a😀', 0)).toBe(0);
  });
});

describe('excerpt', () => {
  test('shows the line with its number and a caret beneath the place', () => {
    const text = 'select 1;\n\n\ncreate index on users (emial);\nselect 2;';
    expect(excerpt(text, text.indexOf('emial'))).toEqual([
      '  4 | create index on users (emial);',
      '    |                        ^',
    ]);
  });

  test('a line ends at CRLF and at a lone CR', () => {
    expect(excerpt('a\r\nbc\r\nd', 4)).toEqual(['  2 | bc', '    |  ^']);
    expect(excerpt('a\rbc\rd', 3)).toEqual(['  2 | bc', '    |  ^']);
  });

  test('the number of the line sets the width of the margin', () => {
    expect(excerpt(`${'\n'.repeat(99)}abc`, 101)).toEqual(['  100 | abc', '      |   ^']);
  });

  test('the caret stands behind the last character at the end of the text', () => {
    expect(excerpt('select', 6)).toEqual(['  1 | select', '    |       ^']);
    expect(excerpt('', 0)).toEqual(['  1 |', '    | ^']);
    expect(excerpt('a\n', 2)).toEqual(['  2 |', '    | ^']);
  });

  test('a tab stays a tab in both lines', () => {
    expect(excerpt('\ta\tb', 3)).toEqual(['  1 | \ta\tb', '    | \t \t^']);
  });

  test.each([
    ['wide CJK takes two columns', '日本x', '    ^'],
    ['an emoji takes two columns', '😀x', '  ^'],
    ['a combining mark takes none', 'e\u0301x', ' ^'],
    ['a zero-width joiner takes none', 'a\u200db', ' ^'],
    ['a flag takes two columns', '🇩🇪x', '  ^'],
    ['a fullwidth letter takes two columns', 'Ａx', '  ^'],
    ['a Hangul syllable takes two columns', '한x', '  ^'],
    ['Cyrillic takes one column', 'Жx', ' ^'],
  ])('%s', (_, text, caret) => {
    const last = [...text].at(-1) ?? '';
    expect(excerpt(text, text.length - last.length)).toEqual([`  1 | ${text}`, `    | ${caret}`]);
  });

  test('what would command a terminal is shown as a dot', () => {
    expect(excerpt('\u001b[31mx\u0000\u202e\u009by', 9)).toEqual(['  1 | ·[31mx···y', '    |          ^']);
  });

  test('a long line is cut around the place, and the caret still points at it', () => {
    const text = `${'a'.repeat(5_000)}X${'b'.repeat(5_000)}`;
    const [line = '', caret = ''] = excerpt(text, 5_000);
    expect(line).toBe(`  1 | …${'a'.repeat(50)}X${'b'.repeat(48)}…`);
    expect(line.charAt(caret.indexOf('^'))).toBe('X');
  });

  test('a long line is cut only where it is long', () => {
    expect(excerpt('b'.repeat(200), 0)).toEqual([`  1 | ${'b'.repeat(100)}…`, '    | ^']);
    const [line = '', caret = ''] = excerpt('b'.repeat(200), 200);
    expect(line).toBe(`  1 | …${'b'.repeat(50)}`);
    expect(caret.length).toBe(line.length + 1);
  });

  test('a line of nothing but marks is cut, too', () => {
    const [line = ''] = excerpt('\u0301'.repeat(1_000_000), 500_000);
    expect(line.length).toBeLessThan(1_000);
  });
});
