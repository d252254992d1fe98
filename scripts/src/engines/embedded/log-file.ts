import {
  closeSync,
  copyFileSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';

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

/** Notes when a run of a service began, and where in its log: not every program writes the time before its lines. */
export function noteStart(path: string, offset: number): void {
  // A log that begins anew forgets the earlier runs.
  const flag = offset === 0 ? 'w' : 'a';
  writeFileSync(`${path}.starts`, `${offset} ${Date.now()}\n`, { flag, mode: 0o600 });
}

/** A run of a service: the lines it wrote, and when it began. */
export interface LoggedRun {
  readonly at: number;
  readonly lines: readonly string[];
}

/** Everything a log holds, by the runs that wrote it; at most the last 16 MiB of it. */
export function readRuns(path: string): LoggedRun[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return [];
  }
  const starts = readStarts(path).filter(({ offset }) => offset < bytes.length);
  if (starts[0]?.offset !== 0) starts.unshift({ offset: 0, at: 0 });
  return starts.map(({ offset, at }, index) => {
    const text = bytes.toString('utf8', offset, starts[index + 1]?.offset).replace(/\s+$/, '');
    return { at, lines: text === '' ? [] : text.split(/\r?\n/) };
  });
}

function readStarts(path: string): { offset: number; at: number }[] {
  try {
    return readFileSync(`${path}.starts`, 'utf8')
      .split('\n')
      .filter((line) => /^\d+ \d+$/.test(line))
      .map((line) => line.split(' ').map(Number))
      .map(([offset = 0, at = 0]) => ({ offset, at }));
  } catch {
    return [];
  }
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
