import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tryLock } from './lock.ts';
import { isAlive, ownStamp, parseStamp } from './pid.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a lock', () => {
  it('is held by one, who is known to the others, until it is let go', () => {
    const held = tryLock(folder, 'a');
    expect(tryLock(folder, 'a')).toEqual({ holder: ownStamp() });
    expect(tryLock(folder, 'b')).toHaveProperty('release');
    if ('release' in held) held.release();
    expect(tryLock(folder, 'a')).toHaveProperty('release');
  });

  it('is free when its holder is dead, or its pid another process’s now', () => {
    writeFileSync(join(folder, 'a.7'), JSON.stringify({ pid: process.pid, started: 'another time' }));
    expect(tryLock(folder, 'a')).toHaveProperty('release');
    expect(readdirSync(folder)).toEqual(['a.8']);
  });

  it('is not taken from one who is just writing it', () => {
    writeFileSync(join(folder, 'a.1'), '');
    expect(tryLock(folder, 'a')).toEqual({ holder: undefined });
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(join(folder, 'a.1'), longAgo, longAgo);
    expect(tryLock(folder, 'a')).toHaveProperty('release');
  });
});

describe('a process’s stamp', () => {
  it('is of this very process', () => {
    expect(isAlive(ownStamp())).toBe(true);
    expect(isAlive({ ...ownStamp(), started: 'another time' })).toBe(false);
  });

  it.each([
    '',
    '{',
    '{"pid":1,"started":"x"}',
    '{"pid":-5,"started":"x"}',
    '{"pid":"7","started":"x"}',
    '[]',
  ])('is not read from %j', (text) => {
    expect(parseStamp(text)).toBeUndefined();
  });
});
