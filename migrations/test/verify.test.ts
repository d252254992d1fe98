import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { compareCatalogs, describeDifferences } from '../src/catalog/differences.ts';
import { fingerprintOf } from '../src/catalog/fingerprint.ts';
import { readCatalog } from '../src/catalog/read-catalog.ts';
import { operate } from '../src/operation.ts';
import { setTable, steady } from './support.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const files = {
  '000001_users.up.sql':
    'create table users (id bigint generated always as identity primary key, email text not null);\n',
  '000001_users.down.sql': 'drop table users;\n',
  '000002_index.up.sql': 'create index concurrently users_email on users (email);\n',
  '000002_index.down.sql': 'drop index users_email;\n',
};
const specification = [
  '# Users',
  '',
  '```sql',
  'create table users (',
  '  email text not null,',
  '  id bigint generated always as identity primary key',
  ');',
  '```',
  'Not this: ```drop table users;```',
  '~~~~SQL',
  'create index users_email on users (email);',
  '~~~~',
  '```text',
  'no sql at all;',
  '```',
  '',
].join('\r\n');
const scratches = (name: string) =>
  `select count(*)::int from pg_database where datname like '${name}\\_\\_scratch%'`;

describe.each(postgresServers())('on $name', (server) => {
  test('a schema that is what files and specification say verifies, and no scratch database stays', async () => {
    const bench = await setTable(files, server);
    const path = join(bench.folder, 'SPEC.md');
    await writeFile(path, specification);
    await bench.migrate(['up']);
    const { status, stdout, stderr } = await bench.migrate(['verify'], { MIGRATION_SPECIFICATION: path });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(steady(stdout, bench)).toBe(
      'shop is at 2, and its schema equals ‹folder›/SPEC.md and what the files make at 2\n',
    );
    expect(await bench.value(scratches(bench.database.name))).toBe(0);
  });

  test('every difference is named with what was expected and found, and nothing is changed', async () => {
    const bench = await setTable(files, server);
    await bench.migrate(['up']);
    await once(
      bench.database.ownerUrl,
      `alter table users alter email type varchar(100), add column "Age" int default 3 check ("Age" > 0);
       drop index users_email; create view grown as select id from users; comment on table users is 'people'`,
    );
    const { status, stdout, stderr } = await bench.migrate(['verify', '--strict']);
    expect({ status, stdout }).toEqual({ status: 6, stdout: '' });
    expect(steady(stderr, bench)).toBe(
      [
        'migrate: the schema of shop differs from what the files make at 2 in 6 objects',
        '  unexpected: column public.users."Age"',
        '  different: column public.users.email',
        '    type: expected text, found character varying(100)',
        '  unexpected: constraint public.users."users_Age_check"',
        '  missing: index public.users_email',
        '  different: table public.users',
        '    comment: expected none, found people',
        '  unexpected: view public.grown',
        '',
      ].join('\n'),
    );
    const json = await bench.migrate(['verify', '--strict', '--format', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      success: false,
      compliant: false,
      expectation: 'what the files make at 2',
      differences: [
        {},
        { kind: 'different', type: 'column', properties: [{ property: 'type', expected: 'text' }] },
        {},
        { kind: 'missing', type: 'index', name: 'public.users_email' },
        {},
        {},
      ],
      error: { code: 'not-compliant', exitStatus: 6 },
    });
    expect(await bench.value("select count(*)::int from pg_views where viewname = 'grown'")).toBe(1);
  });

  test('a down file that does not undo its up file is found, one that is missing is told', async () => {
    const bench = await setTable(
      { ...files, '000003_role.up.sql': 'alter table users add role text default $$x$$;' },
      server,
    );
    const good = await bench.migrate(['verify', '--rollbacks']);
    expect({ status: good.status, stdout: good.stdout }).toEqual({
      status: 0,
      stdout:
        'shop: 2 rollbacks proven: up, down and up again give the same schema\n  irreversible: 000003 role\n',
    });
    // The real database is not needed for it, and was not touched.
    expect(await bench.value("select to_regclass('users') is null")).toBe(true);
    await bench.write({
      '000003_role.down.sql': 'alter table users alter role drop default;',
      '000004_late.up.sql': 'create table late (id int);',
      '000004_late.down.sql': 'drop table lat;',
    });
    const bad = await bench.migrate(['verify', '--rollbacks']);
    expect(bad.status).toBe(6);
    expect(bad.stderr).toContain(
      ['migrate: 2 rollbacks of 4 are not proven', '  000003 role: failed']
        .join('\n')
        .replace('2 rollbacks of 4 are', '1 rollback of 3 is'),
    );
    await bench.write({
      '000003_role.up.sql': 'alter table users add column if not exists role text default $$x$$;',
    });
    const leaves = await bench.migrate(['verify', '--rollbacks']);
    expect(leaves.status).toBe(6);
    expect(leaves.stderr).toContain(
      '  000003 role: down leaves differences\n    unexpected: column public.users.role\n',
    );
    expect(leaves.stderr).toMatch(
      /000004 late: failed\n(.*\n)*.*000004_late\.down\.sql:1:12 {2}table "lat" does not exist/,
    );
    expect(await bench.value(scratches(bench.database.name))).toBe(0);
  });

  test('an object is the same in whatever order its parts were made, and each kind of change is seen', async () => {
    const bench = await setTable({ '1_all.up.sql': everything }, server);
    const up = await bench.migrate(['up']);
    expect(up.status, up.stderr).toBe(0);
    await operate(bench.settings(), {}, async (operation) => {
      const session = await operation.connect();
      const before = await readCatalog(session, undefined);
      const seen = async () =>
        describeDifferences(compareCatalogs(before, await readCatalog(session, undefined))).join('\n');
      for (const [change, back, said] of changes) {
        await once(bench.database.ownerUrl, change);
        expect(await seen(), change).toContain(said);
        await once(bench.database.ownerUrl, back);
        expect(await seen(), back).toBe('');
      }
      expect(fingerprintOf(await readCatalog(session, undefined))).toBe(fingerprintOf(before));
      await session.close();
    });
  });

  test('a role that may make no databases is told what to do', async () => {
    const bench = await setTable(files, server);
    await bench.migrate(['up']);
    await bench.database.query(`alter role "${bench.database.owner}" nocreatedb`);
    const { status, stderr } = await bench.migrate(['verify']);
    expect(status).toBe(3);
    expect(steady(stderr, bench)).toBe(
      [
        'migrate: no scratch database can be made beside shopdb',
        '  permission denied to create database (42501): the role shopdb_migrator needs CREATEDB',
        '  --scratch-url (MIGRATION_SCRATCH_URL) names another server for them',
        '',
      ].join('\n'),
    );
    const elsewhere = await bench.migrate(['verify'], { MIGRATION_SCRATCH_URL: server.superuserUrl });
    expect({ status: elsewhere.status, stderr: elsewhere.stderr }).toEqual({ status: 0, stderr: '' });
  });
});

