import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeOwnFolder } from './own-folder.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'lockstep-own-'));
  chmodSync(base, 0o1777);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const mode = (path: string) => statSync(path).mode & 0o7777;

describe('makeOwnFolder', () => {
  it('makes the folders, and leaves the one they are in as it is', () => {
    expect(makeOwnFolder(base, ['a', 'b'], 0o711)).toBe(join(base, 'a', 'b'));
    expect(mode(join(base, 'a'))).toBe(0o711);
    expect(mode(join(base, 'a', 'b'))).toBe(0o711);
    expect(mode(base)).toBe(0o1777);
  });

  it('takes a folder that is there as it is', () => {
    mkdirSync(join(base, 'a'), { mode: 0o750 });
    makeOwnFolder(base, ['a'], 0o711);
    expect(mode(join(base, 'a'))).toBe(0o750);
  });

  it('refuses a link, and a folder that others may write to', () => {
    symlinkSync(tmpdir(), join(base, 'a'));
    expect(() => makeOwnFolder(base, ['a'], 0o711)).toThrow(
      `${join(base, 'a')} is not a folder that only this user may write to`,
    );
    mkdirSync(join(base, 'b'));
    chmodSync(join(base, 'b'), 0o777);
    expect(() => makeOwnFolder(base, ['b', 'c'], 0o711)).toThrow(
      `${join(base, 'b')} is not a folder that only this user may write to`,
    );
  });
});
