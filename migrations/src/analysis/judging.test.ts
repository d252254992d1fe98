import { beforeAll, describe, expect, it } from 'vitest';
import type { Migration } from '../migration.ts';
import { toSqlFile } from '../sql-file.ts';
import { parseSql } from '../statements.ts';
import { judgeMigration, settle } from './analyse.ts';
import { Facts } from './facts.ts';
import { unindexedFindings } from './folder-findings.ts';
import { loadParser } from './parser.ts';

let parse: Awaited<ReturnType<typeof loadParser>>;
beforeAll(async () => {
  parse = await loadParser();
});

/** `2: drop-table` for each finding of up files that follow each other, by the number of the file. */
function judge(...ups: readonly string[]): string[] {
  const facts = new Facts();
  const judgements = ups.map((sql, index) =>
    judgeMigration(migrationOf(index + 1, sql, undefined), parse, facts),
  );
  const unindexed = unindexedFindings(facts);
  return judgements.flatMap((judgement, index) =>
    settle(judgement, unindexed).findings.map(({ code }) => `${index + 1}: ${code}`),
  );
}

/** What a down file leaves or lacks. */
function undo(up: string, down: string): string[] {
  const judged = settle(judgeMigration(migrationOf(1, up, down), parse, new Facts()));
  return judged.findings.filter(({ code }) => code.startsWith('down-')).map(({ message }) => message);
}

function migrationOf(version: number, up: string, down: string | undefined): Migration {
  const file = (name: string, sql: string) => {
    const { statements, mistakes } = parseSql(sql);
    expect(mistakes).toEqual([]);
    return toSqlFile(name, sql, statements);
  };
  return {
    version: BigInt(version),
    label: String(version),
    description: 'x',
    up: file(`${version}_x.up.sql`, up),
    down: down === undefined ? undefined : file(`${version}_x.down.sql`, down),
  };
}

describe('F14 what was found and is right is not found any more', () => {
  it.each([
    ['required-column', ['truncate t; alter table t add column c int not null;']],
    ['required-column', ['delete from t; alter table public.t add column c int not null;']],
    ['setting-stays', ["set lock_timeout = '1s';"]],
    ['table-rewritten', ['vacuum (full false) t;']],
    ['table-rewritten', ['vacuum (full off, analyze) t;']],
    ['table-rewritten', ['vacuum (full 0) t;']],
    ['search-path-changed', ['set role reporting;']],
    ['search-path-changed', ['set session authorization reporting;']],
    [
      'not-null-scans',
      [
        'alter table t add constraint c check (a is not null) not valid;',
        'alter table t validate constraint c;',
        'alter table t alter column a set not null;',
      ],
    ],
    [
      'not-null-scans',
      ['alter table t add check (a is not null and b > 0);', 'alter table t alter a set not null;'],
    ],
    [
      'not-null-scans',
      ['create table t (id bigint not null);', 'alter table t alter column id set not null;'],
    ],
    [
      'not-null-scans',
      [
        'create table t (id bigint not null); create unique index i on t (id);',
        'alter table t add primary key using index i;',
      ],
    ],
    [
      'constraint-dropped',
      [
        'alter table t add constraint c check (a is not null) not valid;',
        'alter table t validate constraint c;',
        'alter table t alter column a set not null; alter table t drop constraint c;',
      ],
    ],
  ])('F14 %s: %j', (code, ups) => {
    expect(judge(...ups).filter((line) => line.endsWith(`: ${code}`))).toEqual([]);
  });

  it('F14 a comment in an applied file that allows a rule of old is no mistake', () => {
    const codes = judge("-- lockstep: allow setting-stays: it is meant\nset lock_timeout = '1s';");
    expect(codes).toEqual(['1: down-missing']);
  });
});

