import { Client, escapeIdentifier } from 'pg';
import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { lockKey } from '../src/index.ts';
import { besides, setTable, steady, type Workbench } from './support.ts';

const original = { '1_users.up.sql': "create table users (name text); insert into users values ('admin');" };

/** Migrates, leaves a row that only this database has, and recreates once by an edit. */
async function editOnce(server: Parameters<typeof setTable>[1]): Promise<Workbench> {
  const bench = await setTable(original, server);
  await bench.migrate(['up']);
  await once(bench.database.ownerUrl, "insert into users values ('precious')");
  expect((await edit(bench, 1)).stdout).toMatch(/^shop was recreated/);
  return bench;
}

/** Each edit has its own checksum. */
async function edit(bench: Workbench, number: number) {
  await bench.write({ '1_users.up.sql': `${original['1_users.up.sql']} create table edit_${number} ();` });
  return bench.migrate(['up']);
}

async function kept(bench: Workbench): Promise<string[]> {
  return (await besides(bench)).map((rest) => bench.database.name + rest);
}

describe.each(postgresServers())('on $name', (server) => {
  test('two edits in a row keep the database that had the rows', async () => {
    const bench = await editOnce(server);
    const [first] = await kept(bench);
    for (const sql of ['analyze', 'vacuum freeze', 'delete from users']) {
      await once(bench.database.superuserUrl, sql);
    }
    const { status, stdout, stderr } = await edit(bench, 2);
    expect(steady(stderr, bench)).toContain(
      'nothing was changed in shopdb since it was recreated: shopdb__before_‹time› stays kept\ndropping shopdb__before_‹time›: shopdb__before_‹time› is kept now\n',
    );
    expect(stdout).toContain(`kept as ${String(first)}\n`);
    expect(status).toBe(0);
    expect(await kept(bench)).toEqual([first]);
    await bench.migrate(['undo']);
    expect(await bench.rows('select * from users')).toEqual([['admin'], ['precious']]);
    await bench.migrate(['undo']);
    expect(await bench.value("select to_regclass('edit_2') is not null")).toBe(true);
  });

  test.each([
    ["insert into users values ('new')"],
    ["update users set name = 'root'"],
    ['create table mine (id int)'],
    ['alter table users add column age int'],
    ["create function mine() returns int language sql as 'select 1'"],
    ['alter table users enable row level security, force row level security'],
    ['select lo_create(0)'],
    ["comment on table schema_migrations_history is 'recreated: 1 1 1'"],
  ])('after %s the newest is kept, and what is dropped is named', async (sql) => {
    const bench = await editOnce(server);
    const [first] = await kept(bench);
    await once(bench.database.ownerUrl, sql);
    const { stderr } = await edit(bench, 2);
    const [second, ...others] = await kept(bench);
    expect(others).toEqual([]);
    expect(second).not.toBe(first);
    expect(stderr).toContain(`dropping ${String(first)}: ${String(second)} is kept now\n`);
  });

  test('rows of a table that the migrator may not read count as somebody’s', async () => {
    const bench = await editOnce(server);
    const [first] = await kept(bench);
    const owner = escapeIdentifier(bench.database.owner);
    await once(bench.database.superuserUrl, `revoke select on users from ${owner}; analyze`);
    await edit(bench, 2);
    expect(await kept(bench)).not.toEqual([first]);
  });
});

test('services that share a database take turns at replacing it', async () => {
  const [server] = postgresServers();
  const bench = await editOnce(server);
  const { name, ownerUrl } = bench.database;
  const url = new URL(ownerUrl);
  url.pathname = '/postgres';
  const other = new Client({ connectionString: url.href });
  await other.connect();
  await other.query('select pg_advisory_lock($1)', [lockKey(name, '', '').toString()]);
  const refused = await bench.migrate(['recreate', '--timeout', '1500ms'], { MIGRATIONS_TABLE: 'others' });
  expect(refused.status).toBe(4);
  await other.end();
});
