import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { type Files, onTerminal, setTable, steady, until } from './support.ts';

const files: Files = {
  '000001_orders.up.sql':
    'create table orders (id bigint primary key, total int not null);\ncreate table notes (text text, about bigint references orders);\ncreate table apart (id int);\n',
  '000001_orders.down.sql': 'drop table apart;\ndrop table notes;\ndrop table orders;\n',
  '000002_paid.up.sql': 'alter table orders add column paid boolean not null default false;\n',
  '000002_paid.down.sql': '-- check: select count(*) = 3 from orders\nalter table orders drop column paid;\n',
};
const next: Files = {
  '000003_note.up.sql':
    'alter table notes add column at timestamptz;\n-- check: select count(*) = 2 from notes\n',
  '000003_note.down.sql': 'alter table notes drop column at;\n',
};
const careful = { MIGRATION_ENVIRONMENT: 'staging' };
const conservative = { MIGRATION_ENVIRONMENT: 'production' };
const columns = `select string_agg(table_name || '.' || column_name, ' ' order by table_name, ordinal_position)
  from information_schema.columns where table_schema = 'public' and table_name in ('orders', 'notes')`;

async function atTwo(server: { readonly client: string | undefined; readonly superuserUrl: string }) {
  const bench = await setTable(files, server);
  expect((await bench.migrate(['up'])).status).toBe(0);
  await once(
    bench.database.ownerUrl,
    `insert into orders select g, g from generate_series(1, 3) g; insert into notes values ('a', 1), ('b', 2); insert into apart values (1)`,
  );
  await bench.write(next);
  const environment = {
    MIGRATION_BACKUP_FOLDER: join(bench.folder, 'backups'),
    MIGRATION_PG_BIN: server.client,
  };
  const migrate = (args: readonly string[], more: NodeJS.ProcessEnv) =>
    bench.migrate(args, { ...environment, ...more });
  return { bench, migrate, environment };
}

// One server: seeds.test.ts goes through the same on each.
const able = postgresServers()
  .filter(({ client }) => client !== undefined)
  .slice(0, 1);

