import { createInterface } from 'node:readline/promises';
import { ApprovalMissingError, InterruptedError } from './errors.ts';

/**
 * Asks a person to type `yes`; returns when that was typed.
 *
 * @param intent what is about to be done, as in `force sets the version of shop to 5 and runs nothing`
 * @throws {ApprovalMissingError} without a terminal, or when anything else was typed
 * @throws {InterruptedError} at Ctrl-C
 */
export async function confirm(intent: string, signal: AbortSignal | undefined): Promise<void> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new ApprovalMissingError(
      'needs confirmation and there is no terminal: pass --yes',
      [...intent.split('\n'), 'nothing was changed'],
      undefined,
    );
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const interrupted = new Promise<never>((_resolve, reject) => {
      lines.once('SIGINT', () => reject(new InterruptedError('SIGINT')));
      // The terminal was closed.
      lines.once('close', () =>
        reject(new ApprovalMissingError('nothing was typed', ['nothing was changed'], '--yes')),
      );
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const typed = await Promise.race([lines.question(`${intent}\ntype yes to go on: `), interrupted]);
    if (typed.trim() !== 'yes') {
      throw new ApprovalMissingError(`yes was not typed`, ['nothing was changed'], undefined);
    }
  } finally {
    lines.removeAllListeners('close');
    lines.close();
  }
}
