import { environment } from '../environment.ts';
import type { Terminal } from './context.ts';

/** Whether a person can be asked. */
export function canAsk(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY) && environment['CI'] === undefined;
}

/** Asks a question that is answered with y or n; anything but y or yes, and Ctrl-C, is no. */
export async function confirm(question: string, { signal }: Terminal): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal })).trim());
  } catch {
    return false;
  } finally {
    lines.close();
  }
}