describe('F14 what was missed is found', () => {
  it.each([
    [
      '1: not-null-scans',
      [
        'alter table t add check (b is not null) not valid; alter table t validate constraint t_b_check; alter table t alter a set not null;',
      ],
    ],
    [
      '2: not-null-scans',
      ['alter table t add check (a > 0) not valid;', 'alter table t alter column a set not null;'],
    ],
    [
      '1: not-null-scans',
      ['alter table t validate constraint other; alter table t alter column a set not null;'],
    ],
    [
      '2: not-null-scans',
      [
        'alter table t add constraint c check (a is not null) not valid;',
        'alter table t alter a set not null;',
      ],
    ],
    [
      '2: not-null-scans',
      [
        'create table t (a bigint); create unique index i on t (a);',
        'alter table t add constraint p primary key using index i;',
      ],
    ],
    [
      '3: not-null-scans',
      [
        'alter table t add constraint c check (a is not null);',
        'alter table t drop constraint c;',
        'alter table t alter column a set not null;',
      ],
    ],
    ['1: check-scans', ['alter table t add column c int check (c > 0);']],
    ['1: name-cut', [`create table ${'😀'.repeat(17)} (id bigint);`]],
    ['1: name-cut', [`create table "${'名'.repeat(22)}" (id bigint);`]],
    ['1: assigned-twice', ['insert into t (a, a) values (1, 2);']],
    ['1: assigned-twice', ['create table t (a int, a text);']],
    ['1: assigned-twice', ['insert into t (a) values (1) on conflict (a) do update set b = 1, b = 2;']],
    ['1: assigned-twice', ['merge into t using s on true when matched then update set a = 1, a = 2;']],
    [
      '1: assigned-twice',
      ['merge into t using s on true when not matched then insert (a, a) values (1, 2);'],
    ],
    ['1: assigned-twice', ['create view v (a, a) as select 1, 2;']],
    ['1: assigned-twice', ['create view v as select t.id, s.id from t, s;']],
    ['1: assigned-twice', ['create table c as select 1 as a, 2 as a;']],
    ['1: assigned-twice', ['alter table t add column a int, add column a text;']],
    ['1: assigned-twice', ['create table t (a int, primary key (a, a));']],
    ['1: assigned-twice', ['create type p as (a int, a int);']],
    ['1: assigned-twice', ['with x as (insert into t (a, a) values (1, 2) returning 1) select 1 from x;']],
    ['1: json-type', ['create table t (a json);']],
    ['1: json-type', ['alter table t add column a json;']],
    [
      '1: foreign-key-unindexed',
      ['create table a (id bigint primary key); create table b (a_id bigint references a (id));'],
    ],
    [
      '2: foreign-key-unindexed',
      ['create table b (x int);', 'alter table b add column a_id bigint references a (id);'],
    ],
    ['1: alters-apart', ['alter table t add column a int; alter table t add column b int;']],
    ['1: work-under-lock', ['alter table t add column a int; update t set a = 1 where b;']],
    ['1: work-under-lock', ['drop table o; insert into t select * from s;']],
    ['1: unique-may-fail', ['create unique index concurrently i on t (a);']],
    ['1: unique-may-fail', ['alter table t add unique (a);']],
    ['1: trigger-added', ['create trigger r before insert on t for each row execute function f();']],
    ['1: publication-dropped', ['drop publication p;']],
    ['1: publication-dropped', ['alter publication p drop table t;']],
    ['1: publication-dropped', ['drop subscription s;']],
    ['1: role-changed', ['set role reporting;']],
  ])('F14 %s: %j', (found, ups) => {
    expect(judge(...ups)).toContain(found);
  });

  it.each([
    ['assigned-twice', ['update t set a[1] = 1, a[2] = 2 where b;']],
    ['assigned-twice', ['create view v (a) as select 1, 2 as b;']],
    ['assigned-twice', ['create index i on t (a, a);']],
    ['assigned-twice', ['insert into t (a) values (1); insert into t (a) values (2);']],
    [
      'foreign-key-unindexed',
      ['create table b (a_id bigint references a (id));', 'create index concurrently i on b (a_id);'],
    ],
    ['foreign-key-unindexed', ['create table b (a_id bigint primary key references a (id));']],
    [
      'foreign-key-unindexed',
      ['create table b (x int, y int, unique (y, x), foreign key (x, y) references a (x, y));'],
    ],
    [
      'foreign-key-unindexed',
      ['create table b (a_id bigint references a (id));', 'alter table b drop column a_id;'],
    ],
    ['foreign-key-unindexed', ['alter table old add foreign key (a_id) references a (id);']],
    [
      'alters-apart',
      ['create table t (a int); alter table t add column b int; alter table t add column c int;'],
    ],
    ['alters-apart', ['alter table t add check (a > 0) not valid; alter table t validate constraint c;']],
    ['alters-apart', ['alter table t add column b int; alter table s add column c int;']],
    ['alters-apart', ['alter table t alter column a type text; alter table t drop column a;']],
    ['work-under-lock', ['alter table t add column a int; insert into t (a) values (1);']],
    ['work-under-lock', ['create table t (a int); alter table t add column b int; update t set b = 1;']],
    ['unique-may-fail', ['create table t (a int); create unique index i on t (a);']],
    ['unique-may-fail', ['delete from t a using t b where a.id > b.id; create unique index i on t (a);']],
    ['trigger-added', ['create table t (a int); create trigger r before insert on t execute function f();']],
    ['role-changed', ['reset role;']],
    ['role-changed', ['set role none;']],
  ])('F14 %s is not said of %j', (code, ups) => {
    expect(judge(...ups).filter((line) => line.endsWith(`: ${code}`))).toEqual([]);
  });

  it('F14 a name that is cut is a warning: Postgres only notices', () => {
    const { findings } = settle(
      judgeMigration(migrationOf(1, `create table ${'a'.repeat(64)} ();`, undefined), parse, new Facts()),
    );
    expect(findings.find(({ code }) => code === 'name-cut')?.severity).toBe('warning');
  });
});

