import { count, type Deadline } from '@lockstep/foundation';
import type { Refusal } from './classify.ts';

/** What one attempt brought: a value, or why not. */
export type Outcome<T> = { readonly value: T } | { readonly refusal: Refusal };

/** Until when to repeat, and whom to tell. */
export interface Persistence {
  readonly deadline: Deadline;
  readonly signal?: AbortSignal | undefined;
  /** Called with the reason when a wait begins, and again whenever the reason changes. */
  readonly onWait?: ((reason: string) => void) | undefined;
}

const firstPause = 50;
const longestPause = 1_000;
const briefly = 2_000;
/** Milliseconds kept for the last attempt before the deadline. */
const lastAttempt = 40;

/**
 * Repeats `attempt` for as long as its refusals are worth it (see `Patience`) and the deadline allows: after 50 ms,
 * then twice as long each time up to one second, with up to a quarter taken off at random.
 *
 * @throws the last refusal, explained; or the signal's reason as soon as it aborts
 */
export async function persist<T>(
  { deadline, signal, onWait }: Persistence,
  attempt: () => Promise<Outcome<T>>,
): Promise<T> {
  const startedAt = performance.now();
  let briefSince: number | undefined;
  let previous: Refusal | undefined;
  let told = '';
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted();
    const outcome = await attempt();
    if ('value' in outcome) return outcome.value;
    signal?.throwIfAborted();

    const refusal = outcome.refusal.cutShort && previous !== undefined ? previous : outcome.refusal;
    // Counted from the moment Vault itself was there: what it refuses then is news.
    briefSince = refusal.patience === 'briefly' ? (briefSince ?? performance.now()) : undefined;
    const pause = Math.min(longestPause, firstPause * 2 ** (tries - 1)) * (1 - Math.random() / 4);
    if (isFinal(refusal, briefSince, deadline, pause)) {
      throw refusal.explain(tries === 1 ? [] : [waited(startedAt, tries)]);
    }
    const reason = refusal.explain([]).message;
    if (reason !== told) onWait?.(reason);
    told = reason;
    previous = refusal;
    await deadline.sleep(Math.min(pause, deadline.remaining() - lastAttempt), signal);
  }
}

function isFinal(
  refusal: Refusal,
  briefSince: number | undefined,
  deadline: Deadline,
  pause: number,
): boolean {
  if (refusal.patience === 'never' || deadline.remaining() <= lastAttempt) return true;
  if (refusal.patience === 'until-deadline') return false;
  return briefSince !== undefined && performance.now() + pause - briefSince > briefly;
}

function waited(startedAt: number, tries: number): string {
  const seconds = (performance.now() - startedAt) / 1000;
  return `tried ${count(tries, 'time')} in ${seconds.toFixed(1)} s`;
}
