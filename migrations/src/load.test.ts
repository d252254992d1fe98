import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderFailure } from '@lockstep/foundation';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadMigrations } from './load.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'migrations-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, contents] of Object.entries(files)) writeFileSync(join(folder, name), contents);
}

/** What the command line prints when loading fails, the folder shown as `DIR`; and the exit status. */
async function failure(path = folder): Promise<{ text: string; exitStatus: number }> {
  try {
    await loadMigrations(path);
  } catch (error) {
    const text = renderFailure('migrate', error).replaceAll(folder, 'DIR');
    return { text, exitStatus: (error as { exitStatus: number }).exitStatus };
  }
  throw new Error('it loads');
}

/** The evidence about a folder that has a right migration and `files`. */
async function mistakes(files: Readonly<Record<string, string | Buffer>>): Promise<string[]> {
  write({ '000001_right.up.sql': 'select 1', ...files });
  const { text, exitStatus } = await failure();
  expect(exitStatus).toBe(3);
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
}

describe('a right folder', () => {
  test('is read ascending by version, whatever the padding', async () => {
    write({
      '10_ten.up.sql': 'select 10',
      '000002_two-b.up.sql': 'select 2;\nselect 3;',
      '000002_two-b.down.sql': 'select -2',
      '20240131120000_Stamp.up.sql': 'select 4',
      '0_zero.up.sql': 'select 0',
    });
    const migrations = await loadMigrations(folder);
    expect(
      migrations.map(({ version, label, description, down }) => [version, label, description, down?.name]),
    ).toEqual([
      [0n, '0', 'zero', undefined],
      [2n, '000002', 'two-b', '000002_two-b.down.sql'],
      [10n, '10', 'ten', undefined],
      [20240131120000n, '20240131120000', 'Stamp', undefined],
    ]);
    expect(migrations[1]?.up).toEqual({
      path: join(folder, '000002_two-b.up.sql'),
      name: '000002_two-b.up.sql',
      text: 'select 2;\nselect 3;',
      statements: [
        { text: 'select 2', offset: 0, outsideTransaction: undefined },
        { text: 'select 3', offset: 10, outsideTransaction: undefined },
      ],
      checksum: createHash('sha256').update('select\x002\0;\0select\x003\0;\0').digest('hex'),
    });
  });

  test('may hold what is no migration', async () => {
    mkdirSync(join(folder, 'development'));
    mkdirSync(join(folder, '000009_folder.up.sql'));
    write({
      '1_a.up.sql': 'select 1',
      'README.md': '',
      'dependencies.json': '{}',
      '.1_a.up.sql.swp': '',
      '._1_a.up.sql': '\0',
      '1_a.up.sql~': '',
    });
    expect(await loadMigrations(folder)).toHaveLength(1);
  });

  test('keeps line endings and drops a byte order mark', async () => {
    write({ '1_a.up.sql': '\ufeffselect 1;\r\n' });
    const [migration] = await loadMigrations(folder);
    expect(migration?.up).toMatchObject({
      text: 'select 1;\r\n',
      statements: [{ text: 'select 1', offset: 0 }],
    });
  });

  test('shows paths relative to the working directory when under it', async () => {
    const local = mkdtempSync('load-test-');
    try {
      writeFileSync(join(local, '1_a.up.sql'), 'select 1');
      const [migration] = await loadMigrations(join(process.cwd(), local));
      expect(migration?.up.path).toBe(`${local}/1_a.up.sql`);
    } finally {
      rmSync(local, { recursive: true });
    }
  });

  test('may be a mount of links that stay inside, and a link itself', async () => {
    mkdirSync(join(folder, '..data'));
    write({ '..data/1_a.up.sql': 'select 1' });
    symlinkSync('..data/1_a.up.sql', join(folder, '1_a.up.sql'));
    const link = `${folder}-link`;
    symlinkSync(folder, link);
    try {
      expect(await loadMigrations(link)).toHaveLength(1);
    } finally {
      rmSync(link);
    }
  });

  test('a down file of comments says that there is nothing to take back', async () => {
    write({ '1_a.up.sql': 'select 1', '1_a.down.sql': '-- the rows stay' });
    const [migration] = await loadMigrations(folder);
    expect(migration?.down?.statements).toEqual([]);
  });
});

describe('a folder that cannot be listed', () => {
  test.each([
    ['that does not exist', () => join(folder, 'none'), 'does not exist', 'DIR/none'],
    ['that is a file', () => join(folder, '1_a.up.sql'), 'is not a folder', 'DIR/1_a.up.sql'],
    ['with a NUL byte', () => '/tmp/a\0b', 'cannot be read (ERR_INVALID_ARG_VALUE)', '/tmp/a·b'],
  ])('%s is a mistake of configuration', async (_, path, reason, shown) => {
    write({ '1_a.up.sql': 'select 1' });
    expect(await failure(path())).toEqual({
      exitStatus: 2,
      text: `migrate: the folder of migrations ${shown} ${reason}
  MIGRATIONS_PATH (or --path) names the folder that holds {version}_{description}.up.sql files
`,
    });
  });

  test('without a migration is a mistake of its contents', async () => {
    write({ 'README.md': '' });
    expect(await failure()).toEqual({
      exitStatus: 3,
      text: `migrate: DIR: no migrations in this folder
  expected files named {version}_{description}.up.sql, such as 000001_create_users.up.sql
`,
    });
  });
});

