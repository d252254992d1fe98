/** Looks a variable up; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

/** The text with its variables filled in, what is wrong with it, and which variables had neither value nor default. */
export interface Interpolated {
  readonly text: string;
  readonly mistakes: readonly string[];
  readonly unset: readonly string[];
}

/**
 * Fills in `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR-default}`, `${VAR:?message}`, `${VAR?message}`,
 * `${VAR:+other}` and `${VAR+other}`, nested at will; `$$` is a dollar sign.
 *
 * The rules are the Compose Specification's (section Interpolation): with the colon an empty value counts as unset, and
 * an unset variable without a default becomes empty.
 */
export function interpolate(text: string, lookup: Lookup): Interpolated {
  if (!text.includes('$')) return { text, mistakes: [], unset: [] };
  const reader = new Reader(text, lookup);
  const result = reader.read(false);
  return { text: result, mistakes: reader.mistakes, unset: reader.unset };
}

class Reader {
  readonly mistakes: string[] = [];
  readonly unset: string[] = [];
  readonly #text: string;
  readonly #lookup: Lookup;
  #at = 0;

  constructor(text: string, lookup: Lookup) {
    this.#text = text;
    this.#lookup = lookup;
  }

  /** Reads to the end, or, inside braces, up to the closing brace (not consumed). */
  read(inside: boolean): string {
    let result = '';
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at];
      if (inside && character === '}') return result;
      if (character !== '$') {
        result += character;
        this.#at += 1;
      } else if (this.#text[this.#at + 1] === '$') {
        result += '$';
        this.#at += 2;
      } else {
        result += this.#variable();
      }
    }
    return result;
  }

  #variable(): string {
    const from = this.#at;
    this.#at += 1;
    const braced = this.#text[this.#at] === '{';
    if (braced) this.#at += 1;
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(this.#text.slice(this.#at))?.[0];
    if (name === undefined)
      return this.#wrong(from, 'a variable name must follow "$"; write "$$" for a dollar sign');
    this.#at += name.length;
    if (!braced) return this.#value(name);
    const operator = /^(?::?[-?+])/.exec(this.#text.slice(this.#at))?.[0];
    this.#at += operator?.length ?? 0;
    const word = operator === undefined ? '' : this.#word(operator, name);
    if (this.#text[this.#at] !== '}') return this.#wrong(from, `"\${${name}" is not closed as expected`);
    this.#at += 1;
    return operator === undefined ? this.#value(name) : this.#choose(name, operator, word);
  }

  /** The word after an operator. Mistakes and unset variables in a word that is not chosen do not count. */
  #word(operator: string, name: string): string {
    const before = { mistakes: this.mistakes.length, unset: this.unset.length };
    const word = this.read(true);
    if (!this.#chosen(name, operator)) {
      this.mistakes.length = before.mistakes;
      this.unset.length = before.unset;
    }
    return word;
  }

  #chosen(name: string, operator: string): boolean {
    const value = this.#lookup(name);
    const present = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
    return operator.endsWith('+') ? present : !present;
  }

  #choose(name: string, operator: string, word: string): string {
    const chosen = this.#chosen(name, operator);
    if (operator.endsWith('+')) return chosen ? word : '';
    if (!chosen) return this.#lookup(name) ?? '';
    if (operator.endsWith('?')) {
      this.mistakes.push(`${name} is required${word === '' ? '' : `: ${word}`}`);
      return '';
    }
    return word;
  }

  #value(name: string): string {
    const value = this.#lookup(name);
    if (value === undefined) this.unset.push(name);
    return value ?? '';
  }

  #wrong(from: number, rule: string): string {
    const shown = this.#text.slice(from, from + 24);
    this.mistakes.push(`cannot fill in ${JSON.stringify(shown)}: ${rule}`);
    this.#at = this.#text.length;
    return '';
  }
}
