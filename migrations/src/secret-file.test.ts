import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from './config.ts';

const url = 'postgres://u:hunter2@db/d';

/** A folder whose name has a space; `write` puts a file there and returns its path. */
function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep secrets '));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string | Buffer) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return { folder, write };
}

const connectionOf = (environment: Record<string, string>) => readConfig({}, environment).connection;

function evidenceOf(environment: Record<string, string>, flags = {}): readonly string[] {
  try {
    readConfig(flags, environment);
  } catch (error) {
    return (error as { evidence: readonly string[] }).evidence;
  }
  return [];
}

test('a file holds the connection string, with one line end at its end, of any system, and a byte order mark', () => {
  const { folder, write } = makeFolder();
  for (const text of [url, `${url}\n`, `${url}\r\n`, `\uFEFF${url}\n`]) {
    const path = write('url', text);
    for (const name of ['DATABASE_CONNECTION_STRING_FILE', 'DB_ADMIN_CONN_STRING_FILE']) {
      expect(connectionOf({ [name]: path })).toMatchObject({
        kind: 'given',
        parameters: { host: 'db', password: 'hunter2', database: 'd' },
      });
    }
  }
  // As Kubernetes mounts them.
  symlinkSync(join(folder, 'url'), join(folder, 'link'));
  expect(connectionOf({ DATABASE_CONNECTION_STRING_FILE: join(folder, 'link') })).toMatchObject({
    kind: 'given',
  });
});

test('a file holds the password, of which only one line end at its end is dropped', () => {
  const { write } = makeFolder();
  const parts = { DB_HOST: 'db', DB_NAME: 'd', DB_ADMIN_USER: 'u' };
  const passwordOf = (text: string) =>
    connectionOf({ ...parts, DB_ADMIN_PASSWORD_FILE: write('password', text) });
  expect(passwordOf(' ^%&{@/ \n')).toMatchObject({ parameters: { password: ' ^%&{@/ ' } });
  expect(passwordOf('two\nlines\n\n')).toMatchObject({ parameters: { password: 'two\nlines\n' } });
});

test('a file wins and loses as its variable does, and what loses is not read', () => {
  const { write } = makeFolder();
  const path = write('url', url);
  const vault = { VAULT_ADDR: 'http://vault:8200', VAULT_TOKEN: 't', VAULT_SECRET_PATH: 'p' };
  expect(connectionOf({ ...vault, DB_ADMIN_CONN_STRING_FILE: path })).toMatchObject({ kind: 'given' });
  expect(connectionOf({ ...vault, DB_ADMIN_PASSWORD_FILE: '/nowhere' })).toMatchObject({ kind: 'vault' });
  expect(connectionOf({ ...vault, DATABASE_CONNECTION_STRING_FILE: '' })).toMatchObject({ kind: 'vault' });
  const both = { DATABASE_CONNECTION_STRING_FILE: path, DB_ADMIN_CONN_STRING: 'host=other user=u dbname=d' };
  expect(connectionOf(both)).toMatchObject({ parameters: { host: 'db' } });
  const flag = readConfig(
    { '--database-url': 'postgres://u@flag/d' },
    { DATABASE_CONNECTION_STRING_FILE: '/nowhere' },
  );
  expect(flag.connection).toMatchObject({ parameters: { host: 'flag' } });
});

test('a variable beside its file is a mistake that names both, also where another wins', () => {
  const { write } = makeFolder();
  const path = write('url', url);
  expect(evidenceOf({ DATABASE_CONNECTION_STRING: url, DATABASE_CONNECTION_STRING_FILE: path })).toEqual([
    'DATABASE_CONNECTION_STRING: cannot stand beside DATABASE_CONNECTION_STRING_FILE; set one of them',
  ]);
  expect(
    evidenceOf(
      { DB_ADMIN_PASSWORD: 'hunter2', DB_ADMIN_PASSWORD_FILE: path },
      { '--database-url': 'postgres://u@flag/d' },
    ),
  ).toEqual(['DB_ADMIN_PASSWORD: cannot stand beside DB_ADMIN_PASSWORD_FILE; set one of them']);
});

test('a file that is not right is refused by its path and the rule, never by what it holds', () => {
  const { folder, write } = makeFolder();
  mkdirSync(join(folder, 'sub'));
  symlinkSync('circle', join(folder, 'circle'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const rules: Record<string, string> = {
    [join(folder, 'nowhere')]: 'does not exist',
    [join(folder, 'sub')]: 'is not a regular file',
    [join(folder, 'pipe')]: 'is not a regular file',
    [join(folder, 'circle')]: 'is a symbolic link that leads in a circle',
    [`${write('file', 'hunter2')}/below`]: 'does not exist',
    [write('empty', '')]: 'is empty',
    [write('line', '\r\n')]: 'is empty',
    [write('nul', 'hunter2\0')]: 'holds a NUL character',
    [write('latin', Buffer.from([0x68, 0xe9]))]: 'is not UTF-8',
    [write('large', 'hunter2'.repeat(10_000))]: 'has 70000 bytes; 65536 is the limit',
  };
  for (const [path, rule] of Object.entries(rules)) {
    for (const name of ['DATABASE_CONNECTION_STRING_FILE', 'DB_ADMIN_CONN_STRING_FILE']) {
      expect(evidenceOf({ [name]: path })).toEqual([`${name}: ${JSON.stringify(path)} ${rule}`]);
    }
    expect(
      evidenceOf({ DB_HOST: 'db', DB_NAME: 'd', DB_ADMIN_USER: 'u', DB_ADMIN_PASSWORD_FILE: path }),
    ).toEqual([`DB_ADMIN_PASSWORD_FILE: ${JSON.stringify(path)} ${rule}`]);
  }
  const text = write('text', 'hunter2-is-my-password');
  expect(evidenceOf({ DATABASE_CONNECTION_STRING_FILE: text })).toEqual([
    `DATABASE_CONNECTION_STRING_FILE: ${JSON.stringify(text)}: expected a postgres:// URL or key=value pairs`,
  ]);
});

test('a secret put where its file’s name belongs is not shown', () => {
  const shown = evidenceOf({ DATABASE_CONNECTION_STRING_FILE: url });
  expect(shown).toEqual([
    'DATABASE_CONNECTION_STRING_FILE: the file (name not shown) does not exist; for the value itself there is DATABASE_CONNECTION_STRING',
  ]);
  const parts = { DB_HOST: 'db', DB_NAME: 'd', DB_ADMIN_USER: 'u', DB_ADMIN_PASSWORD_FILE: 'hunter2' };
  expect(evidenceOf(parts)).toEqual([
    'DB_ADMIN_PASSWORD_FILE: the file (name not shown) does not exist; for the value itself there is DB_ADMIN_PASSWORD',
  ]);
});
