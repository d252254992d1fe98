import { appendFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { postgresServers } from '../../test/support/postgres.ts';
import { setTable, type Workbench } from './support.ts';

const schema = {
  '1_a.up.sql': `create schema sales;
create table people (id bigint generated always as identity primary key, email text not null unique, name text, born date, extra json, changed integer not null default 0);
create function count_change() returns trigger language plpgsql as $$ begin new.changed := old.changed + 1; return new; end $$;
create trigger people_changed before update on people for each row execute function count_change();
create table sales.orders (code text primary key, person text not null references people (email), total numeric not null check (total >= 0));
create table unkeyed (a int);
`,
};

async function place(bench: Workbench, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(bench.folder, 'seeds', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

async function ready(
  files: Readonly<Record<string, string | Buffer>>,
  server?: Parameters<typeof setTable>[1],
): Promise<Workbench> {
  const bench = await setTable(schema, server);
  await place(bench, files);
  expect((await bench.migrate(['up'])).status).toBe(0);
  return bench;
}

const people = '\ufeffemail,name,born\r\n"a@x","Ann ""A"", the first",2001-02-03\r\nb@x,,\r\nc@x,"",\r\n';
const keys = '{ "people": ["email"] }';

test.each(postgresServers())(
  'rows come in once, however often, and only what differs is written, on $name',
  async (server) => {
    const bench = await ready(
      {
        'keys.json': keys,
        'common/10_people.csv': people,
        'development/20_sales.orders.json': JSON.stringify([
          { code: 'o1', person: 'a@x', total: 12.5 },
          { code: 'o2', person: 'b@x', total: 0 },
        ]),
        'development/30_more.sql':
          "insert into people (email, extra) values ('d@x', '{\"a\": 1}') on conflict do nothing;\n",
        'staging/10_people.csv': 'email\nnobody@x\n',
      },
      server,
    );
    const first = await bench.migrate(['seed']);
    expect(first.status, first.stderr).toBe(0);
    expect(first.stdout).toMatch(
      /^shop: 3 seed files loaded for development\n.*10_people.csv +3 inserted, 0 updated, 0 unchanged +\d+ ms\n.*20_sales.orders.json +2 inserted.*\n.*30_more.sql +SQL/,
    );
    // An unquoted empty field is null, a quoted one is empty.
    expect(
      await bench.rows("select email, name, born::text from people where email < 'd' order by email"),
    ).toEqual([
      ['a@x', 'Ann "A", the first', '2001-02-03'],
      ['b@x', null, null],
      ['c@x', '', null],
    ]);
    expect((await bench.migrate(['seed'])).stdout).toMatch(
      /0 inserted, 0 updated, 3 unchanged[\s\S]*0 inserted, 0 updated, 2 unchanged/,
    );
    expect(await bench.value('select sum(changed)::int from people')).toBe(0);
    await bench.database.query(
      "update people set name = 'other' where email = 'b@x'; delete from sales.orders where code = 'o2'",
    );
    const again = JSON.parse((await bench.migrate(['seed', '--format', 'json'])).stdout) as {
      files: object[];
    };
    expect(again.files).toMatchObject([
      { inserted: 0, updated: 1, unchanged: 2 },
      { inserted: 1, updated: 0, unchanged: 1 },
      { inserted: null },
    ]);
  },
);

test('given keys of an identity are kept, and the next one is free', async () => {
  const bench = await ready({ 'development/1_people.csv': 'id,email\n7,a@x\n41,b@x\n' });
  expect((await bench.migrate(['seed'])).status).toBe(0);
  await bench.database.query("insert into people (email) values ('c@x')");
  expect(await bench.rows('select id::int, email from people order by id')).toEqual([
    [7, 'a@x'],
    [41, 'b@x'],
    [42, 'c@x'],
  ]);
  expect((await bench.migrate(['seed'])).stdout).toMatch(/0 inserted, 0 updated, 2 unchanged/);
});

test('a column whose type knows no equality is compared as text', async () => {
  const json = (note: string) => JSON.stringify([{ email: 'a@x', extra: { note } }]);
  const bench = await ready({ 'keys.json': keys, 'development/1_people.json': json('one') });
  await bench.migrate(['seed']);
  expect((await bench.migrate(['seed'])).stdout).toMatch(/0 inserted, 0 updated, 1 unchanged/);
  await place(bench, { 'development/1_people.json': json('two') });
  expect((await bench.migrate(['seed'])).stdout).toMatch(/0 inserted, 1 updated, 0 unchanged/);
});

test('a dry run says what would change, and changes nothing', async () => {
  const bench = await ready({ 'keys.json': keys, 'development/1_people.csv': people });
  expect((await bench.migrate(['seed', '--dry-run'])).stdout).toMatch(
    /1 seed file would be loaded for development\n.*3 inserted/,
  );
  expect(await bench.value('select count(*)::int from people')).toBe(0);
});

test('production, an environment that is not set, and a database that is not at the files’ version are refused', async () => {
  const bench = await ready({ 'keys.json': keys, 'production/1_people.csv': people });
  const production = { MIGRATION_ENVIRONMENT: 'production' };
  expect(await bench.migrate(['seed'], production)).toMatchObject({
    status: 7,
    stderr: expect.stringContaining('production is not seeded'),
  });
  expect((await bench.migrate(['seed', '--allow-production'], production)).stdout).toMatch(/3 inserted/);
  expect(await bench.migrate(['seed'], { MIGRATION_ENVIRONMENT: '' })).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('none was stated'),
  });
  expect((await bench.migrate(['seed'])).stdout).toBe('shop: no seeds for development\n');
  await bench.write({ '2_b.up.sql': 'select 1;\n' });
  await place(bench, { 'development/1_people.csv': people });
  expect(await bench.migrate(['seed'])).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/not at the version of the files[\s\S]*make db-migrate-up SERVICE=shop/),
  });
  await bench.database.query('update schema_migrations set dirty = true');
  expect((await bench.migrate(['seed'])).status).toBe(5);
});

