import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { folderMark } from './checkout/folder.ts';
import { PreflightError, systemCode, systemReason } from './errors.ts';
import { isAlive, ownStamp, type PidStamp, parseStamp } from './pid.ts';

/** A held lock. */
export interface Held {
  readonly release: () => void;
}

/** A file that is made but not yet written belongs to a live process for this long. */
const graceMilliseconds = 2_000;

/**
 * Takes the lock `name` in `folder` if it is free; else returns its holder, or undefined when that is not yet known.
 *
 * A lock is a numbered file (`name.7`) that holds its owner's pid and start time; the highest number counts, and it is
 * free when its owner is dead. Taking it means creating the next number, which only one process can do. So a stale
 * lock is never removed to be taken, which is where two processes would both believe they won.
 */
export function tryLock(folder: string, name: string): Held | { readonly holder: PidStamp | undefined } {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (;;) {
      const highest = Math.max(0, ...numbers(folder, name));
      if (highest > 0) {
        const state = readLock(folder, `${name}.${highest}`);
        if (state !== 'free') return { holder: state === 'unknown' ? undefined : state };
      }
      const path = join(folder, `${name}.${highest + 1}`);
      if (!create(folder, path)) continue;
      // Someone slower may have created a number that a faster one had already passed and removed.
      if (Math.max(...numbers(folder, name)) > highest + 1) {
        rmSync(path, { force: true });
        continue;
      }
      for (const number of numbers(folder, name)) {
        if (number <= highest) rmSync(join(folder, `${name}.${number}`), { force: true });
      }
      return { release: () => rmSync(path, { force: true }) };
    }
  } catch (error) {
    throw new PreflightError(`cannot write to ${folder}: ${systemReason(error)}`, { cause: error });
  }
}

/** Waits for the lock, at most `timeoutMilliseconds`. */
export async function lock(folder: string, name: string, timeoutMilliseconds: number): Promise<Held> {
  const until = Date.now() + timeoutMilliseconds;
  for (;;) {
    const result = tryLock(folder, name);
    if ('release' in result) return result;
    if (Date.now() >= until) {
      const pid = result.holder === undefined ? 'unknown' : String(result.holder.pid);
      throw new PreflightError(`another stack command holds ${join(folder, name)}`, {
        evidence: [`holder: pid ${pid}`],
      });
    }
    await sleep(20);
  }
}

function numbers(folder: string, name: string): number[] {
  return readdirSync(folder).flatMap((file) => {
    const number = file.startsWith(`${name}.`) ? file.slice(name.length + 1) : '';
    return /^\d{1,9}$/.test(number) ? [Number(number)] : [];
  });
}

/** One that came along when its folder was copied is nobody's: its holder holds the other folder's. */
function readLock(folder: string, name: string): PidStamp | 'free' | 'unknown' {
  const path = join(folder, name);
  try {
    const text = readFileSync(path, 'utf8');
    const stamp = parseStamp(text);
    if (stamp !== undefined && isCopied(text, folder)) return 'free';
    if (stamp !== undefined) return isAlive(stamp) ? stamp : 'free';
    return Date.now() - statSync(path).mtimeMs < graceMilliseconds ? 'unknown' : 'free';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'free';
    throw error;
  }
}

function isCopied(text: string, folder: string): boolean {
  const value: unknown = JSON.parse(text);
  return (
    typeof value === 'object' && value !== null && 'folder' in value && value.folder !== folderMark(folder)
  );
}

function create(folder: string, path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  writeSync(file, JSON.stringify({ ...ownStamp(), folder: folderMark(folder) }));
  closeSync(file);
  return true;
}
