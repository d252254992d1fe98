import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { highestVersion, isFileName, parseFileName } from '../file-name.ts';
import { environments } from '../strategy.ts';
import { CreateRefusedError } from './errors.ts';

/** Versions in use: those of the folder and of every overlay. */
export interface Taken {
  readonly highest: bigint;
  /** The digits most are written with; undefined in an empty folder. */
  readonly width: number | undefined;
  /** By version, the file that has it. */
  readonly files: ReadonlyMap<bigint, string>;
}

const timestampWidth = 14;

export async function takenVersions(folder: string): Promise<Taken> {
  const files = new Map<bigint, string>();
  const widths = new Map<number, number>();
  for (const place of ['', ...environments]) {
    for (const name of await readdir(join(folder, place)).catch(() => [])) {
      const parsed = parseFileName(name);
      if (!isFileName(parsed)) continue;
      files.set(parsed.version, join(place, name));
      if (place === '') widths.set(parsed.label.length, (widths.get(parsed.label.length) ?? 0) + 1);
    }
  }
  const highest = [...files.keys()].reduce((max, version) => (version > max ? version : max), 0n);
  const [usual] = [...widths].sort((a, b) => b[1] - a[1] || b[0] - a[0]);
  return { highest, width: usual?.[0], files };
}

/** The label of the next version: a number in the folder's padding, or a time where times are used. */
export function nextLabel({ highest, width }: Taken, asTimestamp: boolean, now: Date): string {
  const isTimestamp = asTimestamp || width === timestampWidth;
  const time = BigInt(now.toISOString().replace(/[-:T]|\.\d+Z$/g, ''));
  const version = isTimestamp ? (time > highest ? time : highest + 1n) : highest + 1n;
  if (version > highestVersion) throw new CreateRefusedError(`there is no version after ${highest}`, [], 3);
  return String(version).padStart(isTimestamp ? timestampWidth : (width ?? 6), '0');
}
