import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderFailure } from '@lockstep/foundation';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadLayout, readMigrations } from '../load.ts';
import { readScripts } from '../load-scripts.ts';
import type { FileWarning } from './file-warning.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'folder-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

type Files = Readonly<Record<string, string>>;

function write(files: Files): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

/** What the command line prints when the folder is refused, the folder shown as `DIR`. */
async function refusal(files: Files, layout: 'versioned' | 'alphabetical' = 'versioned'): Promise<string> {
  write(files);
  try {
    await loadLayout(folder, layout, undefined, () => {});
  } catch (error) {
    return renderFailure('migrate', error).replaceAll(folder, 'DIR');
  }
  throw new Error('it loads');
}

/** The versions of a folder that is taken, and its warnings as `code name rule`. */
async function taken(files: Files, layout: 'versioned' | 'alphabetical' = 'versioned') {
  write(files);
  const { migrations, mistakes, warnings } =
    layout === 'versioned' ? await readMigrations(folder) : await readScripts(folder);
  expect(mistakes).toEqual([]);
  const show = ({ code, name, rule, place }: FileWarning) =>
    `${name}${place === undefined ? '' : `:${place.line}:${place.column}`} ${code}: ${rule}`;
  return { migrations, warnings: warnings.map(show) };
}

const fix = '  fix: one file for each direction, .up.sql and .down.sql; see docs/coming-from.md\n';

describe('F1.1 F1.2 F1.3 F1.4 F1.5 a file that holds both directions is refused', () => {
  const tools = [
    ['-- migrate:up', '-- migrate:down', 'dbmate'],
    ['-- +goose Up', '-- +goose Down', 'goose'],
    ['-- +migrate Up', '-- +migrate Down', 'sql-migrate'],
    ['-- Up Migration', '-- Down Migration', 'node-pg-migrate'],
  ] as const;

  test.each(tools)('%s … %s', async (up, down, tool) => {
    const text = `${up}\ncreate table t (id int);\n${down}\ndrop table t;\n`;
    const rule = `"${down}" of ${tool} begins the way down, which would run with the rest`;
    const shown = (path: string) => `migrate: DIR: 1 file is wrong\n  DIR/${path}:3:1  ${rule}\n${fix}`;
    expect(await refusal({ '1_a.up.sql': text })).toBe(shown('1_a.up.sql'));
    rmSync(join(folder, '1_a.up.sql'));
    expect(await refusal({ '1_a.sql': text }, 'alphabetical')).toBe(shown('1_a.sql'));
  });

  test.each(tools)('also as a down file, in whose way the up half would be: %s', async (up, down, tool) => {
    const text = `${down}\r\ndrop table t;\r\n\t${up}\r\ncreate table t (id int);\r\n`;
    expect(await refusal({ '1_a.up.sql': 'select 1', '1_a.down.sql': `\ufeff${text}` })).toContain(
      `  DIR/1_a.down.sql:3:2  "${up}" of ${tool} begins the way up, which would run with the rest\n`,
    );
  });

  test('by each of its files, with the advice once', async () => {
    const text = '--migrate:UP\nselect 1;\n\n  --  Migrate:Down\nselect 2;';
    expect(await refusal({ '1_a.up.sql': text, '2_b.up.sql': text })).toBe(
      `migrate: DIR: 2 files are wrong
  DIR/1_a.up.sql:4:3  "--  Migrate:Down" of dbmate begins the way down, which would run with the rest
  DIR/2_b.up.sql:4:3  "--  Migrate:Down" of dbmate begins the way down, which would run with the rest
${fix}`,
    );
  });

  test('where nothing ends the statement before the marker, and where the down half alone is there', async () => {
    expect(await refusal({ '1_a.up.sql': 'create table t ()\n-- +goose Down\ndrop table t' })).toContain(
      ':2:1',
    );
    expect(await refusal({ '1_a.up.sql': '-- +goose Down\ndrop table t' })).toContain(':1:1');
  });

  test('where people wrote headings of their own, if both are there and something follows the second', async () => {
    const text = '-- UP\ncreate table t ();\n-- DOWN\ndrop table t;';
    expect(await refusal({ '1_a.up.sql': text })).toContain(
      'DIR/1_a.up.sql:3:1  "-- DOWN" begins the way down, which would run with the rest\n',
    );
  });

  test('of a file with wrong SQL in it as well', async () => {
    const text = '-- migrate:up\ncommit;\n-- migrate:down\nselect 1';
    expect(await refusal({ '1_a.up.sql': text })).toContain('begins the way down');
  });
});

