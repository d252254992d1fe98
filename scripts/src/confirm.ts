import { createInterface } from 'node:readline';
import type { Terminal } from './commands/context.ts';
import { environment } from './environment.ts';
import { ConfirmationMissing, Interrupted } from './errors.ts';

/** What is about to be lost or taken away. */
export interface Intent {
  /** As a person calls it: `db-reset`. */
  readonly command: string;
  /** What it will do, to whom; each a line for people. */
  readonly lines: readonly string[];
}

/** Whether the answer was given beforehand, with `YES=1`. */
export function isConfirmed(): boolean {
  return environment['YES'] === '1';
}

/**
 * Says what is about to be done and has a person answer `y`; returns at once with `YES=1`.
 *
 * @throws {ConfirmationMissing} without a terminal, or with any other answer
 * @throws {Interrupted} at Ctrl-C
 */
export async function confirm({ command, lines }: Intent, terminal: Terminal): Promise<void> {
  if (isConfirmed()) return;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new ConfirmationMissing(
      `${command} needs confirmation and there is no terminal: pass YES=1`,
      lines,
    );
  }
  terminal.err(`${lines.join('\n')}\n`);
  const answer = await ask(`${command}: go on? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new ConfirmationMissing(`${command} was not confirmed`, []);
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.question(question, resolve);
      lines.once('SIGINT', () => reject(new Interrupted('SIGINT', ['nothing was changed'])));
      // The terminal was closed, or Ctrl-D.
      lines.once('close', () => resolve(''));
    });
  } finally {
    lines.close();
  }
}
