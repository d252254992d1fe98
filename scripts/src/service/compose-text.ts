import { isMap, isScalar, LineCounter, type ParsedNode, parseDocument } from 'yaml';

/** The lines of a key and all that belongs to it, counted from 0; `to` is the line after the last. */
export interface Block {
  readonly from: number;
  readonly to: number;
}

/**
 * A YAML file that grows line by line, so that its comments, anchors and blank lines stay as they were written. Read it
 * with {@link blockAt}; every change is an insertion, after which the file is read anew.
 */
export class ComposeText {
  /** Without their \n; a \r stays where it is. */
  readonly #lines: string[];
  /** What the lines say as YAML; undefined after a change. */
  #parsed: { contents: ParsedNode | null; counter: LineCounter } | undefined;

  constructor(text: string) {
    this.#lines = text.split('\n');
  }

  toString(): string {
    return this.#lines.join('\n');
  }

  lines({ from, to }: Block): string[] {
    return this.#lines.slice(from, to);
  }

  /** The keys of the map at `path`, in order; none when there is no map. */
  keysAt(path: readonly string[]): string[] {
    const { value } = this.#find(path) ?? {};
    return isMap(value) ? value.items.flatMap(({ key }) => (isScalar(key) ? [String(key.value)] : [])) : [];
  }

  /** The block of the key at `path`, without the comments above it; undefined when there is none. */
  blockAt(path: readonly string[]): Block | undefined {
    const found = this.#find(path);
    if (found === undefined) return undefined;
    const from = found.line;
    let to = from + 1;
    for (let line = to; line < this.#lines.length; line++) {
      const text = this.#lines[line] ?? '';
      if (text.trim() === '') continue;
      if (text.search(/\S/) <= found.column) break;
      to = line + 1;
    }
    return { from, to };
  }

  /** The text of the value at `path`, as it is meant, or undefined when it is no text. */
  valueAt(path: readonly string[]): string | undefined {
    const { value } = this.#find(path) ?? {};
    return isScalar(value) ? String(value.value ?? '') : undefined;
  }

  /** Puts `lines` before the line numbered `at`. */
  insert(at: number, lines: readonly string[]): void {
    this.#lines.splice(at, 0, ...lines);
    this.#parsed = undefined;
  }

  /** Adds a word to the value at `path`: on its last line, or on a new one when that would be longer than `width`. */
  appendWord(path: readonly string[], word: string, width = 110): void {
    const found = this.#find(path);
    const block = this.blockAt(path);
    if (found === undefined || block === undefined || !isScalar(found.value)) return;
    const literal = found.value.type === 'BLOCK_LITERAL' || found.value.type === 'BLOCK_FOLDED';
    const end = literal ? undefined : this.#place(found.value.range?.[1] ?? 0);
    const line = end?.line ?? block.to - 1;
    const text = this.#lines[line] ?? '';
    const quoted = /^QUOTE/.test(found.value.type ?? '') ? 1 : 0;
    const at = end === undefined ? text.trimEnd().length : end.column - quoted;
    const [before, after] = [text.slice(0, at), text.slice(at)];
    const indent = ' '.repeat(literal ? text.search(/\S/) : found.column + 2);
    const grown =
      text.length + word.length < width
        ? [`${before} ${word}${after}`]
        : [`${before}${text.endsWith('\r') ? '\r' : ''}`, `${indent}${word}${after}`];
    this.#lines.splice(line, 1, ...grown);
    this.#parsed = undefined;
  }

  #find(path: readonly string[]) {
    const { contents, counter } = this.#parse();
    // A merge or an alias on the way is not followed: what is added belongs to the service itself.
    let value: ParsedNode | null | undefined = contents;
    let offset = 0;
    for (const name of path) {
      const pair = isMap(value)
        ? value.items.find(({ key }) => isScalar(key) && key.value === name)
        : undefined;
      if (pair === undefined) return undefined;
      offset = (pair.key as ParsedNode).range[0];
      value = pair.value as ParsedNode | null;
    }
    const { line, col } = counter.linePos(offset);
    return { value, line: line - 1, column: col - 1 };
  }

  #parse() {
    if (this.#parsed === undefined) {
      const counter = new LineCounter();
      const { contents } = parseDocument(this.toString(), { lineCounter: counter, logLevel: 'silent' });
      this.#parsed = { contents, counter };
    }
    return this.#parsed;
  }

  #place(offset: number): { line: number; column: number } {
    const before = this.toString().slice(0, offset).split('\n');
    return { line: before.length - 1, column: before.at(-1)?.length ?? 0 };
  }
}