test('a specification that is wrong is told with its place', async () => {
  const bench = await setTable(files);
  await bench.migrate(['up']);
  const path = join(bench.folder, 'SPEC.md');
  const told = async (text: string | Buffer) => {
    await writeFile(path, text);
    const { status, stderr } = await bench.migrate(['verify', '--specification', path]);
    expect(status).toBe(3);
    return steady(stderr, bench);
  };
  expect(await told('# x\n\n```sql\r\ncreate table a (b itn);\r\n```\n')).toBe(
    [
      'migrate: Postgres does not accept ‹folder›/SPEC.md',
      '  ‹folder›/SPEC.md:4:19  type "itn" does not exist (42704)',
      '    4 | create table a (b itn);',
      '      |                   ^',
      '',
    ].join('\n'),
  );
  expect(await told("```sql\nselect 'open;\n```\n")).toContain('‹folder›/SPEC.md:2:8  ');
  expect(await told('# nothing\n')).toContain('‹folder›/SPEC.md says nothing');
  expect(await told(Buffer.from('```sql\nselect 1\0;\n```'))).toContain('‹folder›/SPEC.md:2:9  ');
  await mkdir(join(bench.folder, 'folder'));
  const folder = await bench.migrate(['verify', '--specification', join(bench.folder, 'folder')]);
  expect(steady(folder.stderr, bench)).toBe('migrate: ‹folder›/folder is no file\n');
});

