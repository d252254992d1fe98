import { execFile } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../environment.ts';
import { PreflightError, systemCode } from '../errors.ts';
import type { FileTree } from './file-tree.ts';

/** The libraries that programs of this machine load. */
export interface Libraries {
  /** Paths on this machine, the loader included. */
  readonly found: readonly string[];
  /** Names nothing was found for. */
  readonly missing: readonly string[];
}

/** Loaded by name at run time by older C libraries, so that no list shows them. */
const lookedUpByName = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'];

/**
 * Asks the loader, through `ldd`, which libraries `files` load, directly or not.
 *
 * @param folders searched before the system's
 * @throws {PreflightError} when there is no ldd
 */
export async function librariesOf(
  files: readonly string[],
  folders: readonly string[] = [],
): Promise<Libraries> {
  const stdout = await ldd(files, folders);
  const lines = stdout.split('\n').map((line) => line.trim());
  const found = lines.flatMap((line) => /^(?:\S+ => )?(\/.+) \(0x[0-9a-f]+\)$/.exec(line)?.[1] ?? []);
  const missing = lines.flatMap((line) => /^(\S+) => not found$/.exec(line)?.[1] ?? []);
  return { found: [...new Set(found)].sort(), missing: [...new Set(missing)].sort() };
}

async function ldd(files: readonly string[], folders: readonly string[]): Promise<string> {
  const env = { ...inheritedEnvironment(), LC_ALL: 'C', LD_LIBRARY_PATH: folders.join(':') };
  try {
    return (await promisify(execFile)('ldd', [...files], { env, maxBuffer: 16 * 1024 * 1024 })).stdout;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new PreflightError('ldd is not on PATH, so nobody knows which libraries a program needs', {
        hint: 'apt-get install libc-bin',
      });
    }
    // Its status is 1 when one of the files loads no libraries at all; the others were printed all the same.
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
  }
}

/**
 * Adds libraries to an image: the loader where programs look for it, all others beside the C library, which is where the
 * loader looks without being told.
 */
export function addLibraries(tree: FileTree, libraries: Libraries): void {
  const libc = libraries.found.find((path) => basename(path) === 'libc.so.6');
  for (const path of libraries.found) {
    const isLoader = /^ld(-linux.*|64)\.so\.\d+$/.test(basename(path));
    tree.copy(isLoader || libc === undefined ? path : join(dirname(libc), basename(path)), path, 0o755);
  }
  if (libc === undefined) return;
  for (const name of lookedUpByName) {
    const path = join(dirname(libc), name);
    if (!tree.has(path) && isElf(path)) tree.copy(path, path, 0o755);
  }
}

/** Whether a file is a program or library of Linux: not a script, and there. */
export function isElf(file: string): boolean {
  return readStart(file)?.subarray(0, 4).toString('latin1') === '\u007fELF';
}

/** Whether a program needs no loader and so no libraries: none of its segments names one (PT_INTERP, elf(5)). */
export function isStatic(file: string): boolean {
  const start = readStart(file);
  if (start === undefined || !isElf(file)) return false;
  const is64 = start[4] === 2;
  const isLittle = start[5] === 1;
  const short = (at: number) => (isLittle ? start.readUInt16LE(at) : start.readUInt16BE(at));
  const word = (at: number) => (isLittle ? start.readUInt32LE(at) : start.readUInt32BE(at));
  const table = is64 ? (isLittle ? word(32) : word(36)) : word(28);
  const [size, count] = is64 ? [short(54), short(56)] : [short(42), short(44)];
  const types = Array.from({ length: count }, (_, index) => table + index * size);
  return types.every((at) => at + 4 <= start.length && word(at) !== 3);
}

function readStart(file: string): Buffer | undefined {
  try {
    const opened = openSync(file, 'r');
    try {
      const start = Buffer.alloc(4096);
      const length = readSync(opened, start);
      return length < 64 ? undefined : start.subarray(0, length);
    } finally {
      closeSync(opened);
    }
  } catch {
    return undefined;
  }
}
