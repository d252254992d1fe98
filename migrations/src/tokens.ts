import {
  ampersand,
  backslash,
  colon,
  dollar,
  dot,
  doubleQuote,
  equals,
  isBlank,
  isDigit,
  isLetter,
  isLetterOrDigit,
  isOperator,
  isStandardOperator,
  minus,
  plus,
  quote,
  slash,
  star,
} from './characters.ts';
import { UnfinishedSqlError } from './file-errors.ts';

/**
 * What a token is. A `string` is any constant in quotes or dollar quotes, its prefix included; a `symbol` is one of
 * the single characters that Postgres takes alone, such as `(` or `;`, and any character it does not know.
 */
export type TokenKind =
  | 'word'
  | 'quoted word'
  | 'string'
  | 'number'
  | 'parameter'
  | 'operator'
  | 'symbol'
  | 'end';

const notBlank = /[^ \t\n\r\f\v]/g;
const lineEnd = /[\r\n]/g;
const beyondAscii = /[^\0-\x7f]/;

/** Postgres refuses a longer operator, so a longer run of operator characters need not be taken apart. */
const longestOperator = 64;

/**
 * Reads the tokens of SQL text one after another, without their comments and blank space, by the rules of Postgres'
 * own scanner (`src/backend/parser/scan.l`) with `standard_conforming_strings` on.
 *
 * One token at a time and no copies, so that a file of many megabytes costs its own size once.
 */
export class TokenReader {
  readonly text: string;
  kind: TokenKind = 'end';
  /** Where the token begins and ends, in UTF-16 code units. */
  start = 0;
  end = 0;
  /** Whether the token is a string in which a backslash escapes. */
  #escapes = false;

  constructor(text: string) {
    this.text = text;
  }

  /**
   * Moves to the next token; false at the end of the text.
   *
   * @throws {UnfinishedSqlError} when a quote or comment is never closed
   */
  next(): boolean {
    const { text } = this;
    const start = this.#passBlank(this.end);
    this.start = start;
    if (start >= text.length) {
      this.kind = 'end';
      this.end = start;
      return false;
    }
    const code = text.charCodeAt(start);
    this.#escapes = code === quote && this.#continuesEscapes(start);
    if (isLetter(code)) this.#word(code);
    else if (code === quote) this.#string(start + 1);
    else if (isDigit(code) || (code === dot && isDigit(text.charCodeAt(start + 1)))) this.#number();
    else if (code === doubleQuote)
      this.#take('quoted word', this.#closingQuote(start, start + 1, doubleQuote));
    else if (code === dollar) this.#dollar();
    else if (isOperator(code)) this.#operator();
    else if (isPair(code, text.charCodeAt(start + 1))) this.#take('operator', start + 2);
    else this.#take('symbol', start + 1);
    return true;
  }

  /** The token as Postgres compares it: a word in lower case (ASCII only, as Postgres folds), else as written. */
  spelling(): string {
    const written = this.text.slice(this.start, this.end);
    return this.kind === 'word' || this.kind === 'number' ? fold(written) : written;
  }

  /** The code of a `symbol`'s character, 0 for any other token. */
  symbol(): number {
    return this.kind === 'symbol' ? this.text.charCodeAt(this.start) : 0;
  }

  /** Continues at `offset`, which lies behind the current token. */
  skipTo(offset: number): void {
    this.end = offset;
  }

