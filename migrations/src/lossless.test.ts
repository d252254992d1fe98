import { expect, test } from 'vitest';
import { lossesOf } from './lossless.ts';

const read = (text: string) => lossesOf({ text, offset: 0, outsideTransaction: undefined });

test.each([
  ['drop table a', ['a']],
  ['DROP TABLE IF EXISTS public.a, "B c" RESTRICT', ['public.a', '"B c"']],
  ['drop index a', []],
  ['drop materialized view v', []],
  ['drop trigger t on a', []],
  ['alter table a drop column b', ['a b']],
  [
    'alter table if exists only s.a drop b, drop constraint c, drop column if exists "D"',
    ['s.a b', 's.a "D"'],
  ],
  ['alter table a /* drop column x */ drop constraint if exists c', []],
])('%s deletes %j at most', (text, expected) => {
  const losses = read(text);
  expect(losses).toBeInstanceOf(Array);
  if (typeof losses === 'string') return;
  expect(losses.map(({ table, column }) => (column === undefined ? table : `${table} ${column}`))).toEqual(
    expected,
  );
});

test.each([
  ['drop table a cascade', 'it drops by CASCADE'],
  ['drop schema s', 'DROP SCHEMA may change rows'],
  ['drop extension e', 'DROP EXTENSION may change rows'],
  ['delete from a', 'DELETE FROM may change rows'],
  ['truncate a', 'TRUNCATE A may change rows'],
  ['do $$ begin end $$', 'DO may change rows'],
  ['alter table a add column b int', 'its ALTER TABLE does more than drop'],
  ['alter table a drop column b, alter column c type int', 'its ALTER TABLE does more than drop'],
  ['alter table a alter column b type int using 0', 'its ALTER TABLE does more than drop'],
  ['drop table a b', 'its DROP TABLE is not understood'],
  ["drop table 'a'", 'its DROP TABLE is not understood'],
  ['select 1', 'SELECT may change rows'],
])('%s is not told: %s', (text, reason) => {
  expect(read(text)).toBe(reason);
});
