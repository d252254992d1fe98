import { closeSync, copyFileSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs';

/** Beyond this a log is moved to `<log>.1`, and a new one begins. */
const mostBytes = 16 * 1024 * 1024;

/**
 * Keeps a log within its size: copies it to `<log>.1` and empties it. Its writers append, so they go on at the new end;
 * a line written between the two steps is lost.
 */
export function capLog(path: string, most = mostBytes): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= most) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}

/** The last `most` lines that were written after `offset`, blank ones at the end left out. */
export function tailLog(path: string, offset: number, most: number): string[] {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(file);
    // A log that was emptied meanwhile begins anew.
    const from = Math.max(size < offset ? 0 : offset, size - 256 * 1024);
    const buffer = Buffer.alloc(size - from);
    const length = readSync(file, buffer, 0, buffer.length, from);
    const text = buffer.toString('utf8', 0, length).replace(/\s+$/, '');
    return text === '' ? [] : text.split(/\r?\n/).slice(-most);
  } finally {
    closeSync(file);
  }
}
