import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ContentHashes } from './content-hashes.ts';
import { FileTree } from './file-tree.ts';
import { tarHeader, writeTar } from './tar.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep test tree-'));
  mkdirSync(join(folder, 'source/sub'), { recursive: true });
  writeFileSync(join(folder, 'source/program'), 'x'.repeat(1_500_001), { mode: 0o755 });
  writeFileSync(join(folder, 'source/sub/text'), 'hällo');
  symlinkSync('sub/text', join(folder, 'source/link'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a folder stands before what is in it, and is made when only its file was added', () => {
  const paths = new FileTree().text('/a/b/c', '').link('a-link', 'a').entries();
  expect(paths.map(({ path }) => path)).toEqual(['a', 'a-link', 'a/b', 'a/b/c']);
});

test('the fingerprint changes with each part of an entry, and with nothing else', () => {
  const hashes = new ContentHashes(join(folder, 'hashes.json'));
  writeFileSync(join(folder, 'same text'), 'hällo');
  const tree = (change: (tree: FileTree) => void = () => undefined) => {
    const made = new FileTree().folder('/f', 0o700, { uid: 1, gid: 2 }).text('/t', 'one').link('/l', 't');
    made.copy('/c', join(folder, 'source/sub/text'));
    change(made);
    return made.fingerprint(hashes);
  };
  const same = tree();
  expect(tree()).toBe(same);
  expect(tree((made) => made.copy('/c', join(folder, 'same text')))).toBe(same);
  const others = [
    tree((made) => made.folder('/f', 0o701, { uid: 1, gid: 2 })),
    tree((made) => made.folder('/f', 0o700, { uid: 3, gid: 2 })),
    tree((made) => made.text('/t', 'two')),
    tree((made) => made.text('/t', 'one', 0o755)),
    tree((made) => made.link('/l', 'f')),
    tree((made) => made.text('/more', '')),
    tree((made) => made.copy('/c', join(folder, 'source/program'))),
  ];
  expect(new Set([same, ...others]).size).toBe(others.length + 1);
});

test('the hash of a large file is remembered, and a change of the file is seen', () => {
  const file = join(folder, 'large');
  const kept = join(folder, 'kept.json');
  writeFileSync(file, 'a'.repeat(1_000_000));
  const first = new ContentHashes(kept);
  const hash = first.of(file);
  first.save();
  expect(new ContentHashes(kept).of(file)).toBe(hash);
  // What is remembered is what is answered: the file is not read again.
  writeFileSync(kept, readFileSync(kept, 'utf8').replaceAll(hash, 'remembered'));
  expect(new ContentHashes(kept).of(file)).toBe('remembered');
  writeFileSync(file, 'b'.repeat(1_000_000));
  expect(new ContentHashes(kept).of(file)).not.toBe('remembered');
  writeFileSync(kept, '{"damaged');
  expect(new ContentHashes(kept).of(file)).toMatch(/^[0-9a-f]{64}$/);
});

test('tar reads the archive: owners, modes, links, long paths and every byte', async () => {
  const long = `/${'folder/'.repeat(20)}file`;
  const tree = new FileTree()
    .folder('/data', 0o1777, { uid: 999, gid: 998 })
    .text(long, 'far away')
    .text('/ümlaut', 'text', 0o600)
    .copyFolder('/copied', join(folder, 'source'), (path) => path !== 'nothing');
  const archive = join(folder, 'tree.tar');
  await writeTar(archive, tree.entries());
  const listing = execFileSync('tar', ['--numeric-owner', '-tvf', archive], { encoding: 'utf8' });
  expect(listing).toMatch(/^drwxrwxrwt 999\/998 .* data\/$/m);
  expect(listing).toMatch(/^lrwxrwxrwx 0\/0 .* copied\/link -> sub\/text$/m);
  expect(listing).toMatch(/^-rwxr-xr-x 0\/0 +1500001 .* copied\/program$/m);
  const out = join(folder, 'out');
  mkdirSync(out);
  execFileSync('tar', ['--no-same-owner', '-xf', archive, '-C', out]);
  expect(readFileSync(join(out, long), 'utf8')).toBe('far away');
  expect(readFileSync(join(out, 'ümlaut'), 'utf8')).toBe('text');
  expect(readFileSync(join(out, 'copied/program'), 'latin1')).toBe('x'.repeat(1_500_001));
  expect(readFileSync(join(out, 'copied/link'), 'utf8')).toBe('hällo');
});

test('a path that no tar header holds is refused', () => {
  const entry = { kind: 'text', content: '', mode: 0o644, uid: 0, gid: 0 } as const;
  expect(() => tarHeader({ ...entry, path: 'x'.repeat(101) })).toThrow('too long');
  expect(() => tarHeader({ ...entry, path: `${'x/'.repeat(140)}y` })).toThrow('too long');
});

test('a file that shrinks while it is read fails, instead of ending in an archive that lies', async () => {
  const file = join(folder, 'shrinking');
  writeFileSync(file, 'long text');
  const entries = new FileTree().copy('/file', file).entries();
  writeFileSync(file, 'short');
  await expect(writeTar(join(folder, 'shrunk.tar'), entries)).rejects.toThrow('shrank');
});
