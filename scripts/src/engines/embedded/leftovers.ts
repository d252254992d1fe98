import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, type PidStamp } from '../../pid.ts';
import type { RecordedChild } from './state-file.ts';

/** A longer grace period than this is not waited out for a process whose supervisor is dead. */
const longestGraceMilliseconds = 15_000;

/**
 * Ends what a dead supervisor left running: each process only when it is the very one that was recorded (pid and start
 * time), first with its own stop signal, then, after its grace period, its whole group for good.
 *
 * Returns the names of the services that were found running.
 */
export async function endLeftovers(recorded: readonly RecordedChild[]): Promise<string[]> {
  const found = recorded.filter(({ stamp }) => isAlive(stamp));
  await Promise.all(found.map(endLeftover));
  return found.map(({ service }) => service);
}

async function endLeftover({ stamp, stopSignal, stopGraceMilliseconds }: RecordedChild): Promise<void> {
  trySignal(stamp.pid, stopSignal);
  // A paused process hears nothing else.
  trySignal(-stamp.pid, 'SIGCONT');
  if (await isGone(stamp, Math.min(stopGraceMilliseconds, longestGraceMilliseconds))) return;
  trySignal(-stamp.pid, 'SIGKILL');
  await isGone(stamp, 5_000);
}

async function isGone(stamp: PidStamp, milliseconds: number): Promise<boolean> {
  const until = Date.now() + milliseconds;
  while (isAlive(stamp)) {
    if (Date.now() > until) return false;
    await sleep(20);
  }
  return true;
}

/** A process that is gone meanwhile is what was wanted. */
export function trySignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {}
}
