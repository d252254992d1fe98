/** How long one phase took, in milliseconds; `running` when the deadline passed inside it. */
export interface PhaseTiming {
  readonly phase: string;
  readonly milliseconds: number;
  readonly running: boolean;
}

/**
 * One instant by which everything must be done, and the record of which phase spent the time before it.
 *
 * Shared by waiting, Vault, lock and SQL, so that together they stay within one timeout.
 */
export class Deadline {
  readonly timeoutMilliseconds: number;
  readonly #startedAt: number;
  readonly #spent = new Map<string, number>();
  #current: { phase: string; since: number } | undefined;

  /** @param timeoutMilliseconds from now; must be above zero */
  constructor(timeoutMilliseconds: number) {
    this.timeoutMilliseconds = timeoutMilliseconds;
    this.#startedAt = performance.now();
  }

  /** Milliseconds left, never below zero. */
  remaining(): number {
    return Math.max(0, this.timeoutMilliseconds - this.elapsed());
  }

  /** Milliseconds since the deadline was set. */
  elapsed(): number {
    return performance.now() - this.#startedAt;
  }

  get passed(): boolean {
    return this.remaining() === 0;
  }

  /** Runs `work` and adds its time to `phase`, also when it throws. Phases nest; inner time counts for the inner one. */
  async during<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const outer = this.#current;
    this.#close();
    this.#current = { phase, since: performance.now() };
    try {
      return await work();
    } finally {
      this.#close();
      this.#current = outer === undefined ? undefined : { phase: outer.phase, since: performance.now() };
    }
  }

  /** Every phase entered so far, in order of first entry. */
  phases(): PhaseTiming[] {
    const spent = new Map(this.#spent);
    const current = this.#current;
    if (current !== undefined) {
      spent.set(current.phase, (spent.get(current.phase) ?? 0) + performance.now() - current.since);
    }
    return [...spent].map(([phase, milliseconds]) => ({
      phase,
      milliseconds,
      running: phase === current?.phase,
    }));
  }

  /** Resolves after `milliseconds` or at the deadline, whichever is first; at once when `signal` aborts. */
  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const wait = Math.min(milliseconds, this.remaining());
    if (wait <= 0 || signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      // Timers may fire up to a millisecond early; a sleep to the deadline must end after it.
      const timer = setTimeout(finish, Math.ceil(wait) + 1);
      signal?.addEventListener('abort', finish, { once: true });
    });
  }

  #close(): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#spent.set(current.phase, (this.#spent.get(current.phase) ?? 0) + performance.now() - current.since);
    this.#current = undefined;
  }
}
