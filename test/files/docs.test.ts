import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);
const text = (page: string) => readFileSync(page, 'utf8');

test('docs/cli.md is what the programs say of themselves', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/cli-docs.mjs', '--check'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test('docs/rules.md is what the rules say of themselves', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/rules-docs.mjs', '--check'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test.each(pages)('every make target that %s names exists', (page) => {
  const targets = new Set([...text('Makefile').matchAll(/^([a-z][a-z-]*):/gm)].map(([, name]) => name));
  const named = [...text(page).matchAll(/(?:`|^)make ([a-z][a-z-]*)/gm)].map(([, name]) => name);
  expect(named.filter((name) => !targets.has(name))).toEqual([]);
});

test.each(pages)('every file that %s links to exists', (page) => {
  const links = [...text(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) =>
    join(dirname(page), link ?? ''),
  );
  expect(links.filter((link) => !existsSync(link))).toEqual([]);
});

test('every dependency has its row in the README, and every row is a dependency', () => {
  const manifests = [
    'package.json',
    ...readdirSync('.')
      .map((name) => `${name}/package.json`)
      .filter((file) => existsSync(file) && !file.startsWith('node_modules')),
  ];
  const declared = new Set(
    manifests.flatMap((file) => {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(text(file)) as Record<
        string,
        Record<string, string>
      >;
      return [...Object.keys(dependencies), ...Object.keys(devDependencies)];
    }),
  );
  const table = text('README.md').split('## Dependencies')[1]?.split('\n## ')[0] ?? '';
  const rows = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) =>
    cell.replace(' (development)', '').split(', '),
  );
  const named = rows.filter((name) => !/^(package|-+)$/.test(name.trim())).map((name) => name.trim());
  const ours = [...declared].filter((name) => !name.startsWith('@lockstep/') && !name.startsWith('@types/'));
  expect(named.filter((name) => name !== '@types/*').toSorted()).toEqual(ours.toSorted());
});
