import { describe, expect, test } from 'vitest';
import { ForbiddenSqlError, UnfinishedSqlError } from './file-errors.ts';
import { parseSql, parseStatements } from './statements.ts';

const texts = (sql: string) => parseStatements(sql).map(({ text }) => text);
const rules = (sql: string) => parseSql(sql).mistakes.map(({ offset, rule }) => `${offset} ${rule}`);

describe('splitting', () => {
  test('a statement is its text from the first token to the last, and where it begins', () => {
    expect(parseStatements('-- one\n select 1 /* a */ + 2 -- b\n;\r\n\tselect 3')).toEqual([
      { text: 'select 1 /* a */ + 2', offset: 8, outsideTransaction: undefined },
      { text: 'select 3', offset: 38, outsideTransaction: undefined },
    ]);
  });

  test('empty statements vanish', () => {
    expect(texts(';; /* ; */ ; -- ;\n;')).toEqual([]);
    expect(texts('')).toEqual([]);
  });

  test('a semicolon inside quotes, comments or parentheses ends nothing', () => {
    const statements = [
      "select ';', E'\\';', $$;$$, $a$;$$;$a$",
      'select ";" as ";;"',
      'select 1 /* ; /* ; */ ; */ -- ;\n + 2',
      'create rule r as on insert to t do also (delete from a; delete from (select 1; ) b)',
    ];
    expect(texts(statements.join(';\n'))).toEqual(statements);
  });

  test('a closing parenthesis too many does not join statements', () => {
    expect(texts('select 1); select 2')).toEqual(['select 1)', 'select 2']);
  });

  test.each([
    'create function f() returns int begin atomic select 1; select 2; end',
    'CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END',
    'create or replace procedure p() begin /* ; */ atomic insert into t values (1); end',
    'create function f() returns int begin atomic select case when true then case 1 when 1 then 2 end end; end',
    'create function f() returns int begin atomic select 1 as end; select t.case from t; select t.end from t; end',
    'create function f() returns int begin atomic end',
    'create function f() returns int begin atomic select 1 end; select case when true then 2 end end; end',
    'create function f() returns int begin atomic select case when true then (select 1 end) end; end',
    'create function f() returns int begin atomic select 1 case; select 2 as a from t group by a; end',
    'create function f() returns int begin atomic select (select 1 case), 2 case from t; end',
    'create function f(begin atomic) returns int return case when true then 1 end',
  ])('%s is one statement', (statement) => {
    expect(texts(`${statement}; select 9`)).toEqual([statement, 'select 9']);
  });

  test('only a routine has a body that BEGIN ATOMIC opens', () => {
    expect(
      texts('create table begin (atomic int); create view v as select 1 as begin; select 2'),
    ).toHaveLength(3);
    expect(texts('select begin atomic; select 2')).toEqual(['select begin atomic', 'select 2']);
  });

  test('a file cut at random places into blank space and comments keeps its statements', () => {
    const random = generator(20);
    for (let round = 0; round < 100; round++) {
      const expected = Array.from({ length: 1 + Math.floor(random() * 4) }, () => statement(random));
      const text = expected.map((each) => `${gap(random)}${each}${gap(random)};`).join(gap(random));
      expect(texts(text)).toEqual(expected);
      expect(
        parseStatements(text).map(({ offset, text: own }) => text.slice(offset, offset + own.length)),
      ).toEqual(expected);
    }
  });
});

