import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onPath } from './on-path.ts';

let root: string;
const at = (...names: string[]) => join(root, ...names);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-path-'));
  for (const folder of ['plain', 'folder/tool', 'good', 'loop']) mkdirSync(at(folder), { recursive: true });
  writeFileSync(at('plain', 'tool'), '', { mode: 0o644 });
  writeFileSync(at('good', 'tool'), '', { mode: 0o755 });
  writeFileSync(at('file'), '');
  symlinkSync('tool', at('loop', 'tool'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('the search on PATH', () => {
  it('finds the first file that can be run, past folders, loops, and what may not be run', () => {
    const path = ['', at('no'), at('file'), at('loop'), at('folder'), at('plain'), at('good')];
    expect(onPath('tool', path.join(delimiter))).toBe(at('good', 'tool'));
  });

  it('passes over a folder that is closed to this user', () => {
    // Root passes through every folder; a name that is too long is refused to root as well.
    mkdirSync(at('closed'), { mode: 0o755 });
    writeFileSync(at('closed', 'tool'), '', { mode: 0o755 });
    chmodSync(at('closed'), 0o000);
    const tooLong = `/${'x'.repeat(5_000)}`;
    const expected = process.getuid?.() === 0 ? at('closed', 'tool') : at('good', 'tool');
    expect(onPath('tool', [tooLong, at('closed'), at('good')].join(delimiter))).toBe(expected);
  });

  it('finds nothing on no PATH', () => {
    expect(onPath('tool', undefined)).toBeUndefined();
  });
});
