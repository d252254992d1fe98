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
 * `${VAR:+other}` and `${VAR+other}`, nested at will; `$$` is a dollar sign, and so is one before anything else.
 *
 * The rules are those of Compose (compose-go, `template`): with the colon an empty value counts as unset, an unset
 * variable without a default becomes empty, and a word after an operator ends with its line.
 */
export function interpolate(text: string, lookup: Lookup): Interpolated {
  if (!text.includes('$')) return { text, mistakes: [], unset: [] };
  const filling = new Filling(lookup);
  const result = filling.fill(text);
  return { text: result, mistakes: filling.mistakes, unset: filling.unset };
}

/** As Compose finds them: up to the last brace of the line, where the right one is then looked for. */
const pattern = /\$(?:(\$)|([_a-z][_a-z0-9]*)|\{(?:([_a-z][_a-z0-9]*)(?:(:?[-+?])([^\n]*))?\}|()))/i;
const everywhere = new RegExp(pattern, 'gi');

class Filling {
  readonly mistakes: string[] = [];
  readonly unset: string[] = [];
  readonly #lookup: Lookup;

  constructor(lookup: Lookup) {
    this.#lookup = lookup;
  }

  fill(text: string): string {
    return text.replace(everywhere, (found, _1, _2, _3, _4, _5, _6, at: number) =>
      this.#replacement(found, text.slice(at)),
    );
  }

  #replacement(found: string, shown: string): string {
    const end = closingBrace(found);
    const rest = end === -1 ? '' : found.slice(end + 1);
    const [, dollar, plain, braced, operator, word = ''] =
      pattern.exec(end === -1 ? found : found.slice(0, end + 1)) ?? [];
    if (dollar !== undefined) return dollar;
    const name = plain ?? braced;
    if (name === undefined) return this.#wrong(shown);
    const value = operator === undefined ? this.#value(name) : this.#choose(name, operator, word);
    return value + this.fill(rest);
  }

  #choose(name: string, operator: string, word: string): string {
    const value = this.#lookup(name);
    const present = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
    const isWanted = operator.endsWith('+') ? present : !present;
    const unset = this.unset.length;
    // Compose complains of the word whether it is wanted or not.
    const filled = this.fill(word);
    if (!isWanted) this.unset.length = unset;
    if (operator.endsWith('+')) return present ? filled : '';
    if (operator.endsWith('-')) return present ? (value ?? '') : filled;
    if (!present) this.mistakes.push(`${name} is required${filled === '' ? '' : `: ${filled}`}`);
    return value ?? '';
  }

  #value(name: string): string {
    const value = this.#lookup(name);
    if (value === undefined) this.unset.push(name);
    return value ?? '';
  }

  #wrong(from: string): string {
    const [line = ''] = from.split('\n');
    const rule = 'expected a variable name and "}" after "${"; write "$$" for a dollar sign';
    this.mistakes.push(`cannot fill in ${JSON.stringify(line.slice(0, 24))}: ${rule}`);
    return '';
  }
}

/** Where the brace stands that closes the first `${`; -1 when none does. */
function closingBrace(text: string): number {
  let open = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '}') {
      open -= 1;
      if (open === 0) return at;
    } else if (text.startsWith('${', at)) {
      open += 1;
      at += 1;
    }
  }
  return -1;
}