describe('transaction control', () => {
  test.each([
    ['begin', 'commit'],
    ['BEGIN WORK', 'END'],
    ['begin /* c */ transaction', 'commit work'],
    ['START TRANSACTION', 'END TRANSACTION'],
    ['begin', 'commit and no chain'],
  ])('%s … %s around the whole file are dropped', (begin, commit) => {
    const [inner, ...more] = parseStatements(`-- wrapped\n${begin};\nselect 1;\n${commit};\n-- end`);
    expect(inner?.text).toBe('select 1');
    expect(more).toEqual([]);
  });

  test('savepoints are free to use', () => {
    const sql =
      'savepoint a; rollback to a; rollback work to savepoint a; rollback transaction to a; release a';
    expect(texts(sql)).toHaveLength(5);
  });

  test.each([
    ['F5.1', "set lock_timeout = '2s'; begin; select 1; commit"],
    ['F5.1', "set lock_timeout = '2s'; commit; begin; select 1; commit; reset all; show x"],
    ['F5.4', 'select 1; commit'],
    ['F5.4', 'select 1; end work; '],
    ['F5', 'begin; select 1'],
    ['F5', 'begin; begin; select 1; commit; commit'],
    ['F5', 'abort; select 1'],
  ])('%s %s is one transaction, and nothing of it is left but its statements', (_, sql) => {
    const statements = parseStatements(sql);
    expect(statements.filter(({ text }) => text === 'select 1')).toHaveLength(1);
    for (const { text, control } of statements) {
      expect(control).toBeUndefined();
      expect(text).not.toMatch(/begin|commit|end|abort/);
    }
  });

  test.each([
    ['begin isolation level serializable; select 1; commit', 'isolation level serializable'],
    ['START TRANSACTION READ WRITE , NOT DEFERRABLE; select 1; END', 'read write, not deferrable'],
    [
      'select 1; begin isolation level repeatable read, read write; commit',
      'isolation level repeatable read, read write',
    ],
  ])('F5.3 %s keeps what its BEGIN asks for', (sql, modes) => {
    expect(texts(sql)).toContain(`set transaction ${modes}`);
    expect(parseStatements(sql).some(({ control }) => control !== undefined)).toBe(false);
  });

  test.each([
    ['F5.2', 'begin; select 1; commit; begin; select 2; commit', 6, 'begin commit begin commit'],
    ['F5', 'select 1; rollback; select 2', 3, 'rollback'],
    ['F5', 'select 1; commit; select 2', 3, 'commit'],
    ['F5', 'begin read only; select 1; commit', 3, 'begin commit'],
    ['F5', 'begin; select 1; commit and chain; select 2; abort', 5, 'begin commit rollback'],
    ['F5', "begin; select 1; prepare transaction 'a'", 3, 'begin prepare'],
  ])(
    '%s %s is several transactions, or one that does not commit, and keeps its controls',
    (_, sql, all, kinds) => {
      const statements = parseStatements(sql);
      expect(statements).toHaveLength(all);
      expect(statements.flatMap(({ control }) => control?.kind ?? []).join(' ')).toBe(kinds);
    },
  );

  test.each([
    ['select 1; commit and chain; select 2', '10 COMMIT AND CHAIN needs a BEGIN before it'],
    ["prepare transaction 'a'; select 1", '0 PREPARE TRANSACTION needs a BEGIN before it'],
  ])('F5 %s is refused, as Postgres would', (sql, rule) => {
    expect(rules(sql)).toEqual([rule]);
  });

  test('F5 a value that an earlier transaction of the file adds may be used in a later one', () => {
    const sql = "begin; alter type m add value 'x'; commit; begin; insert into t values ('x'); commit";
    expect(rules(sql)).toEqual([]);
    expect(parseStatements(sql).map(({ outsideTransaction }) => outsideTransaction)).toEqual(
      Array(6).fill(undefined),
    );
    expect(rules("begin; alter type m add value 'x'; insert into t values ('x'); commit")).toHaveLength(1);
  });

  test('F5 a COMMIT PREPARED is about another transaction, and stands alone', () => {
    expect(parseStatements("commit prepared 'a'")[0]?.outsideTransaction).toBe('COMMIT PREPARED');
  });

  test('a wrapped file has no statement that cannot run in a transaction', () => {
    expect(rules('begin; create index concurrently on t (a); commit;')).toEqual([
      '7 CREATE INDEX CONCURRENTLY cannot run between BEGIN and COMMIT: take these two out of the file',
    ]);
  });

  test('words in quotes control nothing', () => {
    expect(rules(`select 'commit'; comment on table t is 'begin'; create table "commit" (a int)`)).toEqual(
      [],
    );
  });
});