test.each([
  ['services-api', 'SERVICES-SCHEMA.md'],
  ['content-api', 'CONTENT-SCHEMA.md'],
])('the migrations of %s make what %s says, and each rollback is proven', async (service, file) => {
  const bench = await setTable({});
  const at = ['--path', join(root, service, 'migrations')];
  expect((await bench.migrate(['up', ...at])).status).toBe(0);
  const specified = await bench.migrate(['verify', ...at, '--specification', join(root, service, file)]);
  expect({ status: specified.status, stderr: specified.stderr }).toEqual({ status: 0, stderr: '' });
  const proven = await bench.migrate(['verify', '--rollbacks', ...at]);
  expect(proven.stdout).toMatch(/: 15 rollbacks proven/);
});

const everything = `
create schema side;
create type mood as enum ('sad', 'ok');
create domain short as text check (length(value) < 10);
create type pair as (a int, b text);
create table parent (id int primary key, at date not null, note text, m mood) ;
create table child (id int, parent int references parent, s short, unique (id, parent));
create table split (id int, at date not null) partition by range (at);
create table split_1 partition of split for values from ('2020-01-01') to ('2021-01-01');
create index child_s on child (lower(s)) where id > 3;
create view joined as select p.id, c.s from parent p join child c on c.parent = p.id;
create materialized view counted as select count(*) from parent;
create sequence side.numbers increment 5;
create function twice(i int) returns int language sql as 'select i * 2';
create function touched() returns trigger language plpgsql as 'begin return new; end';
create trigger child_touched before update on child for each row execute function touched();
create policy mine on child using (id > 0);
create statistics parent_stats on id, at from parent;
create rule quiet as on delete to parent do instead nothing;
`;

const changes: readonly (readonly [change: string, back: string, said: string])[] = [
  [
    'alter table child alter s set default $$x$$',
    'alter table child alter s drop default',
    'default: expected none',
  ],
  [
    'alter table child alter s set not null',
    'alter table child alter s drop not null',
    'nullable: expected none, found no',
  ],
  [
    'alter table parent drop column note',
    'alter table parent add note text',
    'missing: column public.parent.note',
  ],
  [
    'alter domain short add constraint long check (length(value) > 0) not valid',
    'alter domain short drop constraint long',
    'unexpected: constraint public.short.long',
  ],
  [
    'alter type pair add attribute c int',
    'alter type pair drop attribute c',
    'unexpected: column public.pair.c',
  ],
  [
    'alter table child add constraint c check (id > 0) not valid',
    'alter table child drop constraint c',
    'unexpected: constraint public.child.c',
  ],
  [
    'drop index child_s',
    'create index child_s on child (lower(s)) where id > 3',
    'missing: index public.child_s',
  ],
  [
    'create or replace view joined as select p.id, c.s from parent p left join child c on c.parent = p.id',
    'create or replace view joined as select p.id, c.s from parent p join child c on c.parent = p.id',
    'different: view public.joined',
  ],
  [
    'alter sequence side.numbers increment 6',
    'alter sequence side.numbers increment 5',
    'different: sequence side.numbers',
  ],
  [
    "create or replace function twice(i int) returns int language sql as 'select i * 3'",
    "create or replace function twice(i int) returns int language sql as 'select i * 2'",
    'different: function public.twice(i integer)',
  ],
  [
    'alter table child disable trigger child_touched',
    'alter table child enable trigger child_touched',
    'enabled: expected none, found no',
  ],
  [
    'alter policy mine on child using (id > 1)',
    'alter policy mine on child using (id > 0)',
    'using: expected (id > 0), found (id > 1)',
  ],
  [
    'alter table child enable row level security',
    'alter table child disable row level security',
    'row security: expected none, found enabled',
  ],
  [
    'alter table split detach partition split_1',
    "alter table split attach partition split_1 for values from ('2020-01-01') to ('2021-01-01')",
    'partition bound',
  ],
  [
    'drop statistics parent_stats',
    'create statistics parent_stats on id, at from parent',
    'missing: statistics public.parent_stats',
  ],
  [
    'drop rule quiet on parent',
    'create rule quiet as on delete to parent do instead nothing',
    'missing: rule public.parent.quiet',
  ],
  ['grant select on parent to public', 'revoke select on parent from public', 'privileges:'],
  [
    "comment on column child.s is 'said'",
    'comment on column child.s is null',
    'comment: expected none, found said',
  ],
  ['create schema more', 'drop schema more', 'unexpected: schema more'],
  [
    'alter table child set unlogged',
    'alter table child set logged',
    'persistence: expected none, found unlogged',
  ],
];
