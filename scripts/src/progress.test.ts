import { expect, test } from 'vitest';
import { describeOutcome } from './progress.ts';

const blocked = { service: 'app', ok: false, changed: false } as const;

test('F16.12 what still runs because something failed says so in plain words', () => {
  expect(describeOutcome({ ...blocked, state: 'healthy', blockedBy: ['app-migrations'] })).toBe(
    'still running on the old schema: app-migrations failed',
  );
  expect(describeOutcome({ ...blocked, state: 'healthy', blockedBy: ['vault'] })).toBe(
    'still running as it was: vault failed',
  );
  expect(describeOutcome({ ...blocked, state: 'created', blockedBy: ['vault'] })).toBe(
    'not started: waits for vault',
  );
});