describe('what no server runs', () => {
  test('psql commands are named wherever they stand, and the next line is SQL again', () => {
    const rule = 'psql meta-commands do not run on a server';
    const sql = "\\set x 'it\nselect 1;\n  \\d users\nselect 2 \\gset\nselect 3;";
    expect(rules(sql)).toEqual([`0 ${rule}`, `23 ${rule}`, `41 ${rule}`]);
  });

  test('the rows of COPY FROM STDIN are not read as SQL', () => {
    const rule = 'COPY FROM STDIN has no input here: use INSERT, or COPY from a file on the server';
    const columns = Array.from({ length: 200 }, (_, index) => `c${index}`).join(', ');
    for (const newline of ['\n', '\r\n']) {
      const copy = `copy t (${columns}) from stdin;`;
      const sql = [copy, "1\tit's", '$$ \\N', '\\.', 'commit; select 1'].join(newline);
      expect(rules(sql)[0]).toBe(`0 ${rule}`);
      expect(rules(sql)).toHaveLength(1);
      expect(parseSql(sql).statements.map(({ text }) => text)).toEqual([
        copy.slice(0, -1),
        'commit',
        'select 1',
      ]);
    }
    expect(rules("copy t to stdout; copy (select ';') to stdout with csv; copy t from '/tmp/a'")).toEqual([
      '0 COPY TO STDOUT has no output here',
      '18 COPY TO STDOUT has no output here',
    ]);
  });

  test('DISCARD ALL is refused, because it unlocks', () => {
    expect(rules('discard all; discard plans')).toEqual([
      '0 DISCARD ALL is not allowed here: it would let go of the migration lock',
    ]);
  });

  test('the setting that changes how quotes are read must stay on', () => {
    expect(
      rules('set standard_conforming_strings = on; set local standard_conforming_strings to off'),
    ).toEqual(['38 standard_conforming_strings must stay on: statements are told apart by its rules']);
  });

  test('the first twenty mistakes of a text are collected, in order', () => {
    const { mistakes } = parseSql('\\d\ndiscard all;\n'.repeat(1_000));
    expect(mistakes).toHaveLength(20);
    expect(mistakes.map(({ offset }) => offset)).toEqual(
      [...mistakes.map(({ offset }) => offset)].sort((a, b) => a - b),
    );
  });
});

describe('parseStatements', () => {
  test('throws what is unfinished, with its place', () => {
    const failure = thrown(() => parseStatements("select 1;\nselect 'a"));
    expect(failure).toBeInstanceOf(UnfinishedSqlError);
    expect(failure).toMatchObject({
      offset: 17,
      message: 'the quoted string is never closed',
      exitStatus: 3,
    });
  });

  test('throws the first rule broken, with its place', () => {
    const failure = thrown(() => parseStatements("select 1;\n\\d\nselect 'a"));
    expect(failure).toBeInstanceOf(ForbiddenSqlError);
    expect(failure).toMatchObject({ offset: 10, message: 'psql meta-commands do not run on a server' });
  });
});

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick(random: () => number, from: readonly string[]): string {
  return from[Math.floor(random() * from.length)] ?? '';
}

function gap(random: () => number): string {
  const blanks = [' ', '\n', '\r\n', '\t', "/* ; ' $$ */", '/* /* ; */ */', '-- ; \' $$ "\n', '--\r', '/**/'];
  return ` ${Array.from({ length: Math.floor(random() * 3) }, () => pick(random, blanks)).join('')} `;
}

function statement(random: () => number): string {
  const atoms = [
    "';'",
    "''''",
    "E'\\';'",
    "E'a'\n'b\\';'",
    '";"',
    '$$;$$',
    '$a$;$$;$a$',
    '(;)',
    '1',
    "U&';'",
    'a$b$c',
    '$1',
    'é',
    '😀',
  ];
  const parts = Array.from({ length: 1 + Math.floor(random() * 5) }, () => pick(random, atoms));
  return ['select', ...parts].reduce((text, part) => `${text}${gap(random)}${part}`);
}

test('client_encoding stays UTF8', () => {
  expect(
    parseSql("set client_encoding = 'UTF8'; set names 'utf-8'; set client_encoding to unicode;").mistakes,
  ).toEqual([]);
  const rule =
    'client_encoding must stay UTF8: the files are, and Postgres would read other letters out of them';
  for (const text of [
    "set client_encoding = 'latin1'",
    'set local client_encoding to sql_ascii',
    "set names 'latin1'",
  ]) {
    expect(parseSql(text).mistakes).toEqual([{ offset: 0, rule }]);
  }
});
