import { Failure } from '@lockstep/foundation';
import { requireWindow } from '../environments/require-window.ts';
import { type Check, failed, ok } from './check.ts';

/** The hour is one at which the environment may migrate; looked at again when the run begins. */
export const windowCheck: Check = {
  name: 'window',
  level: 'minimal',
  concerns: ({ operation }) => operation.settings.windows.length > 0,
  look: async ({ operation }) => {
    const { settings, log } = operation;
    try {
      requireWindow(settings, log);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return failed([error.message, ...error.evidence.slice(0, -1)].join('; '), 7);
    }
    return ok(
      settings.outsideWindow === undefined
        ? 'the maintenance window is open'
        : 'closed, and a reason was given',
    );
  },
};
