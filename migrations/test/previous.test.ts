import { Client, escapeIdentifier } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { besides, type Files, setTable, steady, until, type Workbench } from './support.ts';

const files: Files = { '1_users.up.sql': 'create table users (name text);' };

/** Migrates, and leaves a row that only this database has. */
async function inhabit(server?: Parameters<typeof setTable>[1]): Promise<Workbench> {
  const bench = await setTable(files, server);
  expect((await bench.migrate(['up'])).status).toBe(0);
  await once(bench.database.ownerUrl, "insert into users values ('precious')");
  return bench;
}

/** Makes an empty database beside the bench's, of the same owner, and has `sql` done to it, named ‹db›. */
async function makeBeside(bench: Workbench, suffix: string, sql?: string): Promise<string> {
  const { name, owner, superuserUrl } = bench.database;
  const made = `${name}${suffix}`;
  await once(superuserUrl, `create database ${escapeIdentifier(made)} owner ${escapeIdentifier(owner)}`);
  if (sql !== undefined) await once(superuserUrl, sql.replaceAll('‹db›', made));
  return made;
}

/** What an interrupted DROP DATABASE leaves. */
const invalidate = "update pg_database set datconnlimit = -2 where datname = '‹db›'";
const close = 'alter database "‹db›" with allow_connections false';