describe('F1.5 a script that is another one’s way down', () => {
  test('is refused in the layout alphabetical, where it would run on the way up', async () => {
    const files = ['1_a.sql', '1_a_down.sql', '2_b-up.sql', '2_b-UNDO.sql', '3_c.rollback.sql', 'U4__d.sql'];
    expect(await refusal(Object.fromEntries(files.map((name) => [name, 'select 1'])), 'alphabetical')).toBe(
      `migrate: DIR: 4 files are wrong
  DIR/1_a_down.sql  reads as a way down, which would run on the way up: that of 1_a.sql
  DIR/2_b-UNDO.sql  reads as a way down, which would run on the way up: that of 2_b-up.sql
  DIR/3_c.rollback.sql  reads as a way down, which would run on the way up
  DIR/U4__d.sql  reads as a way down, which would run on the way up: Flyway's undo
  fix: the layout alphabetical goes up only: keep ways down in another folder
`,
    );
  });

  test('is none by its words alone', async () => {
    const files = ['1_scale_down.sql', '2_rollback_of_orders.sql', '3_undo.sql', 'U.sql', 'Users2__x.sql'];
    const { migrations } = await taken(
      Object.fromEntries(files.map((name) => [name, 'select 1'])),
      'alphabetical',
    );
    expect(migrations).toHaveLength(5);
  });
});

describe('F1.5 a comment that is no marker of the other direction is no mistake', () => {
  test.each([
    ['in a string', "insert into t values ('\n-- migrate:down\n');"],
    ['in a dollar quote', 'do $$\nbegin\n-- +goose Down\nend $$;'],
    ['in a block comment', '/*\n-- +migrate Down\n*/\nselect 1;'],
    ['in prose', '-- undone by the down migration\nselect 1;'],
    ['as a heading that nothing follows', 'select 1;\n-- down\n-- drop table t;\n'],
  ])('%s', async (_, text) => {
    expect((await taken({ '1_a.up.sql': text })).warnings).toEqual([]);
  });

  test('a heading before statements is told, as it may be one', async () => {
    const { warnings } = await taken({
      '1_a.up.sql': 'select 1;\n-- rollback\nselect 2;',
      '2_b.up.sql': '-- Down migration: none needed\nselect 1;',
    });
    expect(warnings).toEqual([
      '1_a.up.sql:2:1 direction-heading: "-- rollback" reads as if the way down followed, and what follows runs',
      '2_b.up.sql:1:1 direction-heading: "-- Down migration: none needed" reads as if the way down followed, and what follows runs',
    ]);
  });
});

describe('F1.7 the other markers are understood or named', () => {
  test('a marker of the file’s own direction and of statements is odd, and nothing else', async () => {
    const { migrations, warnings } = await taken({
      '1_a.up.sql': '-- +goose Up\n-- +goose StatementBegin\nselect 1; select 2;\n-- +goose StatementEnd\n',
      '1_a.down.sql': '-- +goose Down\nselect 3;',
      '2_b.up.sql': '-- +goose Sideways\nselect 1;',
      '3_c.up.sql': '-- +goose NO TRANSACTION\nselect 1;',
      '4_d.up.sql': '-- +goose ENVSUB OFF\nselect 1;',
      '5_e.up.sql': '-- migrate:up transaction:false\nselect 1;',
    });
    expect(migrations.map(({ up }) => up.statements.length)).toEqual([2, 1, 1, 1, 1]);
    expect(warnings).toEqual([
      '1_a.down.sql:1:1 foreign-marker: "-- +goose Down" of goose does nothing here',
      '1_a.up.sql:1:1 foreign-marker: "-- +goose Up" of goose does nothing here',
      '2_b.up.sql:1:1 foreign-marker: "-- +goose Sideways" of goose is not known, and does nothing here',
      '4_d.up.sql:1:1 foreign-marker: "-- +goose ENVSUB OFF" of goose does nothing here',
    ]);
  });

  test('a file into which variables would be put is refused', async () => {
    const text = `-- +goose ENVSUB ON\ninsert into t values ('$${'{REGION}'}');`;
    expect(await refusal({ '1_a.up.sql': text })).toBe(
      `migrate: DIR: 1 file is wrong
  DIR/1_a.up.sql:1:1  "-- +goose ENVSUB ON" of goose puts in variables of the environment, which is not done here
  fix: write the values into the file, and take the marker out
`,
    );
  });
});

describe('F2.1 files without a statement', () => {
  test('are taken, and named where nothing says why', async () => {
    const { migrations, warnings } = await taken({
      '1_a.up.sql': '',
      '2_b.up.sql': '-- later\n',
      '3_c.up.sql': 'begin; commit;',
      '4_d.up.sql': 'select 1',
      '4_d.down.sql': '',
      '5_e.up.sql': 'select 1',
      '5_e.down.sql': '/* the rows stay */',
    });
    expect(migrations.map(({ up, down }) => [up.statements.length, down?.statements.length])).toEqual([
      [0, undefined],
      [0, undefined],
      [0, undefined],
      [1, 0],
      [1, 0],
    ]);
    const rule = 'empty-file: has no statement, and is recorded as applied all the same';
    expect(warnings).toEqual([
      `1_a.up.sql ${rule}`,
      `2_b.up.sql ${rule}`,
      `3_c.up.sql ${rule}`,
      '4_d.down.sql empty-file: has no statement and takes nothing back',
    ]);
  });
});

