import { expect, test } from 'vitest';
import { parseStatements } from '../statements.ts';
import { askedByFile } from './no-transaction.ts';

const isMarked = (sql: string) =>
  parseStatements(sql).every(({ outsideTransaction }) => outsideTransaction === askedByFile);

test.each([
  '-- lockstep: no-transaction\nselect 1',
  '--LOCKSTEP:No-Transaction\nselect 1',
  '\n  -- why: it commits\n  -- lockstep: no-transaction: the procedure commits\nselect 1',
  'select 1;\n-- lockstep: no-transaction\nselect 2',
  '-- migrate:up transaction:false\nselect 1',
  '-- migrate:down transaction: false\nselect 1',
  '-- +goose NO TRANSACTION\n-- +goose Up\nselect 1',
  '-- +migrate Up notransaction\nselect 1',
])('F4.4 %j asks for no transaction', (sql) => {
  expect(isMarked(sql)).toBe(true);
});

test.each([
  'select 1',
  "select '\n-- lockstep: no-transaction\n'",
  'do $$ begin\n-- lockstep: no-transaction\nend $$',
  '-- in one transaction\nselect 1',
  '-- migrate:up transaction:true\nselect 1',
  '-- +goose Up\nselect 1',
  '-- +migrate Up\n-- notransaction\nselect 1',
])('F4.4 %j does not', (sql) => {
  expect(isMarked(sql)).toBe(false);
});