test.each([
  [
    '1_people.csv',
    'email,nmae\na@x,b\n',
    3,
    /1_people.csv, line 1: people has no column nmae; did you mean name\?/,
  ],
  ['1_people.csv', 'email,email\n', 3, /line 1: names the column email twice/],
  ['1_people.csv', 'email,\n', 3, /has a column without a name/],
  ['1_people.csv', 'email"x\n', 3, /has a quote where none can be/],
  ['1_people.csv', '', 3, /has a column without a name/],
  ['1_people.csv', 'email,name\na@x\n', 1, /line 2: missing data for column "name" \(22P04\)/],
  ['1_people.csv', 'email\na@x\nb@x,c\n', 1, /line 3: extra data after last expected column/],
  [
    '1_people.csv',
    'email,born\na@x,secret-word\n',
    1,
    /line 2, column born: invalid input syntax for type date/,
  ],
  ['1_people.csv', 'email\na@x\n"b@x\n', 1, /unterminated CSV quoted field/],
  ['1_people.csv', 'email\na@x\nb@x\na@x\n', 3, /rows 1 and 3 have the same email/],
  ['1_people.csv', Buffer.from([0x65, 0xff, 0x0a]), 3, /line 1: is not UTF-8/],
  [
    '1_people.csv',
    Buffer.concat([Buffer.from('email\n'), Buffer.from([0xff, 0x0a])]),
    1,
    /line 2.*invalid byte sequence|invalid byte sequence/,
  ],
  ['1_people.csv', 'email\na\0b\n', 3, /NUL byte/],
  ['1_people.csv', 'name\nx\n', 3, /keys.json knows a row of people by email, and the file has no email/],
  [
    '1_unkeyed.csv',
    'a\n1\n',
    3,
    /unkeyed cannot be known again: unkeyed has no primary key[\s\S]*seeds\/keys.json/,
  ],
  ['1_nothing.csv', 'a\n1\n', 3, /there is no table nothing/],
  ['1_people.json', '{}', 3, /expected a list of objects/],
  ['1_people.json', '[{"email":"a"},{"name":"b"}]', 3, /row 2: expected an object with the same columns/],
  ['1_people.json', '[{"email":', 3, /is no JSON/],
  [
    '1_sales.orders.csv',
    'code,person,total\no,nobody@x,1\n',
    1,
    /constraint orders_person_fkey of orders[\s\S]*in the order of their names/,
  ],
  ['1_sales.orders.csv', 'code,person,total\no,a@x,-1\n', 1, /orders_total_check/],
  ['people.csv', 'email\n', 3, /expected a name such as 10_users.csv/],
  ['1_a.b.c.csv', 'email\n', 3, /its name is that of no table/],
  ['1_x.sql', 'select 1;\ncommit;\nselect 2;\n', 3, /COMMIT/i],
  ['1_x.sql', 'vacuum;\n', 3, /VACUUM cannot run in the transaction of the seeds/],
  [
    '1_x.sql',
    "insert into people (email) values ('z@x');\nselect * form people;\n",
    1,
    /1_x.sql:2:10 {2}syntax error/,
  ],
] as const)('a file that is wrong changes nothing: %s %j', async (name, content, status, expected) => {
  const bench = await ready({
    'keys.json': keys,
    'common/0_people.csv': 'email\nbefore@x\n',
    [`development/${name}`]: content,
  });
  const ended = await bench.migrate(['seed']);
  expect(ended).toMatchObject({ status, stderr: expect.stringMatching(expected) });
  expect(ended.stderr).toContain('nothing was changed');
  expect(await bench.value('select count(*)::int from people')).toBe(0);
});

test('a file that leads out of the folder is refused', async () => {
  const bench = await ready({ 'development/x': '' });
  const outside = `${bench.folder}-outside.csv`;
  await writeFile(outside, 'email\na@x\n');
  await symlink(outside, join(bench.folder, 'seeds/development/1_people.csv'));
  await (await import('node:fs/promises')).rm(join(bench.folder, 'seeds/development/x'));
  expect(await bench.migrate(['seed'])).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('leads out of the folder of migrations'),
  });
  await (await import('node:fs/promises')).rm(outside);
});

test('a large file is streamed', async () => {
  const bench = await ready({ 'keys.json': keys, 'development/1_people.csv': 'email,name\n' });
  const path = join(bench.folder, 'seeds/development/1_people.csv');
  for (let part = 0; part < 20; part++) {
    await appendFile(
      path,
      Array.from({ length: 5000 }, (_, row) => `${part}-${row}@x,"${'n'.repeat(100)}\nsecond line"`)
        .join('\n')
        .concat('\n'),
    );
  }
  const ended = await bench.migrate(['seed']);
  expect(ended.status, ended.stderr).toBe(0);
  expect(ended.stdout).toMatch(/100000 inserted/);
});
