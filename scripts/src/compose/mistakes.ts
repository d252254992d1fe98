import { StackFileError } from '../errors.ts';

/** A place in a file of the stack; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Collects what is wrong in the stack's files, so that all of it is reported at once. */
export class Mistakes {
  readonly #found: { place: Place; text: string }[] = [];
  readonly warnings: string[] = [];

  add(place: Place, text: string): void {
    this.#found.push({ place, text });
  }

  warn(place: Place, text: string): void {
    const line = `${show(place)}  ${text}`;
    if (!this.warnings.includes(line)) this.warnings.push(line);
  }

  /** @throws {StackFileError} when anything was added; each place and text once, in order of place */
  finish(): void {
    if (this.#found.length === 0) return;
    const sorted = [...this.#found].sort(
      (a, b) =>
        a.place.file.localeCompare(b.place.file) ||
        a.place.line - b.place.line ||
        a.place.column - b.place.column,
    );
    throw new StackFileError([...new Set(sorted.map(({ place, text }) => `${show(place)}  ${text}`))]);
  }
}

function show({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}
