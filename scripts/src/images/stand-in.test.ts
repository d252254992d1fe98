import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileTree } from './file-tree.ts';
import { isElf, isStatic, librariesOf } from './libraries.ts';
import { containerSettings } from './postgres-stand-in.ts';
import { nodeReference, type StandIn, standInKey } from './stand-in.ts';

const standIn: StandIn = {
  reference: 'lockstep/x:1',
  title: 'x',
  version: '1',
  tree: new FileTree().text('/x', 'x'),
  dockerfile: 'FROM scratch',
  args: {},
  base: undefined,
};

const keyOf = (one: StandIn) => standInKey(one, { of: (path) => path });

test('the key changes exactly when something a stand-in is made of does, its base included', () => {
  const key = keyOf(standIn);
  expect(keyOf({ ...standIn, title: 'y', reference: 'y' })).toBe(key);
  const others = [
    keyOf({ ...standIn, version: '2' }),
    keyOf({ ...standIn, tree: new FileTree() }),
    keyOf({ ...standIn, dockerfile: 'FROM other' }),
    keyOf({ ...standIn, args: { A: '1' } }),
    keyOf({ ...standIn, base: standIn }),
    keyOf({ ...standIn, base: { ...standIn, version: '2' } }),
  ];
  expect(new Set([key, ...others]).size).toBe(others.length + 1);
});

test("Node's stand-in is named by its major version", () => {
  expect(nodeReference()).toMatch(/^lockstep\/offline-node:\d+$/);
});

test('the settings of a server that no one has changed make it listen everywhere in its container', () => {
  const sample = "#port = 5432\n#listen_addresses = 'localhost'\t\t# what IP address(es) to listen on;\n";
  expect(containerSettings(sample)).toBe(
    "#port = 5432\nlisten_addresses = '*'\t\t# what IP address(es) to listen on;\n",
  );
});

test('the Dockerfile of no stand-in needs a registry or runs anything', () => {
  for (const name of ['node', 'node-build', 'postgres', 'vault', 'dev-vault']) {
    const text = readFileSync(join(import.meta.dirname, '../../../images', name, 'Dockerfile'), 'utf8');
    expect(text.match(/^FROM (.*)$/m)?.[1], name).toMatch(/^(scratch|\$\{NODE_IMAGE\})$/);
    expect(text, name).not.toMatch(/^(RUN|# syntax)/m);
  }
});

test.runIf(process.platform === 'linux')(
  'Node loads the C library, and is a program, unlike a script',
  async () => {
    const { found, missing } = await librariesOf([process.execPath]);
    expect(found.join('\n')).toMatch(/\/libc\.so\.6$/m);
    expect(missing).toEqual([]);
    expect(isElf(process.execPath)).toBe(true);
    expect(isStatic(process.execPath)).toBe(false);
    expect(isElf(import.meta.filename)).toBe(false);
    expect(isStatic('/no/such/file')).toBe(false);
  },
);