describe('F2.2 odd names', () => {
  test('are taken, and validate says what is odd', async () => {
    const { migrations, warnings } = await taken({
      '1_v6.0_x.up.sql': 'select 1',
      '1_v6.0_x.down.sql': 'select 1',
      '2_two words.up.sql': 'select 1',
      '3_f-o_ob+ar.up.sql': 'select 1',
      '4_.up.sql': 'select 1',
      '4_.down.sql': 'select 1',
      '5_x.sql.up.sql': 'select 1',
      '6_a\u00a0b\u200bc.up.sql': 'select 1',
      '7_a.down.up.sql': 'select 1',
      '8_größe.up.sql': 'select 1',
    });
    expect(
      migrations.map(({ description, down }) => `${description}${down === undefined ? '' : '*'}`),
    ).toEqual(['v6.0_x*', 'two words', 'f-o_ob+ar', '*', 'x.sql', 'a\u00a0b\u200bc', 'a.down', 'größe']);
    expect(warnings).toEqual([
      '1_v6.0_x.down.sql name-characters: its description holds ".", which shells and tools may not take',
      '1_v6.0_x.up.sql name-characters: its description holds ".", which shells and tools may not take',
      '2_two words.up.sql name-characters: its description holds " ", which shells and tools may not take',
      '3_f-o_ob+ar.up.sql name-characters: its description holds "+", which shells and tools may not take',
      '4_.down.sql name-characters: its name has no description, so listings show the version alone',
      '4_.up.sql name-characters: its name has no description, so listings show the version alone',
      '5_x.sql.up.sql name-characters: its description holds ".", which shells and tools may not take',
      '6_a\u00a0b\u200bc.up.sql name-characters: its name holds U+00A0 (no-break space) behind "6_a" and 1 more, which nobody sees',
      '7_a.down.up.sql name-characters: its description "a.down" ends like a direction, and the last one in the name counts',
      '8_größe.up.sql name-characters: its description holds "ö" "ß", which shells and tools may not take',
    ]);
  });

  test('are taken in an overlay as well', async () => {
    mkdirSync(join(folder, 'development'));
    write({ '1_a.up.sql': 'select 1', 'development/2_two words.up.sql': '', 'development/notes.sql': '' });
    const { migrations, mistakes, warnings } = await readMigrations(folder, { environment: 'development' });
    expect(mistakes).toEqual([]);
    expect(migrations).toMatchObject([{ version: 1n }, { description: 'two words', overlay: 'development' }]);
    expect(warnings.map(({ code }) => code)).toEqual(['empty-file', 'name-characters', 'passed-over']);
    write({
      'development/3_c.sql': 'select 1',
      'development/1_b.up.sql': '-- migrate:up\n-- migrate:down\n',
    });
    const mixed = await readMigrations(folder, { environment: 'development' });
    expect(mixed.mistakes.map(({ path, code }) => [path.slice(folder.length), code])).toEqual([
      ['/development/1_b.up.sql', 'both-directions'],
      ['/development/1_b.up.sql', undefined],
      ['/development/3_c.sql', undefined],
    ]);
  });

  test('the up and the down file are a pair by their version', async () => {
    const { migrations, warnings } = await taken({
      '000001_create.up.sql': 'select 1',
      '01_drop.down.sql': 'select 2',
    });
    expect(migrations).toMatchObject([
      { label: '000001', description: 'create', down: { name: '01_drop.down.sql' } },
    ]);
    expect(warnings).toEqual([
      '01_drop.down.sql pair-name: its up file is 000001_create.up.sql: the version makes them a pair, their names do not',
    ]);
  });
});

describe('F2.3 what is no migration', () => {
  test('is passed over with a warning, editor backups without one', async () => {
    const { migrations, warnings } = await taken({
      '1_a.up.sql': 'select 1',
      '1_a.sql': 'a copy',
      '2_b.down.sql': 'drop table gone;',
      '3_c.up.txt': 'select 1',
      'notes.sql': "it's no SQL",
      '1_a.up.sql~': '',
      '1_a.up.sql.bak': '',
      '.1_a.up.sql.swp': '',
      '#1_a.up.sql#': '',
      'README.md': '',
    });
    expect(migrations).toHaveLength(1);
    expect(warnings).toEqual([
      '1_a.sql passed-over: is passed over: version 1 is 1_a.up.sql',
      '2_b.down.sql down-without-up: version 2 has no up file, so this one is passed over',
      '3_c.up.txt passed-over: is passed over: golang-migrate takes any ending, here it is .sql',
      'notes.sql passed-over: is no migration by its name, and passed over',
    ]);
  });

  test('leaves no migration, and the folder says so', async () => {
    expect(await refusal({ 'notes.sql': '', '1_a.down.sql': 'select 1' })).toContain(
      'migrate: DIR: no migrations in this folder\n',
    );
  });
});

