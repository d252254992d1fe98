import type { LogOptions } from '../engine.ts';

/** A line that a service printed, and when, in milliseconds since 1970. */
export interface LogLine {
  readonly service: string;
  readonly at: number;
  readonly text: string;
}

/**
 * Prints lines of several services in the order of time, each after its time (UTC) and its service's name; of one service the
 * lines as they are.
 */
export class LogPrinter {
  readonly #write: (text: string) => void;
  readonly #width: number;

  constructor({ services, write }: Pick<LogOptions, 'services' | 'write'>) {
    this.#write = write;
    this.#width = services.length === 1 ? 0 : Math.max(...services.map((name) => name.length));
  }

  /** Of lines of the same moment, those of one service stay together in their order. */
  printAll(lines: readonly LogLine[]): void {
    for (const line of lines.toSorted((one, other) => one.at - other.at)) this.print(line);
  }

  print({ service, at, text }: LogLine): void {
    if (this.#width === 0) this.#write(`${text}\n`);
    else {
      const time = new Date(at).toISOString().slice(11, 23);
      this.#write(`${`${time} ${service.padEnd(this.#width)} | ${text}`.trimEnd()}\n`);
    }
  }
}

const inJson = /"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"/;
const atBegin = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?) ?(?:Z|UTC|GMT)\b/;

/** When a program says it printed a line: `"time"` of JSON, or what Postgres and Vault begin theirs with. */
export function timeIn(text: string): number | undefined {
  const json = text.startsWith('{') ? inJson.exec(text)?.[1] : undefined;
  const plain = json === undefined ? atBegin.exec(text) : null;
  const time = Date.parse(json ?? (plain === null ? '' : `${plain[1]}T${plain[2]}Z`));
  return Number.isNaN(time) ? undefined : time;
}

/** Gives each line the time it tells itself, else that of the line before; never an earlier one than that. */
export function withTimes(service: string, texts: readonly string[], begin: number): LogLine[] {
  let at = begin;
  return texts.map((text) => {
    at = Math.max(at, timeIn(text) ?? at);
    return { service, at, text };
  });
}
