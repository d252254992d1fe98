import { describe, expect, test } from 'vitest';
import { UnfinishedSqlError } from './file-errors.ts';
import { TokenReader } from './tokens.ts';

/** Each token as `kind spelling`. */
function read(text: string): string[] {
  const reader = new TokenReader(text);
  const tokens: string[] = [];
  while (reader.next()) tokens.push(`${reader.kind} ${reader.spelling()}`);
  return tokens;
}

function unfinished(text: string): { offset: number; what: string } {
  try {
    read(text);
  } catch (error) {
    if (error instanceof UnfinishedSqlError) return { offset: error.offset, what: error.what };
    throw error;
  }
  throw new Error(`${text} is finished`);
}

describe('quotes', () => {
  test.each([
    ["'it''s; -- no comment'", 'string'],
    ["'a\\'", 'string'],
    ["E'it\\'s'", 'string'],
    ["e'a''b\\\\'", 'string'],
    ["U&'d\\0061t''a'", 'string'],
    ["B'0101'", 'string'],
    ["x'1F'", 'string'],
    ["N'a''b'", 'string'],
    ['"a""b;"', 'quoted word'],
    ['U&"a""b"', 'quoted word'],
    ['$$;\'"$x$$', 'string'],
    ['$a$ $$ $b$ ; $a$', 'string'],
    ['$é_1$;$é_1$', 'string'],
    ["'é😀'", 'string'],
  ])('%s is one %s', (text, kind) => {
    expect(read(`${text};`)).toEqual([`${kind} ${text}`, 'symbol ;']);
  });

  test('a prefix counts only as a word of its own', () => {
    expect(read("note'a\\'")).toEqual(['word note', "string 'a\\'"]);
    expect(read("au&'a'")).toEqual(['word au', 'operator &', "string 'a'"]);
    expect(read('u & x')).toEqual(['word u', 'operator &', 'word x']);
  });

  test('a quote on a later line continues an E string with its escapes, and on the same line does not', () => {
    expect(read("E'a' -- c\n 'b\\'c'")).toEqual(["string E'a'", "string 'b\\'c'"]);
    expect(read("E'a' 'b\\' c")).toEqual(["string E'a'", "string 'b\\'", 'word c']);
    expect(read("E'a' /* \n */ 'b\\' c")).toEqual(["string E'a'", "string 'b\\'", 'word c']);
    expect(read("'a'\n'b\\' c")).toEqual(["string 'a'", "string 'b\\'", 'word c']);
  });

  test('a doubled quote does not continue a bit string', () => {
    expect(read("x'1''a'")).toEqual(["string x'1'", "string 'a'"]);
  });

  test('a dollar sign in a word or before a digit opens no quote', () => {
    expect(read('a$b$c $1 $2$3 $')).toEqual([
      'word a$b$c',
      'parameter $1',
      'parameter $2',
      'parameter $3',
      'symbol $',
    ]);
    expect(read('é$$ $1a')).toEqual(['word é$$', 'parameter $1', 'word a']);
  });
});

describe('comments and operators', () => {
  test('a line comment ends at a line feed or a carriage return', () => {
    expect(read('a -- \' \nb -- " \rc -- $$ \r\nd --')).toEqual(['word a', 'word b', 'word c', 'word d']);
  });

  test('block comments nest', () => {
    expect(read("a/* ' /* */ ; */b/**/c/*/**/*/d")).toEqual(['word a', 'word b', 'word c', 'word d']);
  });

  test('a comment ends an operator', () => {
    expect(read('a*--\n+b</**/>c //**/d')).toEqual([
      'word a',
      'operator *',
      'operator +',
      'word b',
      'operator <',
      'operator >',
      'word c',
      'operator /',
      'word d',
    ]);
  });

  test('a sign leaves an operator of the standard, and stays with any other', () => {
    expect(read('a=-1')).toEqual(['word a', 'operator =', 'operator -', 'number 1']);
    expect(read('a@-1')).toEqual(['word a', 'operator @-', 'number 1']);
    expect(read('a->>b')).toEqual(['word a', 'operator ->>', 'word b']);
  });

  test('a cast is one operator', () => {
    expect(read("'a'::text[1:2]")).toEqual([
      "string 'a'",
      'operator ::',
      'word text',
      'symbol [',
      'number 1',
      'symbol :',
      'number 2',
      'symbol ]',
    ]);
  });
});

test('numbers keep their point, their exponent and their separators', () => {
  expect(read('1 1.5 .5 1e5 1E-5 0xFF 1_000 2-1 1e--\n')).toEqual([
    'number 1',
    'number 1.5',
    'number .5',
    'number 1e5',
    'number 1e-5',
    'number 0xff',
    'number 1_000',
    'number 2',
    'operator -',
    'number 1',
    'number 1e',
  ]);
});

test('words fold ASCII letters only', () => {
  expect(read('SELECT ÉtÉ "É"')).toEqual(['word select', 'word ÉtÉ', 'quoted word "É"']);
});

test.each([
  ["select 'a''", 7, 'quoted string'],
  ["select E'a\\'", 7, 'quoted string'],
  ["select E'a\\", 7, 'quoted string'],
  ["select x'1", 7, 'quoted string'],
  ['select "a""', 7, 'quoted identifier'],
  ['select $a$ $b$', 7, 'dollar quote $a$'],
  ['select /* /* */', 7, 'comment'],
])('%s is unfinished where it opens', (text, offset, what) => {
  expect(unfinished(text)).toEqual({ offset, what });
});

test('a long tag is shortened in the message', () => {
  expect(unfinished(`$${'a'.repeat(100)}$`).what).toBe(`dollar quote $${'a'.repeat(39)}…`);
});

test.each(['+', '-', '$a', "E'a'\n", '/**/', '('])(
  'reading %j again and again takes time in proportion',
  (unit) => {
    const reader = new TokenReader(unit.repeat(100_000));
    const start = process.cpuUsage();
    while (reader.next());
    // A few milliseconds; a reader that looks at the rest of the text for each token needs many seconds.
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(1_000);
  },
);
