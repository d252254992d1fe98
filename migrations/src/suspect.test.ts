import { describe, expect, test } from 'vitest';
import { suspectNames, suspectOffset } from './suspect.ts';

/** The place that `‸` marks in a statement, and the statement without the mark. */
function marked(text: string): { statement: string; offset: number } {
  return { statement: text.replace('‸', ''), offset: text.indexOf('‸') };
}

describe('suspectOffset', () => {
  test.each([
    ['alter table users drop column ‸emial', ['emial']],
    ['alter table users drop column ‸EMIAL', ['emial']],
    ['alter table users drop column ‸"Email", add "email" text', ['Email']],
    ['create index on t (‸"a""b")', ['a"b']],
    ['alter table "日本 😀" drop column ‸é', ['é']],
    ["comment on table t is 'users'; /* users */ drop table ‸users -- users", ['users']],
    ['alter table ‸app . Users drop column app_users', ['app.users']],
    ['alter table db.‸app."users" drop column "app users"', ['app.users']],
    ['alter table ‸"app.users" drop column users', ['app.users']],
    ["select 'a' as b from t where ‸c = $1", ['c']],
  ])('%s', (text, names) => {
    const { statement, offset } = marked(text);
    expect(suspectOffset(statement, names)).toBe(offset);
  });

  test('a name that is cut to 63 bytes is found at the longer one', () => {
    const long = `${'é'.repeat(31)}xyz`;
    expect(suspectOffset(`create index ${long} on t (a)`, [`${'é'.repeat(31)}x`])).toBe(13);
    expect(suspectOffset(`create index x${'é'.repeat(40)} on t (a)`, [`x${'é'.repeat(31)}`])).toBe(13);
    expect(suspectOffset(`create index ${'é'.repeat(40)} on t (a)`, ['é'.repeat(31)])).toBe(13);
  });

  test('the first name that stands once wins', () => {
    const statement = 'alter table users add email text, alter column email set not null';
    expect(suspectOffset(statement, ['email', 'users'])).toBe(12);
    expect(suspectOffset(statement, ['users', 'email'])).toBe(12);
    expect(suspectOffset(statement, ['text', 'users'])).toBe(28);
  });

  test.each([
    ['select 1', []],
    ['', ['a']],
    ['select 1', ['']],
    ['drop table users', ['user']],
    ['drop table a; drop table a', ['a']],
    ['drop table a, "a"', ['a']],
    ['drop table "Users"', ['users']],
    ['drop table Users', ['Users']],
    ["select 'users', E'users', x'1' /* users */ -- users", ['users']],
    ['select U&"users"', ['users']],
    ['alter table a.b.c add d int', ['a.c']],
    ['select a, b', ['a.b']],
    ["select 'never closed, users", ['users']],
  ])('%s says nothing of %j', (statement, names) => {
    expect(suspectOffset(statement, names)).toBeUndefined();
  });

  test.each([
    ['do $$ begin alter table t add ‸emial int; end $$', ['emial']],
    ['do $a$ begin execute $q$ alter table t add ‸emial int $q$; end $a$', ['emial']],
    ['do $a$ begin execute $q$ alter table t add x int $q$; insert into ‸t values (1); end $a$', ['t']],
    ['create function ‸users() returns int language sql as $$ select id from users, users $$', ['users']],
    ['do language plpgsql $é$ begin perform 1; -- emial\n perform ‸emial; end $é$', ['emial']],
  ])('a body in dollar quotes is looked into when nothing around it is meant: %s', (text, names) => {
    const { statement, offset } = marked(text);
    expect(suspectOffset(statement, names)).toBe(offset);
  });

  test.each([
    'do $$ begin perform emial; perform emial; end $$',
    "create function f() returns int language plpython3u as $$ emial = 'never closed $$",
    "do $$ begin execute 'drop table emial'; end $$",
  ])(
    'a body says nothing when the name stands there twice, in a string, or it is no SQL: %s',
    (statement) => {
      expect(suspectOffset(statement, ['emial'])).toBeUndefined();
    },
  );

  test.each([
    ['a.', 50_000],
    ['$$a$$ ', 50_000],
    ['"a" ', 50_000],
    ["$a$ '$a$", 5_000],
  ])('%j again and again is read in proportion', (unit, times) => {
    const started = process.cpuUsage();
    expect(suspectOffset(`${unit.repeat(times)} b`, ['c', 'a.a.a', 'b'])).toBeGreaterThan(0);
    // Some tens of milliseconds; what looks at the rest of the text for each token needs many seconds.
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(2_000);
  });
});

describe('suspectNames', () => {
  test.each([
    ['column "emial" of relation "users" does not exist', ['emial', 'users']],
    ['relation "app.users" does not exist', ['app.users']],
    ['"users" is not a view', ['users']],
    ['column "a"b" of relation "Wide name" contains null values', ['a"b', 'Wide name']],
    ['role "x" cannot be dropped: it owns table "y"', ['x', 'y']],
    ['invalid input syntax for type integer: "users"', []],
    ['division by zero', []],
    ['column "a', []],
    ['', []],
  ])('%s', (message, names) => {
    expect(suspectNames({ message })).toEqual(names);
  });

  test('the fields of the error come from the narrowest to the widest, each once, and without the schema', () => {
    const fields = { column: 'email', constraint: 'users_email_check', table: 'users', schema: 'app' };
    const message =
      'check constraint "users_email_check" of relation "users" is violated by some row of type "t"';
    expect(suspectNames({ message, ...fields, dataType: 'mood' })).toEqual([
      'email',
      'users_email_check',
      'users',
      't',
      'mood',
    ]);
  });
});
