import { appendFile, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Beyond this nothing is added: a sink that is gone for good must not fill the disk. */
const largestSpool = 16 * 1024 * 1024;
/** What a run took out to send, and left because it was killed, is anybody's after this. */
const abandonedMilliseconds = 60_000;

/** Events that wait to be delivered, a JSON document a line. */
export class Spool {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  get path(): string {
    return this.#path;
  }

  /** Adds lines at the end, each whole; returns why not, when not. */
  async add(lines: readonly string[]): Promise<string | undefined> {
    if (lines.length === 0) return undefined;
    try {
      const size = await stat(this.#path).then(
        ({ size: bytes }) => bytes,
        () => 0,
      );
      if (size > largestSpool) return `it holds ${Math.round(size / 1024 / 1024)} MiB already`;
      await appendFile(this.#path, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Keeps lines apart that a sink will never take. */
  async setAside(lines: readonly string[]): Promise<string | undefined> {
    return new Spool(`${this.#path}.rejected`).add(lines);
  }

  /**
   * Takes every line out, for this run alone: another one that begins at the same time gets none of them. What is not
   * delivered must be added again.
   */
  async take(): Promise<{ readonly lines: readonly string[]; done(): Promise<void> }> {
    const taken = `${this.#path}.${process.pid}-${Date.now()}.sending`;
    const files = [...(await this.#abandoned())];
    try {
      await rename(this.#path, taken);
      files.push(taken);
    } catch {
      // Nothing waits.
    }
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
    const lines = texts.flatMap((text) => text.split('\n').filter((line) => line.trim() !== ''));
    return {
      lines,
      done: async () => {
        for (const file of files) await rm(file, { force: true }).catch(() => {});
      },
    };
  }

  async #abandoned(): Promise<string[]> {
    const folder = dirname(this.#path);
    const names = await readdir(folder).catch(() => []);
    const ours = names.filter(
      (name) => name.startsWith(`${basename(this.#path)}.`) && name.endsWith('.sending'),
    );
    const found: string[] = [];
    for (const name of ours) {
      const mtime = await stat(join(folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(),
      );
      if (Date.now() - mtime > abandonedMilliseconds) found.push(join(folder, name));
    }
    return found;
  }
}
