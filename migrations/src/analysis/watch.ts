import { watch } from 'node:fs';
import { printableLines } from '../printable.ts';

/** Editors write a file in several steps. */
const settleMilliseconds = 80;

/**
 * Runs `check` now and whenever something in the folder is saved, and prints what it returns, until the signal.
 *
 * @throws whatever the system says when the folder cannot be watched
 */
export async function watchFolder(
  folder: string,
  signal: AbortSignal,
  check: () => Promise<string>,
): Promise<void> {
  let changed: (() => void) | undefined;
  let pending = true;
  const watcher = watch(folder, { recursive: true, signal, persistent: true });
  watcher.on('change', () => {
    pending = true;
    changed?.();
  });
  const stopped = new Promise<void>((resolve) => {
    watcher.once('close', resolve);
    if (signal.aborted) resolve();
  });
  while (!signal.aborted) {
    if (pending) {
      pending = false;
      const text = await check();
      const time = new Date().toTimeString().slice(0, 8);
      process.stdout.write(printableLines(`${text}\n${time}  waiting for changes; Ctrl-C ends it\n`));
    }
    await Promise.race([
      stopped,
      new Promise<void>((resolve) => {
        changed = () => setTimeout(resolve, settleMilliseconds);
        if (pending) changed();
      }),
    ]);
  }
}
