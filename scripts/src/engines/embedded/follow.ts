import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogOptions } from '../../engine.ts';
import { LogPrinter, timeIn, withTimes } from '../log-lines.ts';
import { readRuns } from './log-file.ts';

/** Prints the services' logs in the order of time, each line after its time and its service; follows when asked to. */
export async function printLogs(folder: string, options: LogOptions): Promise<void> {
  const printer = new LogPrinter(options);
  const logs = options.services.map((service) => {
    const path = join(folder, `${service}.log`);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const lines = readRuns(path).flatMap((run) => withTimes(service, run.lines, run.at));
    const tail = options.tail === 0 ? [] : lines.slice(-(options.tail ?? lines.length));
    const print = (text: string) => printer.print({ service, at: timeIn(text) ?? Date.now(), text });
    return { lines: tail, follower: new LogFollower(path, size, print) };
  });
  printer.printAll(logs.flatMap(({ lines }) => lines));
  while (options.follow && !options.signal.aborted) {
    await sleep(150, undefined, { signal: options.signal }).catch(() => undefined);
    for (const { follower } of logs) follower.read();
  }
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
