import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process that can be told from a later one with the same pid. */
export interface PidStamp {
  readonly pid: number;
  /** When it started, in whatever unit the system keeps; only ever compared. */
  readonly started: string;
}

/** The stamp of a running process, or undefined when there is none (a zombie counts as none). */
export function stampOf(pid: number): PidStamp | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether this very process still runs: the same pid, started at the same time. */
export function isAlive({ pid, started }: PidStamp): boolean {
  return stampOf(pid)?.started === started;
}

export function ownStamp(): PidStamp {
  return stampOf(process.pid) ?? { pid: process.pid, started: '' };
}

/** Reads a stamp from JSON text; undefined when it is none. */
export function parseStamp(text: string): PidStamp | undefined {
  try {
    return toStamp(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A value from a file, if it is a stamp. */
export function toStamp(value: unknown): PidStamp | undefined {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('started' in value))
    return undefined;
  const { pid, started } = value;
  // Signals to 0, 1 and negative numbers reach others than one process.
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 2 || typeof started !== 'string')
    return undefined;
  return { pid, started };
}

/** Field 22 of /proc/pid/stat, clock ticks since boot (proc(5)), with the boot's id: ticks begin again at each boot. */
function startedOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The program's name, in parentheses, may hold blanks and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${bootId()}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

let knownBootId: string | undefined;
function bootId(): string {
  knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().slice(0, 8);
  return knownBootId;
}

function startedByPs(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const [state = '', ...started] = line.split(/\s+/);
    return line === '' || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}
