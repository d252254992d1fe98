import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { closedBelow, openToAll } from './modes.ts';

const place = mkdtempSync(join(tmpdir(), 'lockstep-modes-'));
afterAll(() => rmSync(place, { recursive: true }));

test('F8.3 what a strict umask closed is found, and opened as `chmod -R a+rX` does', () => {
  const [folder, file, program, link] = ['in', 'in/file', 'in/program', 'in/link'].map((name) =>
    join(place, name),
  ) as [string, string, string, string];
  mkdirSync(folder);
  writeFileSync(file, '');
  writeFileSync(program, '');
  symlinkSync('/nowhere', link);
  chmodSync(file, 0o600);
  chmodSync(program, 0o700);
  chmodSync(folder, 0o755);
  const stranger = statSync(folder).uid + 1;
  expect(closedBelow(folder, stranger)).toEqual([file, program]);
  expect(closedBelow(folder, statSync(folder).uid)).toEqual([]);
  chmodSync(folder, 0o700);
  expect(closedBelow(folder, stranger)).toEqual([folder]);
  openToAll(folder);
  expect(closedBelow(folder, stranger)).toEqual([]);
  expect([folder, file, program].map((path) => statSync(path).mode & 0o777)).toEqual([0o755, 0o644, 0o755]);
});
