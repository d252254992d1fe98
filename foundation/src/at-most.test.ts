import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mapAtMost } from './at-most.ts';

describe('mapAtMost', () => {
  it('keeps the order of the items, and to the limit', async () => {
    let inside = 0;
    let most = 0;
    const results = await mapAtMost([5, 1, 4, 2, 3], 2, async (number) => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(number);
      inside -= 1;
      return number * 10;
    });
    expect(results).toEqual([50, 10, 40, 20, 30]);
    expect(most).toBe(2);
  });

  it('begins none after one has failed', async () => {
    const begun: number[] = [];
    const work = async (number: number) => {
      begun.push(number);
      if (number === 2) throw new Error('the second');
      await sleep(5);
    };
    await expect(mapAtMost([1, 2, 3, 4], 2, work)).rejects.toThrow('the second');
    await sleep(20);
    expect(begun).toEqual([1, 2]);
  });

  it('makes nothing of nothing', async () => {
    expect(await mapAtMost([], 3, async () => 1)).toEqual([]);
  });
});
