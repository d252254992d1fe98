import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogOptions } from '../../engine.ts';
import { tailLog } from './log-file.ts';

/** Prints the services' logs, each line after its service's name; goes on with what is added when asked to follow. */
export async function printLogs(folder: string, options: LogOptions): Promise<void> {
  const width = Math.max(...options.services.map((name) => name.length));
  const readers = options.services.map((service) => {
    const path = join(folder, `${service}.log`);
    const prefix = options.services.length === 1 ? '' : `${service.padEnd(width)} |`;
    const print = (line: string) => options.write(`${labelled(prefix, line)}\n`);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const lines = tailLog(path, 0, options.tail ?? Number.MAX_SAFE_INTEGER);
    for (const line of lines) print(line);
    return new LogFollower(path, size, print);
  });
  while (options.follow && !options.signal.aborted) {
    await sleep(150, undefined, { signal: options.signal }).catch(() => undefined);
    for (const reader of readers) reader.read();
  }
}

function labelled(prefix: string, line: string): string {
  if (prefix === '') return line;
  return line === '' ? prefix : `${prefix} ${line}`;
}

/** Reads what is appended to one file, by whole lines. */
class LogFollower {
  readonly #path: string;
  readonly #write: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  readonly #buffer = Buffer.alloc(64 * 1024);
  #offset: number;
  #pending = '';

  constructor(path: string, offset: number, write: (line: string) => void) {
    this.#path = path;
    this.#offset = offset;
    this.#write = write;
  }

  read(): void {
    if (!existsSync(this.#path)) return;
    const file = openSync(this.#path, 'r');
    try {
      // Emptied because it grew too large.
      if (statSync(this.#path).size < this.#offset) this.#offset = 0;
      for (;;) {
        const length = readSync(file, this.#buffer, 0, this.#buffer.length, this.#offset);
        if (length === 0) break;
        this.#offset += length;
        this.#pending += this.#decoder.write(this.#buffer.subarray(0, length));
      }
    } finally {
      closeSync(file);
    }
    const lines = this.#pending.split('\n');
    this.#pending = lines.pop() ?? '';
    for (const line of lines) this.#write(line);
  }
}