describe('mistakes', () => {
  test('are reported all at once, each with its file, its place and the rule', async () => {
    write({
      '000001_a.up.sql': "select 1;\r\nselect 'é😀', 'open;\r\n",
      '000002_b.up.sql': '\\connect other\ndiscard all;\n',
      '000003_c.dwon.sql': 'select 1',
      'readme.up.sql': 'select 1',
    });
    expect(await failure()).toEqual({
      exitStatus: 3,
      text: `migrate: DIR: 4 files are wrong
  DIR/000001_a.up.sql:2:14  the quoted string is never closed
  DIR/000002_b.up.sql:1:1  psql meta-commands do not run on a server
  DIR/000002_b.up.sql:2:1  DISCARD ALL is not allowed here: it would let go of the migration lock
  DIR/000003_c.dwon.sql  expected {version}_{description}.up.sql or .down.sql; did you mean 000003_c.down.sql?
  DIR/readme.up.sql  expected {version}_{description}.up.sql or .down.sql; the version is missing
`,
    });
  });

  test('of one file are counted as one file', async () => {
    write({ '1_a.up.sql': '\\d' });
    expect((await failure()).text).toBe(`migrate: DIR: 1 file is wrong
  DIR/1_a.up.sql:1:1  psql meta-commands do not run on a server
`);
  });

  test('of a file without end are listed up to the twentieth', async () => {
    const lines = await mistakes({ '2_a.up.sql': '\\d\n'.repeat(100) });
    expect(lines).toHaveLength(21);
    expect(lines.at(-2)).toBe('DIR/2_a.up.sql:20:1  psql meta-commands do not run on a server');
    expect(lines.at(-1)).toBe('DIR/2_a.up.sql  may have more; the first 20 are listed');
  });

  test('F2.6 two files have one version, by whatever padding', async () => {
    expect(
      await mistakes({
        '01_again.up.sql': 'select 1',
        '1_more.up.sql': 'select 1',
        '000001_right.down.sql': 'select 1',
      }),
    ).toEqual([
      'DIR/01_again.up.sql  version 1 is already that of 000001_right.up.sql',
      'DIR/1_more.up.sql  version 1 is already that of 000001_right.up.sql',
    ]);
  });

  test('a file is not text', async () => {
    const utf16 = Buffer.from('\ufeffselect 1', 'utf16le');
    expect(
      await mistakes({
        '2_latin.up.sql': Buffer.from("select 1;\nselect 'é'", 'latin1'),
        '3_cut.up.sql': Buffer.from("select '€").subarray(0, -1),
        '4_nul.up.sql': "\ufeffselect 'é';\r\nselect '\0'",
        '5_little.up.sql': utf16,
        '6_big.up.sql': Buffer.from(utf16).swap16(),
        '7_far.up.sql': Buffer.concat([Buffer.from('é\n'.repeat(1_000_000)), Buffer.from([0xc3, 0x28])]),
        '8_surrogate.up.sql': Buffer.from([0x31, 0xed, 0xa0, 0x80]),
      }),
    ).toEqual([
      'DIR/2_latin.up.sql:2:9  the file is not UTF-8: byte 0xE9 at offset 18; save it as UTF-8',
      'DIR/3_cut.up.sql:1:9  the file is not UTF-8: byte 0xE2 at offset 8; save it as UTF-8',
      'DIR/4_nul.up.sql:2:9  the file has a NUL byte, which no text in Postgres can hold',
      'DIR/5_little.up.sql:1:1  the file is UTF-16 (little endian); save it as UTF-8',
      'DIR/6_big.up.sql:1:1  the file is UTF-16 (big endian); save it as UTF-8',
      'DIR/7_far.up.sql:1000001:1  the file is not UTF-8: byte 0xC3 at offset 3000000; save it as UTF-8',
      'DIR/8_surrogate.up.sql:1:2  the file is not UTF-8: byte 0xED at offset 1; save it as UTF-8',
    ]);
  });

  test('random bytes are refused where they stop being UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('-- é\n'), Buffer.from([0xff]), randomBytes(5_000)]);
    const [line] = await mistakes({ '2_a.up.sql': bytes });
    expect(line).toBe('DIR/2_a.up.sql:2:1  the file is not UTF-8: byte 0xFF at offset 6; save it as UTF-8');
  });

  test('a file is over 64 MiB, and is not read', async () => {
    write({ '1_a.up.sql': '' });
    truncateSync(join(folder, '1_a.up.sql'), 1024 ** 4);
    expect((await failure()).text).toContain('DIR/1_a.up.sql  has 1048576 MiB; 64 MiB is the limit\n');
  });

  test('a file is no file of this folder', async () => {
    symlinkSync('/etc/passwd', join(folder, '2_out.up.sql'));
    symlinkSync('../../etc/hostname', join(folder, '3_up.up.sql'));
    symlinkSync('nowhere', join(folder, '4_dangling.up.sql'));
    symlinkSync('5_circle.up.sql', join(folder, '5_circle.up.sql'));
    symlinkSync('.', join(folder, '6_folder.up.sql'));
    execFileSync('mkfifo', [join(folder, '7_pipe.up.sql')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, '8_socket.up.sql'), resolve));
    try {
      expect(await mistakes({})).toEqual([
        'DIR/2_out.up.sql  is a symbolic link that leaves the folder',
        'DIR/3_up.up.sql  is a symbolic link that leaves the folder',
        'DIR/4_dangling.up.sql  is a symbolic link to nothing',
        'DIR/5_circle.up.sql  is a symbolic link that leads in a circle',
        'DIR/6_folder.up.sql  is a symbolic link that leaves the folder',
        'DIR/7_pipe.up.sql  is not a regular file',
        'DIR/8_socket.up.sql  is not a regular file',
      ]);
    } finally {
      server.close();
    }
  });

  test('a name would command the terminal', async () => {
    expect(await mistakes({ '2_\u001b[31m.up.sql': 'select 1' })).toEqual([
      'DIR/2_·[31m.up.sql  its name holds a control character, and the name is recorded',
    ]);
  });
});