describe('F14 a down file', () => {
  const f = (body: string) => `create function f() returns int language sql as $$select ${body}$$;`;
  const trigger = 'create trigger r before insert on a for each row execute function';
  it.each([
    ['the same function again', f('2'), `drop function f(); ${f('1')}`],
    ['the same trigger again', `${trigger} g();`, `drop trigger r on a; ${trigger} f();`],
    [
      'a primary key swapped, unnamed',
      'alter table t drop constraint t_pkey; alter table t add primary key (id, x);',
      'alter table t drop constraint t_pkey, add primary key (id);',
    ],
    [
      'a policy swapped by rename',
      'alter policy p on t rename to p_old; create policy p on t using (true); drop policy p_old on t;',
      'alter policy p on t rename to p_new; create policy p on t using (false); drop policy p_new on t;',
    ],
    [
      'a type swapped by rename',
      "alter type m rename to m_old; create type m as enum ('a'); drop type m_old;",
      "alter type m rename to m_new; create type m as enum ('b'); drop type m_new;",
    ],
    ['a type with another name', 'alter type m rename to n;', 'alter type n rename to m;'],
    [
      'a table swapped by rename',
      'create table t_new (id int); create index i on t_new (id); drop table t; alter table t_new rename to t;',
      'drop table t; create table t (id int);',
    ],
    [
      'a sequence that its dropped column owns',
      'alter table t add column n bigint; create sequence s owned by t.n;',
      'alter table t drop column n;',
    ],
    [
      'a sequence that is owned later',
      'create sequence s; create table t (n bigint); alter sequence s owned by t.n;',
      'drop table t;',
    ],
    [
      'the index of a partition, which goes with its parent',
      'create index i on p (a); create index c_i on c (a); alter index i attach partition c_i;',
      'drop index i;',
    ],
    [
      'a partition, which goes with its table',
      'create table p (a int) partition by list (a); create table c partition of p default;',
      'drop table p;',
    ],
    [
      'an index that is made and dropped with its table',
      'create table t (a int); create index i on t (a); drop table t;',
      'select 1;',
    ],
    [
      'the index of a materialized view',
      'create materialized view m as select 1 as a; create index i on m (a);',
      'drop materialized view m;',
    ],
  ])('F14 says nothing of %s', (_what, up, down) => {
    expect(undo(up, down)).toEqual([]);
  });

  it.each([
    [
      'alter table t add primary key (id);',
      'select 1;',
      ['the constraint t_pkey of t is left, which the up file makes'],
    ],
    [
      'alter type m rename to n;',
      'select 1;',
      [
        'the type n is left, which the up file makes',
        'the type m is not made again, which the up file drops',
      ],
    ],
    [
      'create sequence s owned by t.n;',
      'alter table t drop column other;',
      ['the sequence s is left, which the up file makes'],
    ],
  ])('F14 still says of %s | %s', (up, down, expected) => {
    expect(undo(up, down)).toEqual(expected);
  });
});