describe.each(able)('on $name', (server) => {
  test('careful: looks, asks, saves, applies and compares', async () => {
    const { bench, migrate, environment } = await atTwo(server);
    const alone = await migrate(['up'], careful);
    expect(alone.status).toBe(7);
    expect(steady(alone.stderr, bench)).toMatch(
      /pre-flight server +ok +Postgres .*\n.*pre-flight files +ok .*\n.*pre-flight history +ok +clean, 2 migrations recorded\n[\s\S]*pre-flight schema +ok +equals what the files make at 2\n[\s\S]*needs confirmation and there is no terminal: pass --yes\n {2}shop in staging, careful: 1 step, from 2 to 3 \(plan [0-9a-f]{12}\)\n/,
    );
    expect(await bench.value(columns)).not.toContain('notes.at');
    const asked = await onTerminal(bench, 'up', 'yes\n', { ...environment, ...careful });
    expect(asked.status, asked.shown).toBe(0);
    expect(steady(asked.shown, bench)).toMatch(
      /shop: 1 migration applied, from 2 to 3, ‹n› ms\n {2}the database before is in .*incremental.*\.dump\n {2}the schema equals what the files make at 3\n/,
    );
    expect(await bench.value(columns)).toContain('notes.at');
    const listed = JSON.parse((await migrate(['backup', '--list', '--format', 'json'], {})).stdout);
    expect(listed.backups).toMatchObject([{ kind: 'incremental', version: '2', tablesWithoutRows: 1 }]);
    expect((await migrate(['up'], careful)).stdout).toBe('shop is at 3, nothing to do\n');
  });

  test('conservative: runs the plan that was signed off, and nothing else', async () => {
    const { bench, migrate } = await atTwo(server);
    const none = await migrate(['up', '--yes'], conservative);
    expect(none.status).toBe(7);
    expect(none.stderr).toMatch(
      /the conservative strategy runs a plan that was signed off, and none was given/,
    );
    const file = join(bench.folder, 'plan.json');
    const planned = await migrate(['plan', '--out', file], conservative);
    expect(planned.status, planned.stderr).toBe(0);
    expect(planned.stderr).toMatch(/pre-flight rehearsal +ok +000003 note: up, down and up again/);
    const text = await readFile(file, 'utf8');

    await writeFile(file, text.replace('"to": "3"', '"to": "4"'));
    const tampered = await migrate(['up', '--approved', file], conservative);
    expect({ status: tampered.status, stderr: tampered.stderr }).toEqual({
      status: 7,
      stderr: expect.stringMatching(
        /the approved plan .* was changed\n {2}its digest is not that of what it says/,
      ),
    });
    await writeFile(file, text.slice(0, 100));
    expect(await migrate(['up', '--approved', file], conservative)).toMatchObject({ status: 2 });
    await writeFile(file, '{"format": 1}');
    expect((await migrate(['up', '--approved', file], conservative)).stderr).toMatch(
      /is no plan that migrate plan --out wrote/,
    );
    expect(await migrate(['up', '--approved', join(bench.folder, 'gone.json')], conservative)).toMatchObject({
      status: 2,
    });

    await writeFile(file, text);
    await bench.write({ '000003_note.up.sql': 'alter table notes add column at date;\n' });
    const edited = await migrate(['up', '--approved', file], conservative);
    expect({ status: edited.status, stderr: edited.stderr }).toEqual({
      status: 7,
      stderr: expect.stringMatching(
        /what would run is not what was approved\n {2}3 note \(up\) was edited after the approval\n {2}nothing was changed/,
      ),
    });
    await bench.write(next);
    const [[name = '', text3 = ''] = []] = Object.entries(next).filter(([each]) => each.endsWith('.up.sql'));
    await bench.write({ [name]: `-- lockstep: no-transaction\n${text3}` });
    expect((await migrate(['up', '--approved', file], conservative)).stderr).toContain(
      '\n  3 note (up) runs outside a transaction, as it did not when it was approved\n',
    );
    await bench.write(next);
    await bench.write({ '000004_more.up.sql': 'create table more ();\n' });
    expect((await migrate(['up', '--approved', file], conservative)).stderr).toMatch(
      /the steps: approved "3 up", now "3 up, 4 up"/,
    );
    await bench.remove('000004_more.up.sql');
    expect(await bench.value(columns)).not.toContain('notes.at');

    const done = await migrate(['up', '--approved', file, '--format', 'json'], conservative);
    expect(done.status, done.stderr).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({
      outcome: 'migrated',
      to: 3,
      compliant: true,
      backup: { verifiedAt: expect.stringMatching(/^20/) },
    });
    const late = await migrate(['up', '--approved', file], conservative);
    expect(late.stdout).toBe('shop is at 3, nothing to do\n');
  });

  test('a rollback is rehearsed, on the restored backup too, before anything is changed', async () => {
    const { bench, migrate } = await atTwo(server);
    await migrate(['up', '--yes'], careful);
    const plan = join(bench.folder, 'down.json');
    expect((await migrate(['plan', '--rollback', '1', '--out', plan], conservative)).status).toBe(0);
    const done = await migrate(
      ['--rollback-to-version=1', '--environment=production', '--approved', plan],
      {},
    );
    expect(done.status, done.stderr).toBe(0);
    expect(done.stderr).toMatch(
      /rehearsing the rollback of shop: down and up again in a scratch database\n[\s\S]*taking a full backup[\s\S]*rehearsing the rollback of shop on the restored backup, with its rows/,
    );
    expect(done.stdout).toMatch(
      /2 migrations taken back, from 3 to 1.*\n.*is in .*_full_.*\n.*equals what the files make at 1/,
    );
    expect(await bench.value(columns)).toBe('notes.text notes.about orders.id orders.total');
    expect((await migrate(['rollback', '2', '--yes'], careful)).stdout).toBe('shop is at 1, nothing to do\n');
  });

  test('a down file that leaves something, loses other rows, or fails a check: nothing is changed', async () => {
    const { bench, migrate } = await atTwo(server);
    await migrate(['up', '--yes'], careful);
    const refusal = async (sql: string, more: NodeJS.ProcessEnv = careful) => {
      await bench.write({ '000003_note.down.sql': sql });
      const { status, stderr } = await migrate(
        ['down', '--yes', '--validation', 'moderate', '--approval', 'none'],
        more,
      );
      expect(await bench.value('select count(*)::int from notes where at is null')).toBe(2);
      return { status, stderr };
    };
    const leaves = await refusal('select 1;');
    expect(leaves.status).toBe(6);
    expect(leaves.stderr).toMatch(
      /down to 2 leaves another schema than the files make there\n {2}unexpected: column public.notes.at/,
    );
    const loses = await refusal(
      "alter table notes drop column at;\ndo $$ begin execute 'delete from or' || 'ders where id = 3'; end $$;",
      conservative,
    );
    expect(loses.status).toBe(6);
    expect(loses.stderr).toMatch(/"public"."orders": 3 rows before, 2 after/);
    const unchecked = await refusal(
      '-- check: select count(*) = 5 from notes\nalter table notes drop column at;\n',
      conservative,
    );
    expect(unchecked.status).toBe(6);
    expect(unchecked.stderr).toMatch(
      /000003_note.down.sql:1 {2}the check does not hold: select count\(\*\) = 5 from notes/,
    );
    const broken = await refusal('alter table nots drop column at;\n');
    expect(broken.stderr).toMatch(/relation "nots" does not exist/);
  });

  test('an app that says it needs a later version is named, and keeps the schema', async () => {
    const { bench, migrate } = await atTwo(server);
    await migrate(['up', '--yes'], careful);
    const url = new URL(bench.database.appUrl);
    url.searchParams.set('application_name', 'shop-api needs 3');
    const connected = once(url.href, 'select pg_sleep(6)');
    await until(
      async () =>
        (await bench.value(
          `select count(*)::int from pg_stat_activity where application_name = 'shop-api needs 3'`,
        )) === 1,
    );
    const refused = await migrate(['down', '--yes'], careful);
    expect(refused.status).toBe(6);
    expect(refused.stderr).toMatch(
      /shop cannot go down to 2: 1 app would be left without the schema\n {2}shop-api needs 3, and has 1 connection open/,
    );
    await connected;
    expect((await migrate(['down', '--yes'], careful)).status).toBe(0);
  });

  test('the pre-flight list tells every failure at once', async () => {
    const { bench, migrate } = await atTwo(server);
    await bench.write({ '000001_orders.up.sql': 'create table orders (id bigint primary key);\n' });
    await once(bench.database.ownerUrl, 'create table stray ()');
    await bench.write({ '000004_ext.up.sql': 'create extension if not exists nonsense;\n' });
    await bench.database.query(`alter role "${bench.database.owner}" nocreatedb`);
    const { status, stderr } = await migrate(['up', '--yes'], {
      ...careful,
      MIGRATION_BACKUP_FOLDER: '/proc/nowhere',
    });
    expect(status).toBe(3);
    const failing = [...stderr.matchAll(/pre-flight (\w+) +FAILED/g)].map(([, name]) => name);
    expect(failing).toEqual(['history', 'extensions', 'backup', 'scratch']);
    expect(stderr).toMatch(
      /4 pre-flight checks of shop failed\n {2}history: edited: .*\n {2}extensions: not installed on the server: nonsense\n {2}backup: no backup can be written.*\n {2}scratch: .* may not make scratch databases/,
    );
  });

  test('out of order: the list says how to rename the file', async () => {
    const { bench, migrate } = await atTwo(server);
    await migrate(['up', '--yes'], careful);
    await bench.write({
      '000000_early.up.sql': 'create table early ();\n',
      '000000_early.down.sql': 'drop table early;\n',
    });
    const { status, stderr } = await migrate(['up', '--yes'], careful);
    expect(status).toBe(6);
    expect(steady(stderr, bench)).toContain(
      'is numbered below 3, which is applied; git mv ‹folder›/000000_early.up.sql ‹folder›/000004_early.up.sql && git mv ‹folder›/000000_early.down.sql ‹folder›/000004_early.down.sql',
    );
  });

  test('a schema somebody changed by hand fails before, one that the files do not describe after', async () => {
    const { bench, migrate } = await atTwo(server);
    await once(bench.database.ownerUrl, 'create index stray on orders (total)');
    const before = await migrate(['up', '--yes'], { ...careful, MIGRATION_STRICT: 'true' });
    expect(before.status).toBe(6);
    expect(before.stderr).toMatch(
      /schema: differs from what the files make at 2; unexpected: index public.stray/,
    );
    await once(bench.database.ownerUrl, 'drop index stray');
    const specification = join(bench.folder, 'SPEC.md');
    await writeFile(specification, '```sql\ncreate table orders (id bigint primary key);\n```\n');
    const after = await migrate(['up', '--yes'], { ...careful, MIGRATION_SPECIFICATION: specification });
    expect(after.status).toBe(6);
    expect(after.stderr).toMatch(/the steps are applied, and the schema of shop differs from .*SPEC.md/);
    expect(await bench.value(columns)).toContain('notes.at');
  });
});

test('--dry-run tells the plan with its risks and changes nothing', async () => {
  const bench = await setTable({
    '1_a.up.sql': 'create table a (x int);\n',
    '2_b.up.sql': 'alter table a drop column x;\n',
  });
  await bench.migrate(['up', '1']);
  const { status, stdout } = await bench.migrate(['up', '--dry-run']);
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: `shop is at 1; aggressive would: 1 step
  2  b  up  1 statement
  ! 2 b: high risk (52 points): run with --approach conservative
  ! 2 b: line 1: x of a is dropped: its values are gone, and the running version of the app may still read it
  ! 2 b: has no down file: it cannot be taken back
`,
  });
  expect(await bench.value('select count(*)::int from schema_migrations_history')).toBe(1);
});

test('--require-approval asks where the strategy would not', async () => {
  const bench = await setTable(files);
  expect(await bench.migrate(['up', '--require-approval'])).toMatchObject({ status: 7 });
  const typed = await onTerminal(bench, 'up --require-approval', 'no\n');
  expect(typed.status).toBe(7);
  expect(typed.shown).toMatch(/yes was not typed\n {2}nothing was changed/);
  expect((await bench.migrate(['up', '--require-approval', '--yes'])).status).toBe(0);
});
