import { Client, DatabaseError } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, postgresServers, type TestDatabase } from '../../test/support/postgres.ts';
import { suspectNames, suspectOffset } from '../src/suspect.ts';

// Postgres finds these mistakes after parsing, and then says what is wrong but not where.
describe.each(postgresServers())('an error of $name without a position', (server) => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase(server);
    client = new Client({ connectionString: database.ownerUrl });
    await client.connect();
    await client.query(`
      create table users (id int primary key, email text, age int);
      insert into users values (1, 'a', 1), (2, 'a', -1), (3, null, 3);
      create view adults as select * from users;
      create table orders (id int primary key, buyer int references users)`);
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  // The mark stands where the error must point, and nowhere when nothing is named.
  test.each([
    ['alter table users\n  add column name text,\n  drop column ‸emial', '42703'],
    ['alter table users alter column ‸email set not null', '23502'],
    ['alter table users add column ‸Age int', '42701'],
    ['alter table users add constraint ‸"é 😀" check (age > 0)', '23514'],
    ['alter table users drop constraint ‸users_email_check', '42704'],
    ['alter table ‸adults add constraint c check (true)', '42809'],
    ['alter table orders add foreign key (id) references ‸users (email)', '42830'],
    ['create unique index ‸users_email on users (email)', '23505'],
    ['create table ‸users (a int)', '42P07'],
    ['alter table ‸nowhere.users add column a int', '3F000'],
    ['drop table orders, public.‸nothing', '42P01'],
    ['grant select on users to ‸nobody_at_all', '42704'],
    ['insert into ‸orders values (1, 9)', '23503'],
    ['insert into ‸orders (buyer) values (1)', '23502'],
    ["insert into ‸users (id, email) values (4, 'age'), (1, 'users')", '23505'],
    ['do $$ begin\n  alter table users add column ‸email text;\nend $$', '42701'],
    ['update users set email = 1 / 0', '22012'],
    ["update users set age = (select 'email'::text)::int", '22P02'],
  ])('%s', async (text, code) => {
    const [before = '', after] = text.split('‸');
    const sql = text.replace('‸', '');
    await client.query('begin');
    const error: unknown = await client.query(sql).catch((thrown: unknown) => thrown);
    await client.query('rollback');
    if (!(error instanceof DatabaseError)) throw new Error(`the server accepted ${sql}`);
    expect([error.code, error.position]).toEqual([code, undefined]);
    expect(suspectOffset(sql, suspectNames(error))).toBe(after === undefined ? undefined : before.length);
  });
});