function json(stdout: string): Record<string, unknown> {
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe.each(postgresServers())('on $name', (server) => {
  test('F6.2 undo passes over an invalid database and a closed one, and brings back the newest that is whole', async () => {
    const bench = await inhabit(server);
    await bench.migrate(['recreate']);
    await makeBeside(bench, '__before_20990101T000000', invalidate);
    const closed = await makeBeside(bench, '__before_20990101T000001', close);
    expect((await bench.migrate(['undo', '--dry-run'])).stdout).not.toContain('2099');
    expect((await bench.migrate(['undo'])).status).toBe(0);
    expect(await bench.rows('select * from users')).toEqual([['precious']]);
    expect((await bench.migrate(['undo'])).status).toBe(0);
    // Swept by the next recreate; what somebody closed by hand stays.
    const { status } = await bench.migrate(['recreate']);
    expect(status).toBe(0);
    const names = (await besides(bench)).map((rest) => bench.database.name + rest);
    expect(names).toContain(closed);
    expect(
      await bench.value(
        "select count(*)::int from pg_database where datconnlimit = -2 and datname like current_database() || '%'",
      ),
    ).toBe(0);
  });

  test('F6.2 undo with nothing but an invalid database says that none is kept', async () => {
    const bench = await inhabit(server);
    await makeBeside(bench, '__before_20200101T000000', invalidate);
    const { status, stderr } = await bench.migrate(['undo']);
    expect(steady(stderr, bench)).toContain('migrate: no earlier database of shopdb is kept\n');
    expect(status).toBe(3);
    expect(await bench.rows('select * from users')).toEqual([['precious']]);
  });

  test('F6.2 undo looks into a database before it gives it the name', async () => {
    const bench = await inhabit(server);
    await bench.migrate(['recreate']);
    const shut = await makeBeside(
      bench,
      '__before_20990101T000000',
      `revoke all on database "‹db›" from public, ${escapeIdentifier(bench.database.owner)}`,
    );
    const { status, stderr } = await bench.migrate(['undo']);
    expect(stderr).toContain(`warn: ${shut} is passed over: permission denied for database`);
    expect(status).toBe(0);
    expect(await bench.rows('select * from users')).toEqual([['precious']]);
  });

  test('F6.2 an invalid template or spare copy is dropped and not copied, and a leftover of a recreate goes', async () => {
    const slow = 'do $$ begin perform pg_sleep(1.1); end $$;';
    const bench = await setTable({ '1_users.up.sql': `create table users (name text); ${slow}` }, server);
    await bench.migrate(['up']);
    await bench.migrate(['recreate']);
    await besides(bench);
    const copies = `select count(*)::int from pg_database where datname ~ (current_database() || '__(template|spare)_')`;
    expect(await bench.value(copies)).toBe(2);
    await makeBeside(bench, '__new_20200101T000000', invalidate);
    await once(
      bench.database.superuserUrl,
      "update pg_database set datconnlimit = -2 where datname ~ (current_database() || '__(template|spare)_')",
    );
    const { status, stdout, stderr } = await bench.migrate(['recreate', '--format', 'json']);
    expect(stderr).not.toContain('invalid');
    expect(status).toBe(0);
    expect(json(stdout)).toMatchObject({ fromTemplate: 0 });
    await besides(bench);
    expect(
      await bench.value(
        "select count(*)::int from pg_database where datconnlimit = -2 and datname like current_database() || '%'",
      ),
    ).toBe(0);
  });

  test('F6.3 a previous database from the future costs no time, and what is replaced now is newer', async () => {
    const bench = await inhabit(server);
    await makeBeside(bench, '__before_20991231T235959');
    const { status, stdout } = await bench.migrate(['recreate', '--format', 'json', '--timeout', '20s']);
    expect(status).toBe(0);
    expect(json(stdout)['kept']).toBe(`${bench.database.name}__before_21000101T000000`);
    expect((await bench.migrate(['undo'])).status).toBe(0);
    expect(await bench.rows('select * from users')).toEqual([['precious']]);
  });

  test('F6.3 digits that are no time are no previous database', async () => {
    const bench = await inhabit(server);
    const odd = [
      await makeBeside(bench, '__before_99999999T999999'),
      await makeBeside(bench, '__before_99991231T235959'),
    ];
    expect((await bench.migrate(['recreate'])).status).toBe(0);
    expect((await bench.migrate(['recreate'])).status).toBe(0);
    const names = (await besides(bench)).map((rest) => bench.database.name + rest);
    expect(names).toEqual(expect.arrayContaining(odd));
    expect((await bench.migrate(['undo'])).status).toBe(0);
    expect(await bench.rows('select * from users')).toEqual([['precious']]);
  });

  test('F6.4 recreate, recreate, undo in one go brings back what holds the rows', async () => {
    const bench = await inhabit(server);
    for (const round of [1, 2, 3]) {
      expect((await bench.migrate(['recreate'])).status, `round ${round}`).toBe(0);
      const again = await bench.migrate(['recreate']);
      const undone = await bench.migrate(['undo']);
      expect([again.status, undone.status, undone.stderr], `round ${round}`).toEqual([0, 0, '']);
      expect(await bench.rows('select * from users'), `round ${round}`).toEqual([['precious']]);
    }
    expect((await besides(bench)).filter((rest) => rest.startsWith('__gone'))).toEqual([]);
  });

  test('F6.4 what is to be dropped is out of the reach of undo, though the server has not dropped it yet', async () => {
    const bench = await inhabit(server);
    await bench.migrate(['recreate']);
    // As a run leaves it that was killed before its drops were sent.
    await makeBeside(bench, '__gone_20990101T000000');
    expect((await bench.migrate(['undo'])).status).toBe(0);
    expect(await bench.rows('select * from users')).toEqual([['precious']]);
    expect((await bench.migrate(['recreate'])).status).toBe(0);
    expect((await besides(bench)).filter((rest) => rest.startsWith('__gone'))).toEqual([]);
  });

  test('F6.4 a previous database in which somebody is stays, and the result says so', async () => {
    const bench = await inhabit(server);
    await bench.migrate(['recreate']);
    await once(bench.database.ownerUrl, "insert into users values ('later')");
    const [first] = (await besides(bench)).map((rest) => bench.database.name + rest);
    const reader = new Client({ connectionString: bench.database.ownerUrl.replace(/\/[^/]*$/, `/${first}`) });
    reader.on('error', () => {});
    await reader.connect();
    onTestFinished(() => reader.end());
    const { stdout } = await bench.migrate(['recreate', '--format', 'json']);
    const { kept, previous, dropped } = json(stdout);
    expect(previous).toEqual([
      { database: kept, why: expect.any(String) },
      { database: first, why: 'somebody is in it' },
    ]);
    expect(dropped).toEqual([]);
    expect((await reader.query('select * from users')).rows).toEqual([{ name: 'precious' }]);
  });

  test('F6.5 a check that waits comes through recreates and undos', async () => {
    const bench = await inhabit(server);
    let over = false;
    const asking = (async () => {
      const ended: string[] = [];
      while (!over) {
        const { status, stderr } = await bench.migrate(['check', '--at-least', '1', '--timeout', '20s']);
        if (status !== 0) ended.push(stderr);
      }
      return ended;
    })();
    for (let round = 0; round < 3; round++) {
      expect((await bench.migrate(['recreate'])).status).toBe(0);
      expect((await bench.migrate(['undo'])).status).toBe(0);
    }
    over = true;
    expect(await asking).toEqual([]);
  });
});

test.each(['Shop "x"', "o'dd-name.%", 'ÄÖÜ 日本', 'n'.repeat(39)])(
  'F6.1 F6.2 F6.4 a database named %s is recreated, swept and undone',
  async (name) => {
    const bench = await setTable(files);
    const server = bench.database.superuserUrl.replace(/\/[^/]*$/, '/postgres');
    const beside = async () => {
      const { rows } = await once(server, 'select datname from pg_database where starts_with(datname, $1)', [
        name,
      ]);
      return (rows as { datname: string }[]).map(({ datname }) => datname);
    };
    const [quoted, owner] = [name, bench.database.owner].map((one) => escapeIdentifier(one));
    await once(server, `create database ${quoted} owner ${owner}`);
    const url = new URL(bench.database.ownerUrl);
    url.pathname = `/${encodeURIComponent(name)}`;
    const there = { DATABASE_CONNECTION_STRING: url.href };
    try {
      expect(await bench.migrate(['up'], there)).toMatchObject({ status: 0 });
      await once(url.href, "insert into users values ('precious')");
      expect(await bench.migrate(['recreate'], there)).toMatchObject({ status: 0 });
      expect(await bench.migrate(['recreate'], there)).toMatchObject({ status: 0 });
      expect(await bench.migrate(['undo'], there)).toMatchObject({ status: 0 });
      expect((await once(url.href, 'select * from users')).rows).toEqual([{ name: 'precious' }]);
      await until(async () => (await beside()).filter((one) => /__(before|gone)_/.test(one)).length === 1);
    } finally {
      for (const one of await beside())
        await once(server, `drop database if exists ${escapeIdentifier(one)} with (force)`);
    }
  },
);

test('F6.2 two services on one server: neither touches the other’s previous databases, nor one renamed by hand', async () => {
  const one = await inhabit();
  const { name, superuserUrl } = one.database;
  const other = await makeBeside(one, '__x');
  const url = new URL(one.database.ownerUrl);
  url.pathname = `/${other}`;
  const there = { DATABASE_CONNECTION_STRING: url.href };
  expect((await one.migrate(['up'], there)).status).toBe(0);
  await once(url.href, "insert into users values ('other')");
  expect((await one.migrate(['recreate'], there)).status).toBe(0);
  expect((await one.migrate(['recreate'])).status).toBe(0);
  const [kept] = (await besides(one)).filter((rest) => /^__before_/.test(rest));
  await once(
    superuserUrl.replace(/\/[^/]*$/, '/postgres'),
    `alter database "${name}${kept}" rename to "${name}__mine"`,
  );
  expect((await one.migrate(['recreate'])).status).toBe(0);
  expect((await one.migrate(['recreate'])).status).toBe(0);
  expect((await besides(one)).filter((rest) => /^__(mine|x__before)/.test(rest))).toHaveLength(2);
  expect((await one.migrate(['undo'], there)).status).toBe(0);
  expect((await once(url.href, 'select * from users')).rows).toEqual([{ name: 'other' }]);
});
