import type { History } from './generate.ts';

/** Each oddity by itself, so that a failure names it. */
export const handMade: readonly History[] = [
  {
    name: 'empty and comment-only files',
    files: {
      '1_a.up.sql': '',
      '1_a.down.sql': '',
      '2_b.up.sql': '-- later\n',
      '3_c.up.sql': '/* /* nested */ */ ; ;',
      '4_d.up.sql': 'create table d (id int);',
      '4_d.down.sql': '',
      '5_e.up.sql': ' \r\n\t',
    },
  },
  {
    name: 'odd names',
    files: {
      '1_v6.0_x.up.sql': 'create table a (id int);',
      '2_two words.up.sql': 'create table b (id int);',
      '3_f-o_ob+ar.up.sql': 'create table c (id int);',
      '4_a.b.up.sql': 'create table d (id int);',
      '5_.up.sql': 'create table e (id int);',
      '6_x.sql.up.sql': 'create table f (id int);',
      '0007_x.up.sql': 'create table g (id int);',
    },
  },
  {
    name: 'down files of other descriptions, paddings, and of no up file',
    files: {
      '1_make.up.sql': 'create table a (id int);',
      '1_drop.down.sql': 'drop table a;',
      '002_b.up.sql': 'create table b (id int);',
      '2_b.down.sql': 'drop table b;',
      '3_lone.down.sql': 'drop table c;',
    },
  },
  {
    name: 'files that are no migrations',
    files: { '1_a.up.sql': 'create table a (id int);' },
    others: {
      'notes.sql': 'drop table a;',
      'README.md': '# a',
      '1_a.up.sql~': 'drop table a;',
      '.2_b.up.sql.swp': 'x',
    },
  },
  {
    name: 'settings before a wrapped file',
    files: {
      '1_a.up.sql': "set lock_timeout = '2s'; begin; create table a (id int); commit;",
      '2_b.up.sql':
        "SET lock_timeout TO '2s';\nSET statement_timeout = 0;\nBEGIN;\nalter table a add b int;\nCOMMIT;\nRESET lock_timeout;",
    },
  },
  {
    name: 'two blocks and what is between them',
    files: {
      '1_a.up.sql':
        'begin; create table a (id int); commit; create table b (id int); begin; create table c (id int); commit;',
      '2_b.up.sql':
        'begin; alter table a add x int; commit;\n\nbegin; update a set x = 1; alter table a alter x set not null; commit;',
    },
  },
  {
    name: 'isolation levels',
    files: {
      '1_a.up.sql':
        'begin isolation level serializable; create table a (level text); insert into a values (current_setting($$transaction_isolation$$)); commit;',
      '2_b.up.sql':
        'start transaction isolation level repeatable read, not deferrable; insert into a values (current_setting($$transaction_isolation$$)); end;',
      '3_c.up.sql':
        'begin; set transaction isolation level serializable; insert into a values (current_setting($$transaction_isolation$$)); commit;',
    },
  },
  {
    name: 'a stray last COMMIT',
    files: {
      '1_a.up.sql': 'create table a (id int);\ncommit;\n',
      '2_b.up.sql': 'create table b (id int); END',
      '3_c.up.sql': 'create table c (id int); commit; commit;',
    },
  },
  {
    name: 'a BEGIN that is never ended',
    files: { '1_a.up.sql': 'begin;\ncreate table a (id int);\n', '2_b.up.sql': 'create table b (id int);' },
  },
  {
    name: 'what a file rolls back',
    files: {
      '1_a.up.sql': 'create table a (id int); rollback; create table b (id int);',
      '2_c.up.sql': 'begin; create table c (id int); abort;',
      '3_d.up.sql': 'rollback; create table d (id int);',
    },
  },
  {
    name: 'chains',
    files: {
      '1_a.up.sql':
        'begin isolation level serializable; create table a (level text); commit and chain; insert into a values (current_setting($$transaction_isolation$$)); rollback and chain; insert into a values (current_setting($$transaction_isolation$$)); commit;',
      '2_b.up.sql':
        'begin; create table b (id int); commit and chain; create table c (id int); commit and no chain;',
    },
  },
  {
    name: 'savepoints',
    files: {
      '1_a.up.sql':
        'begin; create table a (id int); savepoint s; create table b (id int); rollback to savepoint s; release s; commit;',
    },
  },
  {
    name: 'a value of an enum, used in the next transaction of its file',
    files: {
      '1_a.up.sql': "create type mood as enum ('sad');",
      '2_b.up.sql':
        "begin; alter type mood add value 'glad'; commit; begin; create table m (m mood default 'glad'); insert into m values (default), ('sad'); commit;",
      '3_c.up.sql':
        "alter type mood add value 'calm';\ncommit;\nalter table m add other mood default 'calm';",
    },
  },
  {
    name: 'DO bodies that end transactions',
    files: {
      '1_a.up.sql': 'create table a (id int);',
      '2_b.up.sql':
        'do $$ begin insert into a values (1); commit; insert into a values (2); rollback; insert into a values (3); end $$;',
      '3_c.up.sql': "do language plpgsql 'begin insert into a values (4); commit and chain; end'",
      '4_d.up.sql': "do $$ begin execute 'create table b (c text default $a$;commit;$a$)'; end $$;",
    },
  },
  {
    name: 'marked files',
    files: {
      '1_a.up.sql':
        'create table a (id int); create procedure p() language plpgsql as $$ begin insert into a values (1); commit; insert into a values (2); end $$;',
      '2_b.up.sql': '-- lockstep: no-transaction\ncall p();',
      '3_c.up.sql': '-- migrate:up transaction:false\nvacuum a;',
      '4_d.up.sql': '-- +goose NO TRANSACTION\n-- +goose Up\ncreate index concurrently d on a (id);',
      '5_e.up.sql': '-- +migrate Up notransaction\nalter table a add e int;',
    },
  },
  {
    name: 'what only runs alone',
    files: {
      '1_a.up.sql':
        'create table a (id int) partition by range (id); create index a_id on a (id); create table a1 partition of a for values from (0) to (9);',
      '2_b.up.sql': 'reindex table a;',
      '3_c.up.sql': 'REINDEX (VERBOSE) INDEX public.a_id',
      '4_d.up.sql': 'create index concurrently d on a1 (id);',
      '5_e.up.sql': 'alter table a detach partition a1 concurrently;',
      '6_f.up.sql': 'vacuum (analyze) a1',
    },
  },
  {
    name: 'read-only transactions',
    files: {
      '1_a.up.sql': 'begin read only; select 1; commit; create table a (id int);',
      '2_b.up.sql':
        'begin transaction read only; select count(*) from a; commit and chain; select 2; rollback;',
    },
  },
];
