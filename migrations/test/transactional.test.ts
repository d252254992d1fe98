import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, postgresServers, type TestDatabase } from '../../test/support/postgres.ts';
import { parseStatements } from '../src/statements.ts';

const subscribe = `create subscription s connection 'host=127.0.0.1 port=1' publication one, two
  with (connect = false, slot_name = 'other')`;

// What a subscription refuses depends on its state, so some statements need it made before, in the same transaction.
const refused: readonly (readonly [sql: string, words: string, before?: string])[] = [
  ['create index concurrently on t (b)', 'CREATE INDEX CONCURRENTLY'],
  ['create unique /* c */ index -- c\n concurrently if not exists i on t (b)', 'CREATE INDEX CONCURRENTLY'],
  ['drop index concurrently by_b', 'DROP INDEX CONCURRENTLY'],
  ['reindex table concurrently t', 'REINDEX CONCURRENTLY'],
  ['reindex (verbose) index concurrently by_b', 'REINDEX CONCURRENTLY'],
  ['reindex (verbose, concurrently) table t', 'REINDEX CONCURRENTLY'],
  ["reindex (concurrently 'on', verbose) table t", 'REINDEX CONCURRENTLY'],
  ['reindex (concurrently 1) schema public', 'REINDEX CONCURRENTLY'],
  ['reindex schema public', 'REINDEX SCHEMA'],
  ['reindex (verbose) database ‹here›', 'REINDEX DATABASE'],
  ['reindex system ‹here›', 'REINDEX SYSTEM'],
  ['vacuum', 'VACUUM'],
  ['vacuum (full, analyze) t', 'VACUUM'],
  ['cluster', 'CLUSTER of every table'],
  ['cluster verbose', 'CLUSTER of every table'],
  ["commit prepared 'a'", 'COMMIT PREPARED'],
  ["rollback prepared 'a'", 'ROLLBACK PREPARED'],
  ['create database another', 'CREATE DATABASE'],
  ['drop database if exists another with (force)', 'DROP DATABASE'],
  ['alter database ‹here› set tablespace pg_default', 'ALTER DATABASE … SET TABLESPACE'],
  ['alter database ‹here› with tablespace = pg_default', 'ALTER DATABASE … SET TABLESPACE'],
  ["create tablespace another location '/nowhere'", 'CREATE TABLESPACE'],
  ['drop tablespace if exists another', 'DROP TABLESPACE'],
  ["alter system set work_mem = '4MB'", 'ALTER SYSTEM'],
  ['alter system reset all', 'ALTER SYSTEM'],
  [
    'alter table if exists only public."p p" detach partition p1 concurrently',
    'DETACH PARTITION CONCURRENTLY',
  ],
  ["create subscription s connection 'host=127.0.0.1 port=1' publication one", 'CREATE SUBSCRIPTION'],
  ['drop subscription s', 'DROP SUBSCRIPTION', subscribe],
  [
    'alter subscription s refresh publication',
    'ALTER SUBSCRIPTION … REFRESH',
    `${subscribe}; alter subscription s enable`,
  ],
  ...['set publication one', 'add publication three', 'drop publication one'].map(
    (change) =>
      [
        `alter subscription s ${change}`,
        'ALTER SUBSCRIPTION … PUBLICATION',
        `${subscribe}; alter subscription s enable`,
      ] as const,
  ),
];

/** Options that older servers do not know. */
const refusedSince18: typeof refused = [
  ['alter subscription s set (failover)', 'ALTER SUBSCRIPTION … SET (failover)', subscribe],
  [
    'alter subscription s set (binary = true, two_phase = false)',
    'ALTER SUBSCRIPTION … SET (two_phase)',
    subscribe,
  ],
  ['reindex database', 'REINDEX DATABASE'],
  ['cluster (verbose)', 'CLUSTER of every table'],
];

const accepted: readonly (readonly [sql: string, before?: string])[] = [
  ['create index on t (b)'],
  ['create index "concurrently" on t (b)'],
  ['drop index by_b'],
  ['reindex table t'],
  ['reindex (verbose) index by_b'],
  ['reindex (concurrently false) table t'],
  ['reindex (concurrently off, verbose) table t'],
  ['analyze'],
  ['analyze t'],
  ['truncate t'],
  ['cluster t using by_b'],
  ['cluster verbose t using by_b'],
  ['refresh materialized view concurrently v'],
  ["alter type mood add value 'calm' before 'sad'"],
  ["alter type mood rename value 'sad' to 'vacuum'"],
  ['alter table "p p" detach partition p1'],
  ['alter table t set (fillfactor = 90)'],
  ['alter table t set tablespace pg_default'],
  ['alter database ‹here› connection limit 9'],
  ["alter database ‹here› set work_mem = '4MB'"],
  ['alter tablespace pg_default set (seq_page_cost = 1)'],
  ['alter subscription s disable', subscribe],
  ['alter subscription s set (binary = true)', subscribe],
  ['alter publication one add table t'],
  ['drop publication one'],
  ['lock table t'],
  ['checkpoint'],
  ['discard temp'],
  ['listen vacuum'],
  ['create table "create index concurrently" (a int)'],
  ["comment on table t is 'reindex system'"],
  ["do $$ begin perform 'vacuum'; end $$"],
  ['/* vacuum */ select 1 -- vacuum'],
];

describe.each(postgresServers())('inside a transaction of $name', (server) => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase(server);
    client = new Client({ connectionString: database.superuserUrl });
    await client.connect();
    await client.query(`
      create table t (a int primary key, b text);
      create index by_b on t (b);
      create type mood as enum ('sad', 'happy');
      create table "p p" (a int) partition by range (a);
      create table p1 partition of "p p" for values from (1) to (2);
      create materialized view v as select 1 as a;
      create unique index on v (a);
      create publication one;
      create publication two`);
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  /** The SQLSTATE with which the server refuses a statement, and the words for which we would run it alone. */
  async function tried(text: string, before = ''): Promise<{ refusal?: unknown; words: unknown }> {
    const sql = text.replace('‹here›', database.name);
    const words = parseStatements(sql)[0]?.outsideTransaction;
    try {
      await client.query(`begin; ${before}`);
      const refusal = await client.query(sql).then(() => undefined, codeOf);
      return { refusal, words };
    } finally {
      await client.query('rollback');
    }
  }

  const known = server.major < 18 ? refused : [...refused, ...refusedSince18];
  test.each(known.map(withoutGaps))('%s is refused, and we know it', async (sql, words, before) => {
    expect(await tried(sql, before)).toEqual({ refusal: '25001', words });
  });

  test.each(accepted.map(([sql, before = '']) => [sql, before] as const))(
    '%s is accepted, and we know it',
    async (sql, before) => {
      expect(await tried(sql, before)).toEqual({ refusal: undefined, words: undefined });
    },
  );
});

function withoutGaps([sql, words, before = '']: (typeof refused)[number]): [string, string, string] {
  return [sql, words, before];
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
