import { expect, test } from 'vitest';
import { fits, freshPattern, keptPattern, namesAt } from './database-names.ts';
import {
  parseTableName,
  quoteIdentifier,
  quoteLiteral,
  spellTableName,
  type TableName,
} from './identifiers.ts';

test('identifiers and strings are quoted whatever they hold', () => {
  expect(quoteIdentifier('a"b; drop')).toBe('"a""b; drop"');
  expect(quoteLiteral("it's")).toBe("'it''s'");
  expect(quoteLiteral("a\\'b")).toBe(" E'a\\\\''b'");
});

test('a table is named with or without its schema', () => {
  expect(parseTableName('t')).toEqual({ schema: undefined, name: 't' });
  expect(parseTableName('s.t')).toEqual({ schema: 's', name: 't' });
  expect(parseTableName('"a.b"."c""d"')).toEqual({ schema: 'a.b', name: 'c"d' });
  expect(parseTableName('ünï')).toEqual({ schema: undefined, name: 'ünï' });
  for (const wrong of ['', '.', 'a.', '.b', 'a.b.c', 'a b', '"a', 'a"b', 'a\0']) {
    expect(parseTableName(wrong)).toEqual({ rule: 'expected table or schema.table' });
  }
  expect(parseTableName('x'.repeat(56))).toEqual({ rule: 'expected at most 55 bytes for the table' });
  expect(parseTableName('ü'.repeat(28))).toEqual({ rule: 'expected at most 55 bytes for the table' });
});

test('a spelled table is read as the same one', () => {
  const names = ['t', 'S.T', 'a b', 'c"d', 'e.f', 'ünï'];
  const tables: TableName[] = names.map((name) => ({ schema: undefined, name }));
  for (const table of [...tables, { schema: 'a.b', name: 'c"d' }, { schema: 's', name: 't' }]) {
    expect(parseTableName(spellTableName(table))).toEqual(table);
  }
  expect(spellTableName({ schema: 's', name: 't' })).toBe('s.t');
});

test('the databases beside one are named by the time, in UTC, and found by pattern', () => {
  const names = namesAt('my.db', new Date('2025-01-02T03:04:05.678Z'));
  expect(names).toEqual({ fresh: 'my.db__new_20250102T030405', kept: 'my.db__before_20250102T030405' });
  expect(names.kept).toMatch(new RegExp(keptPattern('my.db')));
  expect(names.fresh).toMatch(new RegExp(freshPattern('my.db')));
  expect(names.kept).not.toMatch(new RegExp(keptPattern('myxdb')));
  expect(`other_${names.kept}`).not.toMatch(new RegExp(keptPattern('my.db')));
  expect([fits('x'.repeat(39)), fits('x'.repeat(40)), fits('ü'.repeat(20))]).toEqual([true, false, false]);
});
