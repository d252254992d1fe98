import { beforeAll, expect, test } from 'vitest';
import type { Migration } from '../migration.ts';
import { toSqlFile } from '../sql-file.ts';
import { parseStatements } from '../statements.ts';
import { judgeMigration, settle } from './analyse.ts';
import { Facts } from './facts.ts';
import { loadParser } from './parser.ts';
import { settingFindings } from './setting-findings.ts';

let parse: Awaited<ReturnType<typeof loadParser>>;
beforeAll(async () => {
  parse = await loadParser();
});

function folder(...texts: string[]): Migration[] {
  return texts.map((sql, index) => {
    const name = `${index + 1}_f.up.sql`;
    const up = toSqlFile(name, sql, parseStatements(sql));
    return { version: BigInt(index + 1), label: String(index + 1), description: 'f', up, down: undefined };
  });
}

const found = (...texts: string[]) =>
  settingFindings(folder(...texts), parse).map(
    ({ path, place, message }) => `${path}:${place?.line}:${place?.column} ${message}`,
  );

test('F5.6 names without a schema behind a search_path of another file are found, and both files named', () => {
  expect(
    found('create schema app; set search_path = app, public;', 'select 1;\ncreate table users (id int);'),
  ).toEqual([
    '2_f.up.sql:2:14 users has no schema, and 1_f.up.sql sets search_path to app, public: a setting ends with its file',
  ]);
});

test.each([
  'set search_path to app',
  "SET SESSION search_path TO 'app'",
  "set schema 'app'",
  "select pg_catalog.set_config('search_path', 'app', false)",
])('F5.6 also behind %s, in every statement that names something', (set) => {
  const uses = [
    'insert into users values (1)',
    'alter table users add column a int',
    'drop table users',
    'create index on users (id)',
    'create view app.v as select * from users',
    "create type mood as enum ('a')",
    'create function f() returns int language sql as $$ select 1 $$',
  ];
  for (const use of uses) expect(found(set, use), use).toHaveLength(1);
  expect(found(set, 'select 1', uses[0] ?? '', uses[1] ?? '')).toHaveLength(2);
});

test.each([
  ['set local search_path = app', 'create table users (id int)'],
  ['set search_path = app; create table users (id int)', 'create table app.other (id int)'],
  ['set search_path = app', 'set search_path = app; create table users (id int)'],
  ['set search_path = app; reset search_path', 'create table users (id int)'],
  ['set search_path = public', 'create table users (id int)'],
  ['set search_path = "$user", public', 'create table users (id int)'],
  ["select set_config('search_path', '', false)", 'create table users (id int)'],
  ['set search_path = app', 'with users as (select 1) select * from users; select * from pg_class'],
  ['create table users (id int)', 'alter table users set schema app', 'drop table app.users'],
])('F5.6 not in %s, then %s', (...texts) => {
  expect(found(...texts)).toEqual([]);
});

test('F5.6 a temporary table of another file is found, unless one that stays has its name', () => {
  const make = 'create temp table picked as select 1 as id; select * from picked;';
  expect(found(make, 'insert into log select id from picked')).toEqual([
    '2_f.up.sql:1:32 picked is a temporary table of 1_f.up.sql, which ends with that file',
  ]);
  expect(found(make, make)).toEqual([]);
  expect(found(make, 'create table picked (id int); insert into picked values (1)')).toEqual([]);
});

test('F5.6 a comment may allow it', () => {
  const migrations = folder(
    'set search_path = app;',
    '-- lockstep: allow search-path-not-kept: the role has it\ncreate table users (id int);',
  );
  const [, second] = migrations;
  if (second === undefined) throw new Error('there are two');
  const judged = judgeMigration(second, parse, new Facts());
  const { findings } = settle(judged, settingFindings(migrations, parse));
  const all = findings.filter(({ code }) => /search-path|suppression/.test(code));
  expect(all.map(({ code, allowed }) => [code, allowed])).toEqual([
    ['search-path-not-kept', 'the role has it'],
  ]);
});
