import { describe, expect, test } from 'vitest';
import { parseStatements } from './statements.ts';

const outside = (sql: string) => parseStatements(sql).map(({ outsideTransaction }) => outsideTransaction);

// What real servers say to such statements is asked in ../test/transactional.test.ts.
test.each([
  ['CREATE INDEX CONCURRENTLY i ON t (a)', 'CREATE INDEX CONCURRENTLY'],
  ['create /* c */ unique\nindex -- c\n  concurrently if not exists i on t (a)', 'CREATE INDEX CONCURRENTLY'],
  ['drop index concurrently if exists i', 'DROP INDEX CONCURRENTLY'],
  ['REINDEX TABLE CONCURRENTLY t', 'REINDEX CONCURRENTLY'],
  ['reindex index concurrently i', 'REINDEX CONCURRENTLY'],
  ['REINDEX (VERBOSE) TABLE CONCURRENTLY t', 'REINDEX CONCURRENTLY'],
  ['REINDEX (CONCURRENTLY) TABLE t', 'REINDEX CONCURRENTLY'],
  ['REINDEX (VERBOSE, CONCURRENTLY) TABLE t', 'REINDEX CONCURRENTLY'],
  ['REINDEX (CONCURRENTLY true, VERBOSE) TABLE t', 'REINDEX CONCURRENTLY'],
  ["REINDEX (CONCURRENTLY 'on') TABLE t", 'REINDEX CONCURRENTLY'],
  ['REINDEX SCHEMA CONCURRENTLY s', 'REINDEX SCHEMA'],
  ['REINDEX (VERBOSE) DATABASE d', 'REINDEX DATABASE'],
  ['REINDEX SYSTEM d', 'REINDEX SYSTEM'],
  ['VACUUM', 'VACUUM'],
  ['vacuum (analyze) t', 'VACUUM'],
  ['CLUSTER', 'CLUSTER of every table'],
  ['CLUSTER VERBOSE', 'CLUSTER of every table'],
  ['CREATE DATABASE d', 'CREATE DATABASE'],
  ['drop database if exists d', 'DROP DATABASE'],
  ['ALTER DATABASE "d d" SET TABLESPACE ts', 'ALTER DATABASE … SET TABLESPACE'],
  ['alter database d with tablespace = ts', 'ALTER DATABASE … SET TABLESPACE'],
  ["CREATE TABLESPACE ts LOCATION '/x'", 'CREATE TABLESPACE'],
  ['DROP TABLESPACE ts', 'DROP TABLESPACE'],
  ["ALTER SYSTEM SET work_mem = '4MB'", 'ALTER SYSTEM'],
  ['ALTER TABLE t DETACH PARTITION p CONCURRENTLY', 'DETACH PARTITION CONCURRENTLY'],
  ['ALTER TABLE IF EXISTS s."t t" DETACH PARTITION s.p CONCURRENTLY', 'DETACH PARTITION CONCURRENTLY'],
  ["CREATE SUBSCRIPTION s CONNECTION 'host=a' PUBLICATION p", 'CREATE SUBSCRIPTION'],
  ['DROP SUBSCRIPTION s', 'DROP SUBSCRIPTION'],
  ['ALTER SUBSCRIPTION s REFRESH PUBLICATION', 'ALTER SUBSCRIPTION … REFRESH'],
  ['ALTER SUBSCRIPTION s SET PUBLICATION p', 'ALTER SUBSCRIPTION … PUBLICATION'],
  ['ALTER SUBSCRIPTION s SET (failover)', 'ALTER SUBSCRIPTION … SET (failover)'],
  ['alter subscription s set (binary = true, two_phase = false)', 'ALTER SUBSCRIPTION … SET (two_phase)'],
])('%s runs alone', (sql, words) => {
  expect(outside(sql)).toEqual([words]);
});

test.each([
  'CREATE INDEX i ON t (a)',
  'CREATE INDEX "concurrently" ON t (a)',
  'DROP INDEX i',
  'REINDEX TABLE t',
  'REINDEX (VERBOSE) INDEX i',
  'REINDEX (CONCURRENTLY false) TABLE t',
  'REINDEX (CONCURRENTLY off, VERBOSE) TABLE t',
  'ANALYZE t',
  'CLUSTER t USING i',
  'CLUSTER VERBOSE t USING i',
  'ALTER DATABASE d CONNECTION LIMIT 9',
  'ALTER TABLE t SET TABLESPACE ts',
  'ALTER TABLE t DETACH PARTITION p',
  'ALTER TABLE t DETACH PARTITION p FINALIZE',
  'ALTER SUBSCRIPTION s DISABLE',
  'ALTER SUBSCRIPTION s SET (binary = true)',
  'REFRESH MATERIALIZED VIEW CONCURRENTLY v',
  "ALTER TYPE m ADD VALUE 'b'",
  'CREATE TABLE "create index concurrently" (a int)',
  "COMMENT ON TABLE t IS 'vacuum'",
  "DO $$ begin execute 'vacuum'; end $$",
  '/* vacuum */ select 1 -- vacuum',
])('%s runs in a transaction', (sql) => {
  expect(outside(sql)).toEqual([undefined]);
});

describe('ALTER TYPE … ADD VALUE', () => {
  const add = "ALTER TYPE app.mood ADD VALUE IF NOT EXISTS 'calm' BEFORE 'sad'";

  test.each([
    "update t set mood = 'calm'",
    "create table u (mood app.mood default 'calm')",
    "create function f() returns app.mood language sql as $$ select 'calm'::app.mood $$",
    "do $$ begin execute 'update t set mood = ''calm'''; end $$",
  ])('runs alone when a later statement is %s', (later) => {
    expect(outside(`${add}; select 1; ${later}`)).toEqual(['ALTER TYPE … ADD VALUE', undefined, undefined]);
  });

  test.each([
    "alter type app.mood add value 'happy' after 'calm'",
    "update t set mood = 'sad'",
    "/* 'calm' */ select 1 -- 'calm'",
    "select 'calmer', 'becalm'",
  ])('stays in the transaction when a later statement is %s', (later) => {
    expect(outside(`${add}; ${later}`)).toEqual([undefined, undefined]);
  });

  test('stays in the transaction when only an earlier statement spells the value', () => {
    expect(outside(`select 'calm'; ${add}`)).toEqual([undefined, undefined]);
  });

  test('is refused in a wrapped file that uses the value, as Postgres would', () => {
    expect(() => parseStatements(`begin; ${add}; select 'calm'::app.mood; commit`)).toThrow(
      'ALTER TYPE … ADD VALUE cannot run between BEGIN and COMMIT: take these two out of the file',
    );
  });
});
