import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { escapeIdentifier } from 'pg';
import { describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { migrateTo, recreateDatabase, undo } from '../src/index.ts';
import { seed } from '../src/seeds/seed.ts';
import { pick, type Random, seeded } from './random.ts';
import { besides, type Files, setTable, type Workbench } from './support.ts';

const notes =
  'create table notes (id int generated always as identity primary key, words text, touched int);\n';

/** Migrations that write where a person writes, each in another way. */
const writers: Readonly<Record<string, (number: number) => string>> = {
  update: (number) => `update notes set touched = ${number};`,
  rewrite: (number) => `alter table notes alter column touched type ${number % 2 === 0 ? 'int' : 'bigint'};`,
  rows: (number) => `create table t${number} (n int); insert into t${number} select generate_series(1, 50);`,
  guarded: (number) =>
    `do $$ begin create type k${number} as enum ('a'); insert into notes (words) values ('tool'); exception when duplicate_object then null; end $$;`,
  nested: (number) =>
    `do $$ begin for n in 1..3 loop begin insert into notes (words) values ('tool' || n); if n = 2 then raise 'no'; end if; exception when raise_exception then null; end; end loop; end $$; comment on table notes is '${number}';`,
  index: (number) => `create index concurrently notes_${number} on notes (words);`,
  view: (number) => `create or replace view shown as select id, words, ${number} as number from notes;`,
};

async function putSeeds({ folder }: Workbench): Promise<void> {
  await mkdir(join(folder, 'seeds', 'development'), { recursive: true });
  await writeFile(
    join(folder, 'seeds/development/10_notes.sql'),
    `insert into notes (words) select 'seed' where not exists (select from notes where words = 'seed');
     do $$ begin insert into notes (words) values ('seed too'); exception when unique_violation then null; end $$;`,
  );
}

/** Migrates, and has a person write a row. */
async function inhabit(server?: Parameters<typeof setTable>[1]): Promise<Workbench> {
  const bench = await setTable({ '1_notes.up.sql': notes, '9_edited.up.sql': 'select 0;' }, server);
  await migrateTo(bench.settings(), { kind: 'latest' });
  await write(bench, 'precious');
  return bench;
}

async function write({ database }: Workbench, words: string): Promise<void> {
  await once(database.ownerUrl, `insert into notes (words) values ('${words}')`);
}

let edits = 0;
async function edit(bench: Workbench) {
  edits += 1;
  await bench.write({ '9_edited.up.sql': `select ${edits};` });
  return migrateTo(bench.settings(), { kind: 'latest' });
}

async function words({ database }: Workbench, name = database.name): Promise<string[]> {
  const { rows } = await once(
    database.superuserUrl.replace(/\/[^/]*$/, `/${name}`),
    "select coalesce(string_agg(words, ' '), '') as words from notes",
  );
  return (rows as { words: string }[]).flatMap((row) => row.words.split(' '));
}

async function previous(bench: Workbench): Promise<string[]> {
  const found = await bench.rows(
    `select datname::text from pg_database where datname ~ ('^' || current_database() || '__before_') order by 1 desc`,
  );
  return found.flat().map(String);
}

describe.each(postgresServers())('on $name', (server) => {
  test.each(Object.keys(writers))(
    'F6.1 rows outlive two edits with a migration (%s) applied between them',
    async (kind) => {
      const bench = await inhabit(server);
      const [first] = [await edit(bench)].map(({ kept }) => kept);
      await bench.write({ '91_more.up.sql': writers[kind]?.(91) ?? '' });
      await migrateTo(bench.settings(), { kind: 'latest' });
      const again = await edit(bench);
      expect(again.outcome).toBe('recreated');
      expect(again.previous?.kept).toEqual([{ database: first, why: 'somebody changed it' }]);
      expect(again.previous?.dropped).toEqual([
        { database: expect.stringContaining('__before_'), why: 'only lockstep wrote in it' },
      ]);
      await undo(bench.settings());
      expect(await words(bench)).toContain('precious');
    },
  );

  test('F6.1 rows outlive edits with seeds, downs and undos between them', async () => {
    const bench = await inhabit(server);
    await putSeeds(bench);
    const settings = bench.settings();
    const first = (await edit(bench)).kept;
    await seed(settings, { allowProduction: false, dryRun: false });
    await seed(settings, { allowProduction: false, dryRun: false });
    expect((await edit(bench)).kept).toBe(first);
    await bench.write({
      '92_x.up.sql': 'create table x ();',
      '92_x.down.sql': 'drop table x; update notes set touched = 1;',
    });
    await migrateTo(settings, { kind: 'latest' });
    await migrateTo(settings, { kind: 'down', steps: 1 });
    expect((await edit(bench)).kept).toBe(first);
    await undo(settings);
    await undo(settings);
    expect((await edit(bench)).previous?.kept).toHaveLength(1);
    await undo(settings);
    expect(await words(bench)).toContain('precious');
  });

  test('F6.1 what a person wrote is seen though a migration of the tool rewrote it afterwards', async () => {
    const bench = await inhabit(server);
    await edit(bench);
    await write(bench, 'later');
    await bench.write({ '91_more.up.sql': writers['update']?.(1) ?? '' });
    await migrateTo(bench.settings(), { kind: 'latest' });
    await bench.write({ '92_more.up.sql': writers['rewrite']?.(1) ?? '' });
    await migrateTo(bench.settings(), { kind: 'latest' });
    await edit(bench);
    await edit(bench);
    await undo(bench.settings());
    expect(await words(bench)).toContain('later');
  });

  test('F6.1 two that hold somebody’s rows are both in reach: one brought back, and one changed after it', async () => {
    const bench = await inhabit(server);
    const settings = bench.settings();
    await edit(bench);
    await write(bench, 'later');
    await undo(settings);
    expect(await words(bench)).toContain('precious');
    const { previous: kept } = await edit(bench);
    expect(kept?.kept.map(({ why }) => why)).toEqual([
      'it was brought back, and holds what somebody wrote before',
      'somebody changed it',
    ]);
    for (let round = 0; round < 3; round++) expect((await edit(bench)).previous?.kept).toEqual(kept?.kept);
    const seen: string[] = [];
    for (let round = 0; round < 2; round++) {
      await undo(settings);
      seen.push(...(await words(bench)));
    }
    expect(seen).toEqual(expect.arrayContaining(['precious', 'later']));
    expect(await previous(bench)).toHaveLength(2);
  });

  test('F6.1 a copy or a dump of a database does not pass for one that lockstep alone wrote in', async () => {
    const bench = await inhabit(server);
    await edit(bench);
    const { name, owner, superuserUrl } = bench.database;
    // As somebody does who brings other rows: the marked database under the name is another one from now on.
    const elsewhere = superuserUrl.replace(/\/[^/]*$/, '/postgres');
    const [live, copy, role] = [name, `${name}__copy`, owner].map((one) => escapeIdentifier(one));
    await once(elsewhere, `create database ${copy} template ${live} owner ${role}`);
    await once(elsewhere, `drop database ${live} with (force)`);
    await once(elsewhere, `alter database ${copy} rename to ${live}`);
    const { previous: chosen } = await edit(bench);
    expect(chosen?.kept.map(({ why }) => why)).toEqual(['somebody changed it']);
    expect(chosen?.dropped.map(({ why }) => why)).toEqual(['others were changed later']);
  });
});

describe.each(postgresServers().filter(({ client }) => client !== undefined))('on $name', (server) => {
  test('F6.1 rows written before a restore outlive it and two edits, and so do those that were restored', async () => {
    const bench = await inhabit(server);
    const environment = {
      MIGRATION_BACKUP_FOLDER: join(bench.folder, 'backups'),
      MIGRATION_PG_BIN: server.client,
    };
    expect((await bench.migrate(['backup'], environment)).status).toBe(0);
    await write(bench, 'later');
    for (let round = 0; round < 2; round++) {
      expect((await bench.migrate(['restore', 'latest', '--yes'], environment)).status).toBe(0);
      expect(await words(bench)).toEqual(['precious']);
      await edit(bench);
      await edit(bench);
      expect(await previous(bench)).toHaveLength(2);
    }
    const seen: string[][] = [];
    for (let round = 0; round < 2; round++) {
      await undo(bench.settings());
      seen.push(await words(bench));
    }
    expect(seen).toEqual([['precious'], ['precious', 'later']]);
  });
});

const operations = [
  'write',
  'write',
  'edit',
  'edit',
  'add',
  'add',
  'branch',
  'seed',
  'recreate',
  'undo',
  'undo',
  'up',
  'killed',
  'killed',
] as const;

/**
 * One sequence of what people, lockstep and kill -9 do. Throws as soon as what a person wrote last is in no database that undo
 * reaches, or more are kept than the rule says.
 */
async function live(bench: Workbench, random: Random, length: number): Promise<void> {
  const settings = bench.settings();
  const done: string[] = [];
  let files: Files = { '1_notes.up.sql': notes };
  let aside: Files = {};
  let number = 1;
  let last = 'nothing';
  const put = async (next: Files) => {
    await bench.remove(...Object.keys(files).filter((name) => !(name in next)));
    await bench.write(next);
    files = next;
  };
  const up = () => migrateTo(settings, { kind: 'latest' });
  const newest = () => Object.keys(files).at(-1) ?? '';
  await putSeeds(bench);
  await put(files);
  await up();
  for (let step = 0; step < length; step++) {
    const operation = pick(random, operations);
    done.push(operation);
    number += 1;
    let outcome: string | undefined;
    switch (operation) {
      case 'write':
        last = `row${number}`;
        if (random() < 0.3)
          await once(
            bench.database.ownerUrl,
            `update notes set words = '${last}' where id = (select min(id) from notes)`,
          );
        if (!(await words(bench)).includes(last)) await write(bench, last);
        break;
      case 'edit':
        if (Object.keys(files).length < 2) break;
        await put({ ...files, [newest()]: `${writers['view']?.(number)}\n` });
        outcome = (await up()).outcome;
        break;
      case 'add': {
        const kind = pick(random, Object.keys(writers));
        done.push(kind);
        await put({ ...files, [`${number + 1}_${kind}.up.sql`]: writers[kind]?.(number) ?? '' });
        outcome = (await up()).outcome;
        break;
      }
      case 'branch': {
        const shared = Object.fromEntries(Object.entries(files).slice(0, 1 + Math.floor(random() * 3)));
        const before = files;
        await put(random() < 0.5 || Object.keys(aside).length === 0 ? shared : aside);
        aside = before;
        outcome = (await up()).outcome;
        break;
      }
      case 'seed':
        await up();
        await seed(settings, { allowProduction: false, dryRun: false });
        break;
      case 'recreate':
        outcome = (await recreateDatabase(settings)).outcome;
        break;
      case 'undo':
        if ((await previous(bench)).length > 0) await undo(settings);
        break;
      case 'up':
        outcome = (await up()).outcome;
        break;
      case 'killed': {
        const command = pick(random, ['recreate', 'up', 'undo', 'seed'] as const);
        done.push(command);
        if (command === 'up')
          await put({ ...files, [newest()]: `${files[newest()]}${writers['view']?.(number)}\n` });
        const { child, ended } = bench.begin([command]);
        await new Promise((resolve) => setTimeout(resolve, 100 + random() * 500));
        child.kill('SIGKILL');
        await ended;
        break;
      }
    }
    await hold(bench, last, outcome === 'recreated', done);
  }
  for (let tries = 0; last !== 'nothing' && !(await words(bench)).includes(last); tries++) {
    if (tries === 4) throw new Error(`${last} is not back after four undos: ${done.join(', ')}`);
    await undo(settings);
  }
}

/** What must be so after each operation. */
async function hold(
  bench: Workbench,
  last: string,
  recreated: boolean,
  done: readonly string[],
): Promise<void> {
  const names = await previous(bench);
  if (recreated && names.length > 2) throw new Error(`${names.length} are kept: ${done.join(', ')}`);
  if (last === 'nothing') return;
  for (const name of [bench.database.name, ...names]) if ((await words(bench, name)).includes(last)) return;
  throw new Error(`${last} is gone: ${done.join(', ')}`);
}

const seedsOfTest = (process.env['LOCKSTEP_KEEPING_SEEDS'] ?? '1,2,3,4,5').split(',').map(Number);
test.each(seedsOfTest)(
  'F6.1 what a person wrote last is live or comes back with undo, whatever lockstep and kill -9 did: seed %i',
  { timeout: 300_000 },
  async (number) => {
    const servers = postgresServers();
    const server = servers[number % servers.length];
    const bench = await setTable({}, server);
    try {
      await live(bench, seeded(number), 14);
    } catch (error) {
      throw new Error(`seed ${number} on ${server?.name}`, { cause: error });
    }
    await besides(bench);
  },
);
