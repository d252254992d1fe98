import type { Deadline } from '@lockstep/foundation';
import { passingReason } from './network-reason.ts';

/** How long a server is waited for, and whom to tell. */
export interface Waiting {
  readonly deadline: Deadline;
  /** Ends a pause early. */
  readonly signal?: AbortSignal | undefined;
  /** What ends the waiting and is thrown; the signal's reason unless given. */
  readonly interrupted?: () => unknown;
  /** Why a failure may pass; undefined when waiting does not mend it. {@link passingReason} unless given. */
  readonly reasonOf?: (error: unknown, waitedMilliseconds: number) => string | undefined;
  readonly onWait?: (reason: string, waitedMilliseconds: number) => void;
  /** What is thrown when the deadline passes. */
  readonly late: (reason: string, error: unknown) => Error;
}

const firstPauseMilliseconds = 25;
const longestPauseMilliseconds = 500;

/**
 * Makes one attempt after the other until one succeeds: for a server that is not there yet, starting, stopping or full.
 *
 * @throws what an attempt threw, when waiting does not mend it; `late` at the deadline; what interrupted it
 */
export async function untilThere<T>(attempt: () => Promise<T>, waiting: Waiting): Promise<T> {
  const { deadline, signal, reasonOf = passingReason } = waiting;
  const { interrupted = () => (signal?.aborted ? signal.reason : undefined) } = waiting;
  const startedAt = performance.now();
  let last: { reason: string; error: unknown } = { reason: 'no answer', error: undefined };
  for (let pause = firstPauseMilliseconds; ; pause = Math.min(longestPauseMilliseconds, pause * 1.6)) {
    if (interrupted() !== undefined) throw interrupted();
    if (deadline.passed) throw waiting.late(last.reason, last.error);
    try {
      return await attempt();
    } catch (error) {
      if (interrupted() !== undefined) throw interrupted();
      const waited = performance.now() - startedAt;
      const reason = reasonOf(error, waited);
      if (reason === undefined) throw error;
      last = { reason, error };
      waiting.onWait?.(reason, waited);
    }
    await deadline.sleep(pause, signal);
  }
}
