import { expect, test } from 'vitest';
import { Deadline } from './deadline.ts';

test('time spent in nested phases counts for the inner phase', async () => {
  const deadline = new Deadline(1000);
  await deadline.during('sql', async () => {
    await deadline.sleep(20);
    await deadline.during('lock', () => deadline.sleep(20));
    expect(deadline.phases().map(({ phase, running }) => [phase, running])).toEqual([
      ['sql', true],
      ['lock', false],
    ]);
  });
  for (const { milliseconds } of deadline.phases()) expect(milliseconds).toBeGreaterThan(15);
  expect(deadline.phases().every(({ running }) => !running)).toBe(true);
});

test('a phase that throws still counts', async () => {
  const deadline = new Deadline(1000);
  await expect(deadline.during('vault', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(deadline.phases().map(({ phase }) => phase)).toEqual(['vault']);
});

test('sleep ends at the deadline and at an abort', async () => {
  const deadline = new Deadline(30);
  await deadline.sleep(10_000);
  expect(deadline.passed).toBe(true);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 5);
  await new Deadline(60_000).sleep(60_000, controller.signal);
  expect(controller.signal.aborted).toBe(true);
});
