import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addToLock, addWorkspace, serviceManifest } from './manifests.ts';

const root = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const manifest = serviceManifest('zebra-api', '0.1.0');

test('the project gets one workspace, and nothing else changes', () => {
  const before = read('package.json');
  const after = addWorkspace(before, 'zebra-api');
  expect(JSON.parse(after)).toMatchObject({ workspaces: expect.arrayContaining(['zebra-api']) });
  expect(after.replace(/,\n {4}"zebra-api"/, '')).toBe(before);
  expect(addWorkspace(after, 'zebra-api')).toBe(after);
});

test('the lock file gets the workspace and its link, no version and no registry', () => {
  const before = read('package-lock.json');
  const after = addToLock(before, { manifest, file: 'package-lock.json' });
  const { packages, ...rest } = JSON.parse(after) as { packages: Record<string, { workspaces?: string[] }> };
  const { 'zebra-api': own, 'node_modules/@lockstep/zebra-api': link, ...others } = packages;
  expect(own).toEqual({
    name: '@lockstep/zebra-api',
    version: '0.1.0',
    license: 'MIT',
    dependencies: { '@lockstep/chassis': '0.1.0' },
  });
  expect(link).toEqual({ resolved: 'zebra-api', link: true });
  expect(others['']?.workspaces?.pop()).toBe('zebra-api');
  // As text, so that the order of npm's own file is kept too.
  expect(`${JSON.stringify({ ...rest, packages: others }, null, 2)}\n`).toBe(before);
  expect(addToLock(after, { manifest, file: 'package-lock.json' })).toBe(after);
});

test('the indent and the line ends of the file are kept', () => {
  const text = '{\r\n\t"workspaces": [\r\n\t\t"a"\r\n\t]\r\n}\r\n';
  expect(addWorkspace(text, 'b')).toBe('{\r\n\t"workspaces": [\r\n\t\t"a",\r\n\t\t"b"\r\n\t]\r\n}\r\n');
});

test('a file that is not JSON is refused by its name', () => {
  expect(() => addWorkspace('{', 'b')).toThrow('package.json is not JSON');
  expect(() => addToLock('[]', { manifest, file: 'package-lock.json' })).toThrow(
    'package-lock.json is not a JSON object',
  );
});
