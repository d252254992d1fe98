import { Failure } from '@lockstep/foundation';
import type { Log } from '@lockstep/foundation/log';
import type { Settings } from '../config.ts';
import { describeInstant, describeWindow, type MaintenanceWindow, windowState } from './window.ts';

/** The environment may not migrate at this hour. */
export class OutsideWindowError extends Failure {
  constructor(environment: string, windows: readonly MaintenanceWindow[], opens: Date, now: Date) {
    const zone = windows[0]?.zone ?? 'UTC';
    super(`${environment} may not migrate now: its maintenance window is closed`, {
      code: 'outside-window',
      exitStatus: 7,
      evidence: [
        ...windows.map((window) => `open: ${describeWindow(window)}`),
        `it is ${describeInstant(now, zone)}; the next opening is ${describeInstant(opens, zone)} (in ${describeWait(opens.getTime() - now.getTime())})`,
        'nothing was changed',
      ],
      hint: "--outside-window 'the reason', for what cannot wait",
    });
  }
}

/**
 * Lets a run begin only while one of the environment's windows is open.
 *
 * @throws {OutsideWindowError} exit status 7
 */
export function requireWindow(settings: Settings, log: Log, now: Date = new Date()): void {
  const { windows, environment, outsideWindow, strategy } = settings;
  if (windows.length === 0 || environment === undefined) return;
  const state = windowState(windows, now);
  const zone = windows[0]?.zone ?? 'UTC';
  if (state.open) {
    const left = state.closes.getTime() - now.getTime();
    if (left < strategy.timeoutMilliseconds) {
      log.warn(
        `the maintenance window closes at ${describeInstant(state.closes, zone)}, before the deadline of this run`,
      );
    }
    return;
  }
  if (outsideWindow === undefined) throw new OutsideWindowError(environment, windows, state.opens, now);
  log.warn(`outside the maintenance window of ${environment}, because: ${outsideWindow}`);
}

/** `4 d 3 h`, `35 min` */
function describeWait(milliseconds: number): string {
  const minutes = Math.ceil(milliseconds / 60_000);
  const [d, h, m] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  if (d > 0) return `${d} d ${h} h`;
  return h > 0 ? `${h} h ${m} min` : `${m} min`;
}
