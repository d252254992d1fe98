import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { type Files, setTable, steady } from './support.ts';

const files: Files = {
  '000001_orders.up.sql': [
    'create table orders (id bigint primary key, total int);',
    'create table events (at date not null, about bigint) partition by range (at);',
    'create table base (id int);',
    '',
  ].join('\n'),
  '000001_orders.down.sql': 'drop table base; drop table events; drop table orders;\n',
};
const next: Files = {
  '000002_note.up.sql': 'alter table orders add column note text;\n',
  '000002_note.down.sql': 'alter table orders drop column note;\n',
};

interface Server {
  readonly client: string | undefined;
  readonly superuserUrl: string;
}

/** At version 1, with 2 pending; `careful` and `conservative` run in staging, with backups where pg_dump is there. */
async function atOne(server: Server, more: Files = next) {
  const bench = await setTable(files, server);
  expect((await bench.migrate(['up'])).status).toBe(0);
  await bench.write(more);
  const environment = {
    MIGRATION_ENVIRONMENT: 'staging',
    MIGRATION_BACKUP_FOLDER: join(bench.folder, 'backups'),
    ...(server.client === undefined ? { MIGRATION_BACKUP: 'none' } : { MIGRATION_PG_BIN: server.client }),
  };
  const migrate = (args: readonly string[]) => bench.migrate(args, environment);
  return {
    bench,
    migrate,
    byDba: (sql: string) => bench.database.query(sql),
    byApp: (sql: string) => once(bench.database.ownerUrl, sql),
    up: (...more: string[]) => migrate(['up', '--yes', '--approach', 'careful', ...more]),
    conservative: (...more: string[]) =>
      migrate(['up', '--yes', '--approach', 'conservative', '--approval', 'prompt', ...more]),
  };
}

/** Runs a look-ahead, both strategies and verify; nothing fails, and each tells `said`. */
async function expectNoted(
  { bench, up, conservative, migrate }: Awaited<ReturnType<typeof atOne>>,
  said: readonly string[],
) {
  const before = await migrate(['verify']);
  expect({ status: before.status, stderr: before.stderr }).toEqual({ status: 0, stderr: '' });
  for (const line of said) expect(before.stdout.split('\n').slice(1)).toContain(`  ${line}`);
  const done = await up();
  expect(done.status, done.stderr).toBe(0);
  for (const line of said) expect(done.stderr).toContain(`pre-flight schema        note   ${line}\n`);
  expect(done.stdout).toMatch(/the schema equals what the files make at 2, apart from \d+ notes?/);
  await bench.write({
    '000003_more.up.sql': 'create table more ();\n',
    '000003_more.down.sql': 'drop table more;\n',
  });
  const again = await conservative();
  expect(again.status, again.stderr).toBe(0);
  const after = await migrate(['verify', '--strict']);
  expect({ status: after.status, stdout: after.stdout }).toEqual({ status: 6, stdout: '' });
}

