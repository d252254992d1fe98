import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

describe('turns', () => {
  it('lets so many in at a time, in the order in which they came', async () => {
    const turns = new Turns(2, 60_000);
    const came: number[] = [];
    let inside = 0;
    let most = 0;
    await Promise.all(
      [1, 2, 3, 4, 5, 6].map(async (number) => {
        const leave = await turns.take();
        came.push(number);
        inside += 1;
        most = Math.max(most, inside);
        await sleep(5);
        inside -= 1;
        leave();
      }),
    );
    expect(came).toEqual([1, 2, 3, 4, 5, 6]);
    expect(most).toBe(2);
  });

  it('is over after its time, so that one that waits for another keeps nobody out', async () => {
    const turns = new Turns(1, 20);
    await turns.take();
    const leave = await turns.take();
    expect(leave).toBeTypeOf('function');
  });

  it('gives back one place, however often and however late it is left', async () => {
    const turns = new Turns(1, 20);
    const first = await turns.take();
    const second = await turns.take();
    first();
    first();
    let isIn = false;
    const third = turns.take().then((leave) => {
      isIn = true;
      return leave;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isIn).toBe(false);
    second();
    await third;
    expect(isIn).toBe(true);
  });
});
