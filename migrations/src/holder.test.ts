import { expect, test } from 'vitest';
import { describeWait } from './holder.ts';

test.each([
  ['Timeout PgSleep', 'sleeping (pg_sleep)'],
  ['Lock relation', 'waiting for a lock (relation)'],
  ['IO DataFileRead', 'waiting for the disk (DataFileRead)'],
  ['Newtype Event', 'waiting (Event)'],
])('F16.12 %s is told in words', (wait, words) => {
  expect(describeWait(wait)).toBe(words);
});