describe.each(postgresServers())('on $name', (server) => {
  test('F3.1 an extension that a DBA creates is a note', async () => {
    const desk = await atOne(server);
    await desk.byDba('create extension pg_stat_statements');
    await expectNoted(desk, ['extension pg_stat_statements']);
  });

  test("F3.2 another team's schema is counted, also where the history has a schema of its own", async () => {
    const desk = await atOne(server);
    await desk.byDba(
      'create schema crm; create table crm.customers (id serial primary key); create view crm.all as select * from crm.customers; create table public.audit (id serial)',
    );
    await expectNoted(desk, [
      'table public.audit',
      'the schema crm, which the files do not touch: 3 objects',
    ]);
    if (server.client !== undefined) {
      const restored = await desk.migrate(['restore', 'latest', '--yes', '--environment', 'development']);
      expect(restored.status).toBe(3);
      const leftOut = ['the schema crm', 'the table public.audit', 'the sequence public.audit_id_seq'];
      const listed = JSON.parse((await desk.migrate(['backup', '--list', '--format', 'json'])).stdout);
      expect(listed.backups).toMatchObject([
        { kind: 'full', leftOut, verifiedAt: expect.stringMatching(/^20/) },
        { kind: 'incremental', leftOut },
      ]);
    }
    const own = await setTable({ '1_a.up.sql': 'create table mine.a ();\n' }, server);
    const at = ['--table', 'mine.schema_migrations'];
    expect((await own.migrate(['up', ...at])).status).toBe(0);
    await own.database.query('create schema crm; create table crm.b (); create table public.c ()');
    const { status, stdout } = await own.migrate(['verify', ...at]);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: [
        'shop is at 1, and its schema equals what the files make at 1, apart from:',
        '  the schema crm, which the files do not touch: 2 objects',
        '  the schema public, which the files do not touch: 1 object',
        '',
      ].join('\n'),
    });
  });

  test('F3.3 partitions and child tables that the app makes are notes, with all that belongs to them', async () => {
    const desk = await atOne(server, {
      ...next,
      '000002_note.up.sql': 'alter table orders add column note text;\ncreate index on events (about);\n',
      '000002_note.down.sql': 'alter table orders drop column note;\ndrop index events_about_idx;\n',
    });
    await desk.byApp(
      `create table events_1 partition of events for values from ('2020-01-01') to ('2021-01-01');
       create table events_rest partition of events default;
       alter table events_1 add constraint c check (about > 0);
       create index on events_1 (about, at);
       create table child (n serial) inherits (base);
       create table events_0 partition of events for values from ('2019-01-01') to ('2020-01-01');
       alter table events detach partition events_0`,
    );
    await expectNoted(desk, [
      'table public.events_1: a partition of public.events',
      'table public.events_rest: a partition of public.events',
      'table public.child: a child of public.base',
      'table public.events_0',
    ]);
    const { stdout } = await desk.migrate(['verify']);
    expect(stdout.split('\n')).toHaveLength(6);
  });

  test('F3.4 what is granted besides is a note; what the files grant must stay', async () => {
    const desk = await atOne(server);
    const reporter = `${desk.bench.database.name}_app`;
    await desk.byDba(
      `grant select on orders to pg_monitor; grant update (total) on orders to pg_read_all_data;
       grant usage on schema public to pg_monitor; comment on table orders is 'of the shop';
       alter table orders alter total set statistics 500; alter table events set (parallel_workers = 2)`.replace(
        '; alter table events set (parallel_workers = 2)',
        "; alter table orders set (autovacuum_enabled = 'off')",
      ),
    );
    await expectNoted(desk, [
      'table public.orders: SELECT to pg_monitor is granted',
      'table public.orders: comment',
      'table public.orders: option autovacuum_enabled=off',
      'column public.orders.total: UPDATE to pg_read_all_data is granted',
      'column public.orders.total: statistics',
    ]);
    await desk.byDba(`revoke insert on orders from "${reporter}"`);
    const revoked = await desk.migrate(['verify']);
    expect(revoked.status).toBe(6);
    expect(revoked.stderr).toMatch(/different: table public\.orders\n {4}privileges:/);
  });

  test('F3.4 default privileges that a DBA sets are for what is made after them', async () => {
    const desk = await atOne(server);
    await desk.byDba(
      `alter default privileges for role "${desk.bench.database.owner}" in schema public grant select on tables to pg_monitor`,
    );
    const done = await desk.up();
    expect(done.status, done.stderr).toBe(0);
    expect(done.stderr).toContain(
      'note   table public.orders: older than the default privileges: no SELECT to pg_monitor\n',
    );
    // What the files' own default privileges give: a part of it was taken away by hand.
    await desk.bench.write({
      '000003_rights.up.sql':
        'alter default privileges in schema public grant update on tables to pg_monitor;\ncreate table late ();\n',
    });
    expect((await desk.bench.migrate(['up'])).status).toBe(0);
    await desk.byApp('revoke update on late from pg_monitor');
    const { status, stderr } = await desk.migrate(['verify']);
    expect(status).toBe(6);
    expect(stderr).toMatch(/in 1 object\n {2}different: table public\.late\n {4}privileges:/);
  });

  test('F3.4 resolve and rollbacks judge by what a step changes, and what others hold stays out of it', async () => {
    const desk = await atOne(server, {
      ...next,
      '000003_index.up.sql': 'create index concurrently total on orders (total);\n',
      '000003_index.down.sql': 'drop index total;\n',
    });
    await desk.byDba(
      `create extension pg_stat_statements; create schema crm; create table crm.a (n int);
       create table public.audit (id serial); grant select on orders to pg_monitor;
       create function watch() returns event_trigger language plpgsql as 'begin end';
       create event trigger watch on ddl_command_end execute function watch();
       create publication theirs for all tables;
       alter default privileges in schema public grant select on tables to pg_monitor;
       alter table crm.a add constraint c check (n > 0) not valid`,
    );
    const done = await desk.conservative();
    expect(done.status, done.stderr).toBe(0);
    const environment = ['--approach', 'conservative', '--approval', 'prompt'];
    const down = await desk.migrate(['down', '2', '--yes', ...environment]);
    expect(down.status, down.stderr).toBe(0);
    expect(await desk.bench.value("select to_regclass('crm.a') is not null")).toBe(true);
    // A step outside a transaction that was interrupted, and whose table others have grants on.
    await desk.byApp('alter table orders add column note text');
    await desk.byApp(
      'update schema_migrations set version = 2, dirty = true; grant update (note) on orders to pg_monitor',
    );
    const resolved = await desk.bench.migrate(['resolve', '--yes']);
    expect(resolved.status, resolved.stderr).toBe(0);
    expect(await desk.bench.rows('select version, dirty from schema_migrations')).toEqual([['2', false]]);
  });

  test('F3.5 a view of others on what a pending file drops or changes is in the way', async () => {
    const desk = await atOne(server, {
      '000002_drop.up.sql': 'alter table orders drop column total, alter id type int;\ndrop table base;\n',
    });
    await desk.byDba(
      `create schema crm; create view crm.report as select total from orders; create view crm.ids as select id from orders;
       create view crm.based as select id from base; create view crm.about as select about from events;
       create table crm.a (o bigint references orders)`,
    );
    const { status, stderr } = await desk.up();
    expect(status).toBe(6);
    for (const [view, words] of [
      ['report', 'depends on public.orders.total, which a pending migration drops'],
      ['ids', 'depends on public.orders.id, whose type a pending migration changes'],
      ['based', 'depends on public.base.id, which a pending migration drops'],
    ]) {
      expect(stderr).toContain(`in the way: view crm.${view};   ${words}`);
    }
    expect(stderr).not.toContain('in the way: view crm.about');
    // Renaming takes views along.
    await desk.bench.write({ '000002_drop.up.sql': 'alter table orders rename total to amount;\n' });
    const renamed = await desk.up('--dry-run');
    expect(renamed.status, renamed.stderr).toBe(0);
    await desk.bench.write({ '000002_drop.up.sql': 'drop view if exists crm.based;\ndrop table base;\n' });
    await desk.byDba(
      `alter view crm.based owner to "${desk.bench.database.owner}"; grant usage on schema crm to public`,
    );
    const done = await desk.up('--backup', 'none');
    expect(done.status, done.stderr).toBe(0);
  });

  test('F3.5 what others left unfinished is theirs; an index or constraint of the files must be valid', async () => {
    const desk = await atOne(server);
    await desk.byApp(
      'create table theirs (n int); alter table theirs add constraint c check (n > 0) not valid',
    );
    const done = await desk.conservative();
    expect(done.status, done.stderr).toBe(0);
    await desk.bench.write({
      '000003_check.up.sql': 'alter table orders add constraint c check (total > 0) not valid;\n',
      '000003_check.down.sql': 'alter table orders drop constraint c;\n',
    });
    const open = await desk.conservative();
    expect(open.status).toBe(6);
    expect(open.stderr).toMatch(/the constraint public\.orders\.c is not validated/);
    expect(open.stderr).not.toMatch(/theirs\.c is not/);
  });

  test('F3.5 the ignore list passes over kinds and names, in the file, the environment and as a flag', async () => {
    const desk = await atOne(server);
    await desk.byDba('create extension pg_stat_statements; grant select on orders to pg_monitor');
    await desk.byApp(
      `create table events_1 partition of events for values from ('2020-01-01') to ('2021-01-01');
       create index total on orders (total); alter table base alter id type bigint; create table keep ()`,
    );
    const config = join(desk.bench.folder, 'migrate.yaml');
    await writeFile(
      config,
      [
        'strict: true',
        'ignore:',
        '  - extension pg_stat_statements',
        '  - table events_*',
        '  - grant * to pg_monitor',
        '  - index public.total',
        '  - column base.*',
        '',
      ].join('\n'),
    );
    const left = await desk.migrate(['verify', '--config', config]);
    expect({ status: left.status, stderr: left.stderr }).toEqual({
      status: 6,
      stderr: [
        'migrate: the schema of shop differs from what the files make at 1 in 1 object',
        '  unexpected: table public.keep',
        '  note: ignored by "column base.*": different column public.base.id',
        '  note: ignored by "extension pg_stat_statements": extension pg_stat_statements',
        '  note: ignored by "index public.total": index public.total',
        '  note: ignored by "table events_*": table public.events_1',
        '  note: ignored by "grant * to pg_monitor": table public.orders: SELECT to pg_monitor',
        '',
      ].join('\n'),
    });
    await desk.byApp('drop table keep');
    const done = await desk.up('--config', config, '--format', 'json');
    expect(done.status, done.stderr).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({ compliant: true, notes: 5 });
    const flags = ['--strict', '--ignore', 'extension *, table events_1,grant select on orders to pg_*'];
    const json = await desk.migrate(['verify', '--format', 'json', ...flags]);
    expect(json.status).toBe(6);
    expect(JSON.parse(json.stdout)).toMatchObject({
      compliant: false,
      differences: [
        { kind: 'different', type: 'column', name: 'public.base.id' },
        { kind: 'unexpected', type: 'index', name: 'public.total' },
      ],
      notes: [
        { reason: 'ignored', type: 'extension', pattern: 'extension *' },
        { reason: 'ignored', type: 'table', name: 'public.events_1', pattern: 'table events_1' },
        { reason: 'ignored', words: 'SELECT to pg_monitor', pattern: 'grant select on orders to pg_*' },
      ],
    });
    const wrong = await desk.migrate(['verify', '--ignore', 'tabel x, grant x, extension', '--strict']);
    expect({ status: wrong.status, stderr: wrong.stderr }).toEqual({
      status: 2,
      stderr: [
        'config: 3 settings are wrong',
        '  --ignore: unknown kind "tabel"; did you mean table?, got "tabel x" (from the command line)',
        '  --ignore: expected grant <name> to <role>, as in "grant * to reporter", got "grant x" (from the command line)',
        '  --ignore: expected a name after extension, as in "extension audit_*", got "extension" (from the command line)',
        '',
      ].join('\n'),
    });
  });

  test('F3.5 what the files make and is missing or otherwise fails, and so does what stands in the way', async () => {
    const desk = await atOne(server, {
      '000002_note.up.sql': [
        'create table taken (id int);',
        'create table if not exists same (id int);',
        'create table if not exists other (id int);',
        'create or replace view seen as select 1 as one;',
        'drop table if exists replaced; create table replaced ();',
        'create index total on orders (total);',
        'do $$ begin create type mood as enum (); exception when duplicate_object then null; end $$;',
        '',
      ].join('\n'),
    });
    const create =
      'create table taken (); create table same (id int); create table other (id text); create view seen as select 2 as one; create table replaced (n int)';
    await desk.byApp(`${create}; create table x (total int unique); create type mood as enum ()`);
    await desk.byApp(
      'alter table orders drop column total, add column must int not null, add column may int; drop table base; create schema total; create sequence total',
    );
    const { status, stderr } = await desk.migrate(['verify']);
    expect({ status, stderr: steady(stderr, desk.bench) }).toEqual({
      status: 6,
      stderr: [
        'migrate: the schema of shop differs from what the files make at 1 in 6 objects',
        '  in the way: column public.orders.must',
        '    is NOT NULL without a default: no row can be inserted that leaves it out',
        '  missing: column public.orders.total',
        '  in the way: sequence public.total',
        '    ‹folder›/000002_note.up.sql:6 makes an index of that name',
        '  missing: table public.base',
        '  in the way: table public.other',
        '    ‹folder›/000002_note.up.sql:3 leaves it, and makes another: different: column public.other.id type: expected integer, found text',
        '  in the way: table public.taken',
        '    ‹folder›/000002_note.up.sql:1 makes it too',
        '  note: column public.orders.may',
        '  note: table public.replaced',
        '  note: table public.same',
        '  note: table public.x',
        '  note: type public.mood',
        '  note: view public.seen',
        '  note: the schema total, which the files do not touch: 1 object',
        '',
      ].join('\n'),
    });
    const refused = await desk.up();
    expect(refused.status).toBe(6);
    expect(refused.stderr).toMatch(
      /schema: differs from what the files make at 1; in the way: column public.orders.must/,
    );
    expect(await desk.bench.value('select count(*)::int from schema_migrations_history')).toBe(1);
  });

  test('F3.5 a specification fails for what the files make and it does not know, and for nothing of others', async () => {
    const desk = await atOne(server);
    const path = join(desk.bench.folder, 'SPEC.md');
    await writeFile(path, `\`\`\`sql\n${files['000001_orders.up.sql']}\`\`\`\n`);
    await desk.byDba('create extension pg_stat_statements; create table public.theirs ()');
    const at = ['--specification', path];
    const good = await desk.migrate(['verify', ...at]);
    expect(steady(good.stdout, desk.bench)).toBe(
      [
        'shop is at 1, and its schema equals ‹folder›/SPEC.md and what the files make at 1, apart from:',
        '  extension pg_stat_statements',
        '  table public.theirs',
        '',
      ].join('\n'),
    );
    const late = await desk.up(...at);
    expect(late.status).toBe(6);
    expect(late.stderr).toMatch(
      /the steps are applied, and the schema of shop differs from .*SPEC.md\n {2}unexpected: column public.orders.note\n {2}note: extension pg_stat_statements\n/,
    );
  });
});
