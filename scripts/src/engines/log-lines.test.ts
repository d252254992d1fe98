import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readLine } from './container-logs.ts';
import { printLogs } from './embedded/follow.ts';
import { noteStart } from './embedded/log-file.ts';
import { timeIn } from './log-lines.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep logs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function printed(services: readonly string[], tail?: number): Promise<string[]> {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  await printLogs(folder, { services, follow: false, tail, signal: AbortSignal.abort(), write });
  return text.trimEnd().split('\n');
}

test('F16.8 lines of several services are printed in the order of time, each with its time', async () => {
  writeFileSync(
    join(folder, 'app.log'),
    '{"level":"info","time":"2026-01-02T03:04:05.100Z","msg":"listening"}\n{"time":"2026-01-02T03:04:07.000Z"}\n',
  );
  writeFileSync(
    join(folder, 'postgres.log'),
    '2026-01-02 03:04:05.050 UTC [7] LOG:  starting\n  detail\n2026-01-02 03:04:06.000 UTC [7] LOG:  ready\n',
  );
  expect(await printed(['app', 'postgres'])).toEqual([
    '03:04:05.050 postgres | 2026-01-02 03:04:05.050 UTC [7] LOG:  starting',
    '03:04:05.050 postgres |   detail',
    '03:04:05.100 app      | {"level":"info","time":"2026-01-02T03:04:05.100Z","msg":"listening"}',
    '03:04:06.000 postgres | 2026-01-02 03:04:06.000 UTC [7] LOG:  ready',
    '03:04:07.000 app      | {"time":"2026-01-02T03:04:07.000Z"}',
  ]);
  expect(await printed(['app'], 1)).toEqual(['{"time":"2026-01-02T03:04:07.000Z"}']);
});

test('F16.8 a program that writes no time has that of its start, run by run', async () => {
  const path = join(folder, 'one-shot.log');
  writeFileSync(path, 'first\n');
  noteStart(path, 0);
  writeFileSync(path, 'first\nsecond\n');
  noteStart(path, 'first\n'.length);
  const [first = '', second = ''] = await printed(['one-shot', 'other']);
  expect(first).toMatch(/^\d\d:\d\d:\d\d\.\d{3} one-shot \| first$/);
  expect(second.slice(0, 12) >= first.slice(0, 12)).toBe(true);
  expect(first.slice(0, 2)).toBe(new Date().toISOString().slice(11, 13));
});

test.each([
  ['2026-01-02T03:04:05.123456789Z a line', '2026-01-02T03:04:05.123Z', 'a line'],
  ['2026-01-02T05:04:05.123456789+02:00 a line', '2026-01-02T03:04:05.123Z', 'a line'],
  ['2026-01-02T03:04:05Z ', '2026-01-02T03:04:05.000Z', ''],
])('F16.8 %j is read as an engine prints it', (line, at, text) => {
  expect(readLine('app', line)).toEqual({ service: 'app', at: Date.parse(at), text });
});

test.each(['a line', '', '2026-13-02T03:04:05Z x', '{"time":"yesterday"}'])(
  'F16.8 %j tells no time',
  (line) => {
    expect(timeIn(line)).toBeUndefined();
  },
);
