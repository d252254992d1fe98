import { describe, expect, test } from 'vitest';
import { markersOf } from './markers.ts';

const found = (text: string) =>
  markersOf(text).map(({ tool, kind, offset, certain }) => `${offset} ${tool} ${kind}${certain ? '' : '?'}`);

describe('F1.1 F1.2 F1.3 F1.4 F1.5 a marker of another migrator is found', () => {
  test.each([
    ['-- migrate:up', ['0 dbmate up']],
    ['--migrate:down', ['0 dbmate down']],
    ['--\tMIGRATE:Down  ', ['0 dbmate down']],
    ['   -- migrate : down', ['3 dbmate down']],
    ['--- migrate:down', ['0 dbmate down']],
    ['-- migrate:down drops the rows', ['0 dbmate down']],
    ['-- migrate:up transaction:false', ['0 dbmate up', '0 dbmate no transaction']],
    ['-- migrate:up transaction:true', ['0 dbmate up']],
    ['-- +goose Up', ['0 goose up']],
    ['--+goose down', ['0 goose down']],
    ['--  + GOOSE   DOWN', ['0 goose down']],
    ['-- goose down', ['0 goose down']],
    ['-- +goose NO TRANSACTION', ['0 goose no transaction']],
    ['-- +goose StatementBegin', ['0 goose statement begin']],
    ['-- +goose StatementEnd', ['0 goose statement end']],
    ['-- +goose ENVSUB ON', ['0 goose substitution on']],
    ['-- +goose ENVSUBST ON', ['0 goose substitution on']],
    ['-- +goose ENVSUB OFF', ['0 goose substitution off']],
    ['-- +goose Sideways', ['0 goose unknown']],
    ['-- +migrate Up', ['0 sql-migrate up']],
    ['-- +migrate Up notransaction', ['0 sql-migrate up', '0 sql-migrate no transaction']],
    ['-- +migrate Down', ['0 sql-migrate down']],
    ['-- +migrate StatementBegin', ['0 sql-migrate statement begin']],
    ['-- Up Migration', ['0 node-pg-migrate up']],
    ['-- DOWN   migration --', ['0 node-pg-migrate down']],
    ['-- --- down migration', ['0 node-pg-migrate down']],
    ['-- Down migration: see the other file', ['0 node-pg-migrate down?']],
    ['---- create above / drop below ----', ['0 tern down']],
    ['-- +micrate Down', ['0 micrate down']],
    ['-- rambler down', ['0 rambler down']],
    ['-- //@UNDO', ['0 MyBatis Migrations down']],
    ['# --- !Downs', ['2 Play down']],
    ['-- !Ups', ['0 Play up']],
    ['-- ==== DOWN ====', ['0 shmig down']],
    ['-- down', ['0 nobody down?']],
    ['-- *** ROLLBACK ***', ['0 nobody down?']],
    ['-- lockstep: no-transaction', ['0 lockstep no transaction']],
    ['-- no-transaction', ['0 sqlx no transaction']],
    ['--! no-transaction', ['0 graphile-migrate no transaction']],
    ['-- atlas:txmode none', ['0 Atlas no transaction']],
    ['\ufeff-- migrate:down', ['1 dbmate down']],
    ['--\u00a0migrate:down', ['0 dbmate down']],
    ['--\u200b migrate:down', ['0 dbmate down']],
    ['select 1;\r\n-- migrate:down\r\nselect 2;', ['11 dbmate down']],
    ['select 1;\r-- migrate:down\rselect 2;', ['10 dbmate down']],
    ['create table t (id int) -- migrate:down\n', ['24 dbmate down']],
    ['create table t (id int)\n-- migrate:down\ndrop table t', ['24 dbmate down']],
    ["select 'it''s';\n-- migrate:down\nselect 'open", ['16 dbmate down']],
    ['/* a /* b */ */ -- migrate:down\n/* open', ['16 dbmate down']],
  ])('%j', (text, expected) => {
    expect(found(text)).toEqual(expected);
  });
});

describe('F1.5 what only looks like a marker is none', () => {
  test.each([
    "select '\n-- migrate:down\n'",
    "select E'\\'\n-- migrate:down\n'",
    'select "\n-- +goose Down\n"',
    'do $$\n-- +goose Down\nbegin end $$',
    'do $a$\n$$ -- migrate:down\n$$ $a$',
    '/*\n-- migrate:down\n*/',
    '/* /* */\n-- +migrate Down\n*/',
    '-- the counterpart of migrate:down',
    '-- migrate down the rows of 2019',
    '-- migrates up',
    '-- +goosebumps Down',
    '-- upmigration',
    '-- sets up migration of users',
    '-- a down payment',
    'select 1; -- up to here',
    'select 1\n-- no-transaction',
  ])('%j', (text) => {
    expect(found(text)).toEqual([]);
  });

  test('a large text of prose is read in proportion', () => {
    const text = "-- set up\ninsert into t values ('-- migrate:down');\n".repeat(10_000);
    const before = process.cpuUsage();
    expect(found(text)).toEqual([]);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
  });
});

test('F1.5 a marker says whether a statement follows it', () => {
  expect(markersOf('-- migrate:up\nselect 1;\n-- migrate:down\n-- none\n').map(({ last }) => last)).toEqual([
    false,
    true,
  ]);
  expect(markersOf('select 1\n-- migrate:down\n;').map(({ last }) => last)).toEqual([false]);
});