describe('F2.4 a folder of two layouts', () => {
  const mixed =
    'is named as in the layout alphabetical, between files of the layout versioned, and would not run';
  const advice =
    '  fix: one layout for all files, or what is no migration in a sub-folder; docs/coming-from.md has both layouts\n';

  test('is refused by the files that would never run', async () => {
    expect(
      await refusal({ '1_a.up.sql': 'select 1', '2_b.sql': 'select 2', '3_c_down.sql': 'select 3' }),
    ).toBe(
      `migrate: DIR: 2 files are wrong
  DIR/2_b.sql  ${mixed}; expected {version}_{description}.up.sql or .down.sql; did you mean 2_b.up.sql?
  DIR/3_c_down.sql  ${mixed}; expected {version}_{description}.up.sql or .down.sql; did you mean 3_c.down.sql?
${advice}`,
    );
  });

  test('is refused in the layout alphabetical as well', async () => {
    expect(await refusal({ '1_a.up.sql': 'select 1', '2_b.sql': 'select 2' }, 'alphabetical')).toContain(
      'DIR/1_a.up.sql  is named as in the layout versioned; in the layout alphabetical each .sql file stands alone\n',
    );
  });

  test('of plain files alone, or of another tool’s folders, says which layouts there are', async () => {
    mkdirSync(join(folder, '20260102030405_init'));
    writeFileSync(join(folder, '20260102030405_init/migration.sql'), 'select 1');
    const plain = ['1_a.sql', '2_b.sql', '3_c.sql', '4_d.sql'];
    expect(await refusal(Object.fromEntries(plain.map((name) => [name, 'select 1'])))).toBe(
      `migrate: DIR: no migrations in this folder
  expected files named {version}_{description}.up.sql, such as 000001_create_users.up.sql
  layout alphabetical (--layout alphabetical runs each whole, by name): 4 files: 1_a.sql, 2_b.sql, 3_c.sql and 1 more
  a folder for each migration, as Prisma Migrate has it: 1 folder: 20260102030405_init/migration.sql
  docs/coming-from.md says what to do with each
`,
    );
  });

  test('F1.1 of another tool’s files, says that they hold both directions', async () => {
    const text = '-- migrate:up\ncreate table t ();\n-- migrate:down\ndrop table t;\n';
    expect(await refusal({ '20260102030405_a.sql': text })).toBe(
      `migrate: DIR: no migrations in this folder
  expected files named {version}_{description}.up.sql, such as 000001_create_users.up.sql
  both directions in one file, as dbmate has it: 1 file: 20260102030405_a.sql
  docs/coming-from.md says what to do with each
`,
    );
  });
});

describe('F2.5 the order of names in the layout alphabetical', () => {
  test.each([
    [['V10__b.sql', 'V1__a.sql'], 'V10__b.sql runs before V1__a.sql'],
    [['1_a.sql', '10_b.sql', '2_c.sql', '3_d.sql'], '10_b.sql runs before 1_a.sql'],
    [['V1.10__a.sql', 'V1.2__b.sql'], 'V1.10__a.sql runs before V1.2__b.sql'],
    [['a10.sql', 'a9.sql', 'b10.sql', 'b2.sql'], 'a10.sql runs before a9.sql, and 1 more like it'],
  ])('%j is warned of', async (names, rule) => {
    const { warnings } = await taken(
      Object.fromEntries(names.map((name) => [name, 'select 1'])),
      'alphabetical',
    );
    expect(warnings.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      `number-order: ${rule}: the order is that of names, not of numbers`,
    ]);
  });

  test('is not where it is that of the numbers', async () => {
    const names = [
      '001_a.sql',
      '002_b.sql',
      '010_c.sql',
      '2_other.sql'.replace('2', '20'),
      'x1.sql',
      'y.sql',
    ];
    const { warnings } = await taken(
      Object.fromEntries(names.map((name) => [name, 'select 1'])),
      'alphabetical',
    );
    expect(warnings).toEqual([]);
  });

  test('F10.3 a name with what nobody sees is taken and named', async () => {
    const { warnings } = await taken({ '1_a\u200d.sql': 'select 1' }, 'alphabetical');
    expect(warnings).toEqual([
      '1_a\u200d.sql name-characters: its name holds U+200D (zero-width joiner) behind "1_a", which nobody sees',
    ]);
  });
});
