import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

test('every row of docs/field.md has a test whose title has its id', () => {
  const page = readFileSync(join(root, 'docs/field.md'), 'utf8');
  const ids = [...page.matchAll(/^\| (F\d+(?:\.\d+)?) \|/gm)].map(([, id]) => id ?? '');
  expect(ids.length).toBeGreaterThan(60);
  const files = execFileSync('git', ['ls-files', '-z', '*.test.ts'], { cwd: root, encoding: 'utf8' });
  const titles = files
    .split('\0')
    .filter((file) => file !== '')
    .flatMap((file) => readFileSync(join(root, file), 'utf8').match(/['"`]F\d[^'"`\n]*/g) ?? []);
  const proven = new Set(titles.flatMap((title) => title.match(/F\d+(?:\.\d+)?(?=[\s,:]|$)/g) ?? []));
  expect(ids.filter((id) => !proven.has(id))).toEqual([]);
});
