import { expect, test } from 'vitest';
import { describeDuration, describePhases } from './errors.ts';
import { jsonVersion } from './json.ts';
import { reportStatus } from './report.ts';

test('a version is a JSON number while that is exact, then a string', () => {
  expect(
    [undefined, 0n, 20250102030405n, 9_007_199_254_740_991n, 9_007_199_254_740_992n].map(jsonVersion),
  ).toEqual([null, 0, 20250102030405, 9_007_199_254_740_991, '9007199254740992']);
});

test('durations and phases are put in words', () => {
  expect([350, 1000, 1500, 30_000].map(describeDuration)).toEqual(['350 ms', '1 s', '1.5 s', '30 s']);
  expect(
    describePhases([
      { phase: 'vault', milliseconds: 12.4, running: false },
      { phase: 'sql', milliseconds: 29_950, running: true },
    ]),
  ).toBe('vault 12 ms, sql 29,950 ms');
});

test('status is a table with a line for each migration', () => {
  const { text } = reportStatus(
    {
      database: 'd',
      version: 1n,
      dirty: false,
      holder: undefined,
      anomalies: [],
      migrations: [
        {
          version: 1n,
          label: '000001',
          description: 'a',
          state: 'applied',
          appliedAt: new Date(0),
          durationMilliseconds: 12,
        },
        {
          version: 2n,
          label: '000002',
          description: 'longer',
          state: 'pending',
          appliedAt: undefined,
          durationMilliseconds: undefined,
        },
      ],
    },
    { service: undefined, undoCommand: '' },
  );
  expect(text).toBe(
    [
      'd is at 1, 1 pending',
      '  version  description  state    applied at            took',
      '  000001   a            applied  1970-01-01T00:00:00Z  12 ms',
      '  000002   longer       pending',
    ].join('\n'),
  );
});
