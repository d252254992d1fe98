import { interpolate, type Lookup } from './interpolate.ts';

/** What is wrong in the text of a `.env`, and where; line and column count from 1. */
export interface EnvMistake {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A `.env`, read. */
export interface EnvText {
  /** Without the names that stand alone and that nobody gives a value. */
  readonly values: ReadonlyMap<string, string>;
  readonly mistakes: readonly EnvMistake[];
  /** Not wrong, but hardly meant: a name without a value, a variable that is not set. */
  readonly warnings: readonly EnvMistake[];
}

/** What Go's `unicode.IsSpace` takes for a blank; JavaScript's `\s` differs. */
const blank = '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const trailingBlanks = new RegExp(`[${blank}]+$`);
const leadingBlanks = new RegExp(`[${blank}]*`, 'y');
const blanksOfLine = /[\t\v\f\r \u0085\u00a0]*/y;
const exportWord = /export[\t\n\f\r ]+/y;
const nameCharacter = /[\p{L}\p{N}_.[\]\-\t\v\f\r \u0085\u00a0]/u;

/**
 * Reads the text of a `.env` or of a service's `env_file` as Docker Compose 2.40 does (compose-go, `dotenv`).
 *
 * `NAME=value`, `NAME: value` and `export NAME=value`; a name alone takes its value from `lookup`. Unquoted values end
 * with the line or before ` #`; those in double quotes know escapes, those in single quotes only `\'`, and both may
 * have several lines. Variables are filled in but for single quotes: from `lookup`, else from the lines before.
 */
export function parseEnvText(text: string, lookup: Lookup): EnvText {
  const reader = new EnvReader(text.replace(/^\uFEFF/, ''), lookup);
  reader.read();
  return reader;
}

class EnvReader implements EnvText {
  readonly values = new Map<string, string>();
  readonly mistakes: EnvMistake[] = [];
  readonly warnings: EnvMistake[] = [];
  readonly #text: string;
  readonly #lookup: Lookup;
  #at = 0;

  constructor(text: string, lookup: Lookup) {
    this.#text = text;
    this.#lookup = lookup;
  }

  read(): void {
    for (;;) {
      this.#skip(leadingBlanks);
      if (this.#at >= this.#text.length) return;
      if (this.#text[this.#at] === '#') this.#skipLine();
      else this.#statement();
    }
  }

  #statement(): void {
    this.#skip(exportWord);
    const start = this.#at;
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at] ?? '';
      if (character === '=' || character === ':' || character === '\n') break;
      const whole = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
      if (!nameCharacter.test(whole)) {
        this.#wrong(this.#at, `expected NAME=value, got ${JSON.stringify(whole)} in the name`);
        this.#skipLine();
        return;
      }
      this.#at += whole.length - 1;
    }
    const name = this.#text.slice(start, this.#at).replace(trailingBlanks, '');
    if (name.includes(' ')) {
      this.#wrong(start + name.indexOf(' '), 'expected NAME=value, got a blank in the name');
      this.#skipLine();
      return;
    }
    const isAlone = this.#at >= this.#text.length || this.#text[this.#at] === '\n';
    this.#at += 1;
    this.#skip(blanksOfLine);
    if (isAlone) this.#inherit(name, start);
    else this.#value(name);
  }

  #inherit(name: string, start: number): void {
    const value = this.#lookup(name);
    if (value !== undefined) this.values.set(name, value);
    else this.#warn(start, `${name} has no value, and nor has it in the environment`);
  }

  #value(name: string): void {
    const from = this.#at;
    const quote = this.#text[from];
    if (quote !== '"' && quote !== "'") {
      const end = this.#text.indexOf('\n', from);
      this.#at = end === -1 ? this.#text.length : end;
      const [line = ''] = this.#text.slice(from, this.#at).split(' #');
      this.values.set(name, this.#filled(line.replace(trailingBlanks, ''), from));
      return;
    }
    const inner = this.#quoted(quote);
    if (inner === undefined) {
      this.#wrong(from, `the quote ${quote} is not closed`);
      this.#at = this.#text.length;
    } else this.values.set(name, quote === '"' ? this.#filled(unescaped(inner), from) : inner);
  }

  /** The text between quotes, with `\` before the quote taken away; undefined when it does not end. */
  #quoted(quote: string): string | undefined {
    let inner = '';
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const character = this.#text.charAt(at);
      if (character === quote) {
        this.#at = at + 1;
        return inner;
      }
      if (character === '\\' && at + 1 < this.#text.length) {
        at += 1;
        inner += this.#text[at] === quote ? quote : `\\${this.#text.charAt(at)}`;
      } else inner += character;
    }
    return undefined;
  }

  #filled(value: string, from: number): string {
    const { text, mistakes, unset } = interpolate(
      value,
      (name) => this.#lookup(name) ?? this.values.get(name),
    );
    for (const mistake of mistakes) this.#wrong(from, mistake);
    for (const name of unset) this.#warn(from, `${name} is not set; it counts as empty`);
    return text;
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    this.#at += pattern.exec(this.#text)?.[0].length ?? 0;
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end;
  }

  #wrong(at: number, text: string): void {
    this.mistakes.push({ ...this.#place(at), text });
  }

  #warn(at: number, text: string): void {
    this.warnings.push({ ...this.#place(at), text });
  }

  #place(at: number): { line: number; column: number } {
    const before = this.#text.slice(0, at).split('\n');
    return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
  }
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  '\\': '\\',
  $: '$$',
};

/** The escapes of double quotes; those that are none stay as they are. An octal number has three digits after `\0`. */
function unescaped(text: string): string {
  return text.replace(/\\(?:([abcfnrtv$"\\])|0(\d{0,3}))/g, (whole, letter?: string, digits = '') => {
    if (letter !== undefined) return escapes[letter] ?? whole;
    if (!/^[0-3][0-7]{2}$/.test(digits)) return `\\${digits}`;
    return String.fromCodePoint(Number.parseInt(digits, 8));
  });
}

/** How a value is written in a `.env`, so that Compose and {@link parseEnvText} read the same again. */
export function quoteEnvValue(value: string): string {
  if (/^[\w-]+$/.test(value)) return value;
  // Between single quotes every character stands for itself; only `\'`, and a backslash at the end, would not.
  if (!value.includes("'") && !value.endsWith('\\')) return `'${value}'`;
  return `"${value.replace(/[\\"$]/g, '\\$&')}"`;
}

/**
 * Reads an `env_file` of `format: raw` as Compose does (docker/cli, `kvfile`): every line is `NAME=value` with the value
 * as it stands, a comment, or a name whose value `lookup` has.
 */
export function parseRawEnv(text: string, lookup: Lookup): EnvText {
  const values = new Map<string, string>();
  const mistakes: EnvMistake[] = [];
  const warnings: EnvMistake[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.replace(/\r$/, '').replace(new RegExp(`^[${blank}]+`), '');
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const name = equals === -1 ? line : line.slice(0, equals);
    const place = { line: index + 1, column: raw.indexOf(line) + 1 };
    const inherited = equals === -1 ? lookup(name) : undefined;
    if (name === '' || /[ \t]/.test(name)) mistakes.push({ ...place, text: 'expected NAME=value' });
    else if (equals !== -1) values.set(name, line.slice(equals + 1));
    else if (inherited !== undefined) values.set(name, inherited);
    else warnings.push({ ...place, text: `${name} has no value, and nor has it in the environment` });
  }
  return { values, mistakes, warnings };
}
