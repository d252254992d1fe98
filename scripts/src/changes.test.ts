import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Changes, namesOfEdits } from './changes.ts';

let root: string;
let changes: Changes;
const never = new AbortController().signal;
const write = (name: string, text: string) => writeFileSync(join(root, name), text);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep changes-'));
  for (const folder of ['dist', 'app/src', 'other/src']) mkdirSync(join(root, folder), { recursive: true });
  write('dist/server.cjs', 'one');
  write('dist/1_a.up.sql', 'create table a ()');
  changes = new Changes(root, new Map([[join(root, 'dist'), (name: string) => !name.startsWith('.')]]));
});
afterEach(() => {
  changes.close();
  rmSync(root, { recursive: true, force: true });
});

test('F16.2 a file that is written again as it was is no change, however it was written', async () => {
  // As a build does it: emptied, filled in parts; and a touch.
  write('dist/server.cjs', '');
  write('dist/server.cjs', 'one');
  utimesSync(join(root, 'dist/1_a.up.sql'), new Date(), new Date());
  const next = changes.next(never);
  // The files before are judged with this one, or before it.
  write('dist/2_b.up.sql', 'create table b ()');
  expect(await next).toEqual([join('dist', '2_b.up.sql')]);
});

test('F16.2 what was changed, and what was removed, is told once', async () => {
  write('dist/server.cjs', 'two');
  rmSync(join(root, 'dist/1_a.up.sql'));
  expect(await changes.next(never)).toEqual([join('dist', '1_a.up.sql'), join('dist', 'server.cjs')]);
  const next = changes.next(never);
  write('dist/server.cjs', 'two');
  write('dist/server.cjs', 'three');
  expect(await next).toEqual([join('dist', 'server.cjs')]);
});

test('F16.2 a rebuilt program is told by the sources that were edited', () => {
  const since = Date.now();
  const at = (name: string, seconds: number) =>
    utimesSync(join(root, name), new Date(since + seconds * 1000), new Date(since + seconds * 1000));
  for (const name of ['app/src/a.ts', 'app/src/a.test.ts', 'other/src/b.ts']) write(name, '');
  for (const name of ['app/src/a.ts', 'app/src/a.test.ts']) at(name, 1);
  at('other/src/b.ts', -60);
  const built = [join('app', 'dist', 'server.cjs'), join('app', 'migrations', '1_a.up.sql')];
  expect(namesOfEdits(root, built, since)).toEqual([built[1], join('app', 'src', 'a.ts')]);
  at('app/src/a.ts', -60);
  expect(namesOfEdits(root, built, since)).toEqual([built[1], 'app (rebuilt)']);
});
