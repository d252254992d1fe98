import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Smaller files are read faster than looked up. */
const worthRemembering = 512 * 1024;

/**
 * Hashes of what files hold. Those of large files are remembered as long as the file has the same place on the disk, size
 * and times: a look at unchanged stand-ins would else read two hundred megabytes.
 */
export class ContentHashes {
  readonly #file: string;
  readonly #known: Readonly<Record<string, string>>;
  readonly #used: Record<string, string> = {};

  /** @param file where the hashes are kept; one that is missing or damaged is a new one */
  constructor(file: string) {
    this.#file = file;
    this.#known = readKnown(file);
  }

  /** The hash of a file's content. */
  of(path: string): string {
    const { size, ino, dev, mtimeMs, ctimeMs } = statSync(path);
    if (size < worthRemembering) return hashOf(path);
    const stamp = [path, dev, ino, size, mtimeMs, ctimeMs].join('|');
    const hash = this.#known[stamp] ?? hashOf(path);
    this.#used[stamp] = hash;
    return hash;
  }

  /** Writes what was asked for, and forgets the rest. Never throws: it only saves time. */
  save(): void {
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      writeFileSync(`${this.#file}.${process.pid}.new`, JSON.stringify(this.#used), { mode: 0o600 });
      renameSync(`${this.#file}.${process.pid}.new`, this.#file);
    } catch {
      // The next look reads the files again.
    }
  }
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function readKnown(file: string): Record<string, string> {
  try {
    const known: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof known === 'object' && known !== null ? { ...(known as Record<string, string>) } : {};
  } catch {
    return {};
  }
}
