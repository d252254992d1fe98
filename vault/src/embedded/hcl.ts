/** A value of HCL version 1, the language policies are written in. */
export type HclValue = string | number | boolean | HclValue[] | HclBlock;

/** One `key = value` or `key "label" { ... }`; labels follow the key in `keys`. */
export interface HclItem {
  readonly keys: readonly string[];
  readonly value: HclValue;
  /** `line:column`, both from 1. */
  readonly at: string;
}

/** What stands between braces, or a whole file. Keys may repeat, so this is a list. */
export interface HclBlock {
  readonly items: readonly HclItem[];
}

/** The text is not HCL; the message begins with `At line:column:`. */
export class HclError extends Error {
  constructor(at: string, problem: string) {
    super(`At ${at}: ${problem}`);
  }
}

/** Whether `value` is what stood between braces. */
export function isBlock(value: HclValue): value is HclBlock {
  return typeof value === 'object' && !Array.isArray(value);
}

const deepest = 32;

/**
 * Parses HCL version 1: `key = value`, blocks with quoted or bare labels, strings with escapes, heredocs, numbers,
 * booleans, lists, and the comments `#`, `//` and C's. Nothing is evaluated: `${}` stays text.
 *
 * @throws {HclError}
 */
export function parseHcl(text: string): HclBlock {
  return new Parser(text.replace(/^\uFEFF/, '')).file();
}

class Parser {
  readonly #text: string;
  readonly #lineStarts = [0];
  #position = 0;

  constructor(text: string) {
    this.#text = text;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1))
      this.#lineStarts.push(end + 1);
  }

  file(): HclBlock {
    const items = this.#items(0);
    if (this.#position < this.#text.length) throw this.#unexpected('expected a key');
    return { items };
  }

  #items(depth: number): HclItem[] {
    if (depth > deepest) throw this.#error('too deeply nested');
    const items: HclItem[] = [];
    for (;;) {
      this.#skip();
      const next = this.#text[this.#position];
      if (next === undefined || next === '}') return items;
      items.push(this.#item(depth));
      this.#skip();
      if (this.#text[this.#position] === ',') this.#position++;
    }
  }

  #item(depth: number): HclItem {
    const at = this.#where();
    const keys = [this.#key()];
    for (;;) {
      this.#skip();
      const next = this.#text[this.#position];
      if (next === '=') {
        this.#position++;
        this.#skip();
        return { keys, value: this.#value(depth), at };
      }
      if (next === '{') return { keys, value: this.#block(depth), at };
      keys.push(this.#key());
    }
  }

  #key(): string {
    if (this.#text[this.#position] === '"') return this.#string();
    const bare = this.#match(/[\p{L}_][\p{L}\p{N}_.-]*/uy);
    if (bare === undefined) throw this.#unexpected('expected a key, "=" or "{"');
    return bare;
  }

  #value(depth: number): HclValue {
    const next = this.#text[this.#position];
    if (next === '"') return this.#string();
    if (next === '[') return this.#list(depth);
    if (next === '{') return this.#block(depth);
    if (next === '<') return this.#heredoc();
    const word = this.#match(/true\b|false\b/y);
    if (word !== undefined) return word === 'true';
    const number = this.#match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y);
    if (number !== undefined) return Number(number);
    throw this.#unexpected('expected a value');
  }

  #block(depth: number): HclBlock {
    const opened = this.#where();
    this.#position++;
    const items = this.#items(depth + 1);
    if (this.#text[this.#position] !== '}') throw new HclError(opened, 'this "{" is never closed');
    this.#position++;
    return { items };
  }

  #list(depth: number): HclValue[] {
    if (depth > deepest) throw this.#error('too deeply nested');
    const opened = this.#where();
    this.#position++;
    const values: HclValue[] = [];
    for (;;) {
      this.#skip();
      const next = this.#text[this.#position];
      if (next === undefined) throw new HclError(opened, 'this "[" is never closed');
      if (next === ']') break;
      values.push(this.#value(depth + 1));
      this.#skip();
      if (this.#text[this.#position] === ',') this.#position++;
      else if (this.#text[this.#position] !== ']') throw this.#unexpected('expected "," or "]"');
    }
    this.#position++;
    return values;
  }

  #string(): string {
    const opened = this.#where();
    const raw = this.#match(/"(?:[^"\\\n]|\\[^\n])*"/y);
    if (raw === undefined) throw new HclError(opened, 'this string is never closed');
    return raw
      .slice(1, -1)
      .replace(/\\(?:u([\da-fA-F]{4})|(.))/g, (_, code: string | undefined, letter: string) => {
        if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
        const meant = escapes[letter];
        if (meant === undefined) throw new HclError(opened, `unknown escape \\${letter} in this string`);
        return meant;
      });
  }

  #heredoc(): string {
    const opened = this.#where();
    const start = this.#match(/<<-?\s*\w+\r?\n/y);
    const word = start === undefined ? undefined : /\w+/.exec(start)?.[0];
    if (start === undefined || word === undefined) throw this.#unexpected('expected a value');
    const indented = start.startsWith('<<-');
    const lines: string[] = [];
    for (;;) {
      const line = this.#match(/[^\n]*(?:\n|$)/y) ?? '';
      if (line.trim() === word) return lines.map((kept) => (indented ? kept.trimStart() : kept)).join('');
      if (this.#position >= this.#text.length)
        throw new HclError(opened, `no line ends this text with ${word}`);
      lines.push(line);
    }
  }

  /** Skips blanks and comments. */
  #skip(): void {
    for (;;) {
      this.#match(/[\s\uFEFF]+/y);
      const at = this.#where();
      if (this.#match(/#[^\n]*|\/\/[^\n]*/y) !== undefined) continue;
      if (!this.#text.startsWith('/*', this.#position)) return;
      const end = this.#text.indexOf('*/', this.#position + 2);
      if (end === -1) throw new HclError(at, 'this comment is never closed');
      this.#position = end + 2;
    }
  }

  #match(sticky: RegExp): string | undefined {
    sticky.lastIndex = this.#position;
    const found = sticky.exec(this.#text)?.[0];
    if (found !== undefined) this.#position += found.length;
    return found;
  }

  #where(): string {
    // By halving: a scan from the start for every key would take a long file minutes.
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= this.#position) low = middle;
      else high = middle;
    }
    return `${low + 1}:${this.#position - (this.#lineStarts[low] ?? 0) + 1}`;
  }

  #error(problem: string): HclError {
    return new HclError(this.#where(), problem);
  }

  #unexpected(expected: string): HclError {
    const found = this.#text[this.#position];
    return this.#error(`${expected}, found ${found === undefined ? 'the end' : JSON.stringify(found)}`);
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\' };
