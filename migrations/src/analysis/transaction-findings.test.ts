import { expect, test } from 'vitest';
import { toSqlFile } from '../sql-file.ts';
import { parseStatements } from '../statements.ts';
import { transactionFindings } from './transaction-findings.ts';

const found = (sql: string) =>
  transactionFindings(toSqlFile('1_a.up.sql', sql, parseStatements(sql))).map(
    ({ code, severity, place, message }) =>
      `${severity} ${code} ${place?.line}:${place?.column} ${message.replace(/:.*/, '')}`,
  );

test.each([
  'select 1',
  'begin; select 1; commit;',
  'START TRANSACTION; select 1; END;',
  'savepoint a; release a',
])('F5.5 nothing is said about %s', (sql) => {
  expect(found(sql)).toEqual([]);
});

test.each([
  ["set lock_timeout = '2s';\nbegin; select 1; commit;", '2:1 BEGIN and COMMIT are not first and last'],
  ['begin isolation level serializable; select 1; commit', '1:1 BEGIN asks for isolation level serializable'],
  ['begin; select 1', '1:1 BEGIN is never ended'],
  ['select 1;\n commit;', '2:2 COMMIT ends a transaction that this file did not begin'],
  ['select 1; end work;', '1:11 END ends a transaction that this file did not begin'],
  ['begin; select 1;\ncommit; begin; select 2; commit', "2:1 COMMIT ends a transaction of this file's own"],
  ['select 1; rollback', '1:11 ROLLBACK takes back a part of this file'],
])('F5.5 %j is warned of once', (sql, expected) => {
  expect(found(sql)).toEqual([`warning transaction-control ${expected}`]);
});
