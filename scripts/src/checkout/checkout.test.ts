import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { tryLock } from '../lock.ts';
import type { Project } from '../project.ts';
import { establishCheckout, readCheckout } from './checkout.ts';

const place = mkdtempSync(join(tmpdir(), 'lockstep-checkout-'));
afterAll(() => rmSync(place, { recursive: true }));

function projectAt(root: string): Project {
  const envFile = join(root, '.env');
  return {
    root,
    composeFiles: [],
    directory: root,
    envFile,
    envFiles: [envFile],
    fallbackEnvFile: undefined,
    stateFolder: join(root, '.lockstep'),
    passedOver: [],
  };
}

test('F8.1 a checkout is the same after a rename, and a copy of it is another', () => {
  const first = projectAt(join(place, 'first'));
  mkdirSync(first.root);
  expect(readCheckout(first).id).toBeUndefined();
  const { id } = establishCheckout(first);
  expect(establishCheckout(first).id).toBe(id);
  const copy = projectAt(join(place, 'copy'));
  cpSync(first.root, copy.root, { recursive: true, preserveTimestamps: true });
  expect(readCheckout(copy).id).toBeUndefined();
  expect(establishCheckout(copy).id).not.toBe(id);
  const moved = projectAt(join(place, 'moved'));
  renameSync(first.root, moved.root);
  expect(readCheckout(moved).id).toBe(id);
});

test('F8.1 a lock that came along with a copied folder is free, and the first folder’s stays held', () => {
  const folder = join(place, 'locked');
  const held = tryLock(folder, 'one.lock');
  expect(held).toHaveProperty('release');
  const copy = join(place, 'locked copy');
  cpSync(folder, copy, { recursive: true });
  expect(tryLock(copy, 'one.lock')).toHaveProperty('release');
  expect(tryLock(folder, 'one.lock')).toHaveProperty('holder');
});