  #take(kind: TokenKind, end: number): void {
    this.kind = kind;
    this.end = end;
  }

  /** Takes the string whose contents begin at `from`. */
  #string(from: number): void {
    const { start } = this;
    this.#take(
      'string',
      this.#escapes ? this.#escapedEnd(start, from) : this.#closingQuote(start, from, quote),
    );
  }

  /** Takes a bit string, in which a doubled quote does not stand for itself. */
  #bits(from: number): void {
    const close = this.text.indexOf("'", from);
    if (close === -1) throw new UnfinishedSqlError(this.start, 'quoted string');
    this.#take('string', close + 1);
  }

  /** Passes blank space, `--` comments up to the end of their line, and block comments, which nest. */
  #passBlank(from: number): number {
    const { text } = this;
    let at = from;
    for (;;) {
      const code = text.charCodeAt(at);
      if (isBlank(code)) at = isBlank(text.charCodeAt(at + 1)) ? this.#find(notBlank, at + 2) : at + 1;
      else if (code === minus && text.charCodeAt(at + 1) === minus) at = this.#lineEnd(at + 2);
      else if (code === slash && text.charCodeAt(at + 1) === star) at = this.#commentEnd(at);
      else return at;
    }
  }

  #lineEnd(from: number): number {
    return this.#find(lineEnd, from);
  }

  /** Where `pattern`, of one character, is next found, else the end: by the engine's own search, which is fast from the first run on. */
  #find(pattern: RegExp, from: number): number {
    pattern.lastIndex = from;
    return pattern.test(this.text) ? pattern.lastIndex - 1 : this.text.length;
  }

  #commentEnd(start: number): number {
    const { text } = this;
    let depth = 1;
    let at = start + 2;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === star && text.charCodeAt(at + 1) === slash) {
        at += 2;
        depth -= 1;
        if (depth === 0) return at;
      } else if (code === slash && text.charCodeAt(at + 1) === star) {
        at += 2;
        depth += 1;
      } else {
        at += 1;
      }
    }
    throw new UnfinishedSqlError(start, 'comment');
  }

  /** Where a quote that opened at `start` ends, when a doubled one stands for itself and a backslash is a backslash. */
  #closingQuote(start: number, from: number, mark: number): number {
    const { text } = this;
    const character = mark === quote ? "'" : '"';
    let at = text.indexOf(character, from);
    while (at !== -1 && text.charCodeAt(at + 1) === mark) at = text.indexOf(character, at + 2);
    if (at !== -1) return at + 1;
    throw new UnfinishedSqlError(start, mark === quote ? 'quoted string' : 'quoted identifier');
  }

  /** Where an `E'…'` string ends, whose backslash takes the next character with it. */
  #escapedEnd(start: number, from: number): number {
    const { text } = this;
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === backslash) at += 1;
      else if (code === quote) {
        if (text.charCodeAt(at + 1) !== quote) return at + 1;
        at += 1;
      }
    }
    throw new UnfinishedSqlError(start, 'quoted string');
  }

  /**
   * Whether a quote at `start` continues the string before it, and with it its escapes: in `E'a'`, newline, `'b\'c'`
   * the second quote of the last line closes nothing. Only blank space with a newline, and `--` comments, may lie
   * between.
   */
  #continuesEscapes(start: number): boolean {
    if (!this.#escapes) return false;
    const between = this.text.slice(this.end, start).replace(/--[^\r\n]*/g, '');
    return /[\r\n]/.test(between) && between.trim() === '';
  }

  #word(first: number): void {
    const { text, start } = this;
    if (this.#prefixedQuote(first)) return;
    let at = start + 1;
    while (isLetterOrDigit(text.charCodeAt(at)) || text.charCodeAt(at) === dollar) at += 1;
    this.#take('word', at);
  }

  /** Takes `E'…'`, `B'…'`, `X'…'`, `N'…'`, `U&'…'` or `U&"…"`; false when the letter only begins a word. */
  #prefixedQuote(first: number): boolean {
    const { text, start } = this;
    const second = text.charCodeAt(start + 1);
    if (second !== quote && second !== ampersand) return false;
    const prefix = String.fromCharCode(first | 32);
    if (prefix === 'u') {
      const mark = second === ampersand ? text.charCodeAt(start + 2) : 0;
      if (mark !== quote && mark !== doubleQuote) return false;
      this.#take(mark === quote ? 'string' : 'quoted word', this.#closingQuote(start, start + 3, mark));
      return true;
    }
    if (second !== quote || !/[ebxn]/.test(prefix)) return false;
    this.#escapes = prefix === 'e';
    if (prefix === 'b' || prefix === 'x') this.#bits(start + 2);
    else this.#string(start + 2);
    return true;
  }

  /** Takes letters with the digits: what Postgres makes of `1_000`, `0xFF` or `1e5` depends on its version. */
  #number(): void {
    const { text } = this;
    let at = this.start + 1;
    for (;;) {
      const code = text.charCodeAt(at);
      const sign = code === plus || code === minus;
      const exponent = sign && (text.charCodeAt(at - 1) | 32) === 101 && isDigit(text.charCodeAt(at + 1));
      if (!isLetterOrDigit(code) && code !== dot && !exponent) break;
      at += 1;
    }
    this.#take('number', at);
  }

  /** A parameter (`$1`), a dollar quote (`$$`, `$tag$`), or a dollar sign alone. */
  #dollar(): void {
    const { text, start } = this;
    let at = start + 1;
    if (isDigit(text.charCodeAt(at))) {
      while (isDigit(text.charCodeAt(at))) at += 1;
      this.#take('parameter', at);
      return;
    }
    if (isLetter(text.charCodeAt(at))) while (isLetterOrDigit(text.charCodeAt(at))) at += 1;
    if (text.charCodeAt(at) !== dollar) {
      this.#take('symbol', start + 1);
      return;
    }
    const mark = text.slice(start, at + 1);
    const close = text.indexOf(mark, at + 1);
    if (close === -1) throw new UnfinishedSqlError(start, `dollar quote ${shorten(mark)}`);
    this.#take('string', close + mark.length);
  }

  /** Takes the longest run of operator characters, which a comment ends, and leaves signs to what follows. */
  #operator(): void {
    const { text, start } = this;
    let at = start;
    let mayEndInSign = false;
    for (let code = text.charCodeAt(at); isOperator(code); code = text.charCodeAt(++at)) {
      const following = text.charCodeAt(at + 1);
      if ((code === minus && following === minus) || (code === slash && following === star)) break;
      mayEndInSign ||= !isStandardOperator(code);
    }
    if (!mayEndInSign && at - start <= longestOperator) {
      while (at - start > 1 && (text.charCodeAt(at - 1) === plus || text.charCodeAt(at - 1) === minus))
        at -= 1;
    }
    this.#take('operator', at);
  }
}

/** `::`, `:=` and `..`, which are written without blank space inside. */
function isPair(code: number, following: number): boolean {
  return (
    (code === colon && (following === colon || following === equals)) || (code === dot && following === dot)
  );
}

/** Folds a word to lower case as Postgres does in UTF-8: ASCII letters only. */
function fold(word: string): string {
  return beyondAscii.test(word)
    ? word.replace(/[A-Z]+/g, (ascii) => ascii.toLowerCase())
    : word.toLowerCase();
}

function shorten(mark: string): string {
  return mark.length > 40 ? `${mark.slice(0, 40)}…` : mark;
}
