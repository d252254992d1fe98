import { expect, test } from 'vitest';
import { parseStatements } from '../statements.ts';
import { groupStatements, isWhole } from './statement-groups.ts';

const groups = (sql: string) =>
  groupStatements(parseStatements(sql)).map(({ statements, alone }) => {
    const texts = statements.map(({ text }) => text.replace(/^(create|drop) index concurrently /, '@'));
    return `${alone === undefined ? '' : 'alone '}${texts.join(' ')}`;
  });

test('neighbours that may share a transaction do, and every other statement stands alone', () => {
  const sql = 'a; b; drop index concurrently i; drop index concurrently j; c; d; drop index concurrently k';
  expect(groups(sql)).toEqual(['a b', 'alone @i', 'alone @j', 'c d', 'alone @k']);
  expect(groups('')).toEqual([]);
});

test('F5.2 each transaction of a file is a group, with what stands before its BEGIN', () => {
  expect(groups('a; begin; b; commit; c; begin; d; end; e')).toEqual([
    'a begin b commit',
    'c begin d end',
    'e',
  ]);
  expect(groups('begin; a; commit and chain; b; rollback; c')).toEqual([
    'begin a commit and chain',
    'b rollback',
    'c',
  ]);
});

test('F5 what is rolled back or read only has no record in it, also where it is chained', () => {
  const sql = 'begin; a; rollback; begin read only; b; commit and chain; c; commit; begin; d; commit';
  const read = groupStatements(parseStatements(sql)).map(({ isTakenBack, isRecordedApart }) => [
    isTakenBack,
    isRecordedApart,
  ]);
  expect(read).toEqual([
    [true, true],
    [true, true],
    [true, true],
    [false, false],
  ]);
});

test('F4.4 in a marked file each statement stands alone but those between BEGIN and COMMIT', () => {
  const sql = '-- lockstep: no-transaction\na; begin; b; c; commit; d; commit;';
  expect(groups(sql)).toEqual(['alone a', 'begin b c commit', 'alone d']);
});

test('F4 of what may commit on its way something may remain when it fails', () => {
  const whole = (sql: string) => parseStatements(`-- lockstep: no-transaction\n${sql}`).map(isWhole);
  expect(whole('insert into t values (1); call p(); do $$ begin end $$; vacuum t')).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
