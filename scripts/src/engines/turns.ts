import { availableParallelism } from 'node:os';

/** A start that takes longer than this waits for something rather than computes; the next one need not wait for it. */
const longestMilliseconds = 3_000;

/**
 * Lets a few services start at a time. A start takes the processor: of a hundred at once none is ready sooner, all of their memory
 * is taken at the same time, and each comes near its own limit of time (a migration's 30 seconds, a health check's patience).
 */
export class Turns {
  readonly #longest: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /**
   * @param most how many may start at the same time
   * @param longest milliseconds after which a turn is over whatever becomes of it: one service may wait for another that
   *   no condition names
   */
  constructor(most = Math.max(4, 2 * availableParallelism()), longest = longestMilliseconds) {
    this.#free = most;
    this.#longest = longest;
  }

  /** Resolves in the order of the calls, when there is a turn, with what gives it back. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    let isOver = false;
    const giveBack = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
    const timer = setTimeout(giveBack, this.#longest);
    timer.unref();
    return giveBack;
  }
}
