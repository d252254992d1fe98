import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { besides, type Files, setTable, steady, type Workbench } from './support.ts';

const trunk: Files = {
  '20260101_users.up.sql': 'create table users (id int, name text);\n',
  '20260101_users.down.sql': 'drop table users;\n',
};
const branch: Files = {
  '20260105_ratings.up.sql': 'create table "Ratings" (id int);\nalter table users add column rating int;\n',
  '20260105_ratings.down.sql': 'alter table users drop column rating;\ndrop table "Ratings";\n',
  '20260106_index.up.sql': 'create index users_by_name on users (name);\n',
  '20260106_index.down.sql': 'drop index users_by_name;\n',
};

async function onBranch(
  server: { readonly superuserUrl: string },
  files: Files = branch,
): Promise<Workbench> {
  const bench = await setTable({ ...trunk, ...files }, server);
  expect((await bench.migrate(['up'])).status).toBe(0);
  await once(bench.database.ownerUrl, "insert into users (id, name) values (1, 'ada')");
  await bench.remove(...Object.keys(files));
  return bench;
}

const names = `select string_agg(relname, ' ' order by relname) from pg_class where relnamespace = 'public'::regnamespace and relname !~ 'schema_migrations'`;
const beside = async (bench: Workbench) => (await besides(bench)).length;

describe.each(postgresServers())('on $name', (server) => {
  test('another branch’s migrations are taken back by their stored down SQL, and the rows stay where they are', async () => {
    const bench = await onBranch(server);
    // The other branch has one between: out of order only because of what is gone.
    await bench.write({ '20260103_tags.up.sql': 'create table tags ();\n' });
    const { status, stdout, stderr } = await bench.migrate(['up']);
    expect(status, stderr).toBe(0);
    expect(steady(stdout, bench)).toBe(
      'shop: 2 migrations without a file taken back, 1 migration applied, from 20260106 to 20260103, ‹n› ms\n',
    );
    expect(steady(stderr, bench)).toContain(
      'taken back, as the file is gone and nothing was in it: 20260106 index, 20260105 ratings\n',
    );
    expect(await bench.value(names)).toBe('tags users');
    expect(await bench.value('select name from users')).toBe('ada');
    expect(await bench.rows('select version::text from schema_migrations')).toEqual([['20260103']]);
    expect(await beside(bench)).toBe(0);
    expect((await bench.migrate(['verify'])).status).toBe(0);
    // And back again.
    await bench.remove('20260103_tags.up.sql');
    await bench.write(branch);
    expect((await bench.migrate(['up'])).stdout).toMatch(/recreated/);
  });

  test.each([
    [
      'a table has rows',
      'insert into "Ratings" values (1)',
      /as that may delete something: .*"Ratings" has rows/,
    ],
    [
      'a column has values',
      'update users set rating = 5',
      /as that may delete something: .*users\.rating has values/,
    ],
    [
      'the history has no down SQL',
      'update schema_migrations_history set down_sql = null where version = 20260105',
      /20260105 ratings: it has no down SQL/,
    ],
    [
      'the down SQL does more than drop',
      "update schema_migrations_history set down_sql = 'delete from users' where version = 20260105",
      /20260105 ratings: DELETE FROM may change rows/,
    ],
    [
      'the down SQL fails',
      "update schema_migrations_history set down_sql = 'drop table nothing' where version = 20260106",
      /relation "nothing" does not exist/,
    ],
  ])(
    '%s: the database is recreated instead, which keeps it, and one line says why',
    async (_why, sql, words) => {
      const bench = await onBranch(server);
      await once(bench.database.ownerUrl, sql);
      const { status, stdout, stderr } = await bench.migrate(['up']);
      expect(status, stderr).toBe(0);
      expect(stderr).toMatch(words);
      expect(stdout).toMatch(/^shop was recreated/);
      expect(await beside(bench)).toBe(1);
      const undone = await bench.migrate(['undo']);
      expect(undone.status).toBe(0);
      expect(await bench.value('select name from users')).toBe('ada');
    },
  );

  test('careful and an environment that is not set take nothing back', async () => {
    const bench = await onBranch(server);
    for (const environment of [
      { MIGRATION_ENVIRONMENT: '' },
      { MIGRATION_APPROACH: 'careful', MIGRATION_APPROVAL: 'none', MIGRATION_BACKUP: 'none' },
    ]) {
      expect((await bench.migrate(['up'], environment)).status).toBe(6);
    }
    expect(await bench.value(names)).toBe('Ratings users users_by_name');
  });
});
