import { nearest } from '@lockstep/foundation';
import type { Mistakes } from './mistakes.ts';
import type { List, Mapping, Scalar, Tree } from './tree.ts';

/** Parses a compose duration such as `500ms`, `1m30s` or `1h`; milliseconds, or undefined when it is none. */
export function composeDuration(text: string): number | undefined {
  const scale: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  if (!/^(\d+(\.\d+)?(us|ms|s|m|h))+$/.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, amount, unit = 's'] of text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h)/g)) {
    milliseconds += Number(amount) * (scale[unit] ?? 1000);
  }
  return milliseconds;
}

/** Reads the values of a compose file and notes each that is not what it should be. */
export class ValueReader {
  readonly mistakes: Mistakes;

  constructor(mistakes: Mistakes) {
    this.mistakes = mistakes;
  }

  /** The map at `key`; an absent or null one is undefined. */
  map(parent: Mapping, key: string): Mapping | undefined {
    const value = this.#present(parent, key);
    if (value === undefined || value.kind === 'map') return value;
    this.mistakes.add(value.place, `${key}: expected a map`);
    return undefined;
  }

  list(parent: Mapping, key: string): List | undefined {
    const value = this.#present(parent, key);
    if (value === undefined || value.kind === 'list') return value;
    this.mistakes.add(value.place, `${key}: expected a list`);
    return undefined;
  }

  scalar(parent: Mapping, key: string): Scalar | undefined {
    const value = this.#present(parent, key);
    if (value === undefined || value.kind === 'scalar') return value;
    this.mistakes.add(value.place, `${key}: expected a single value`);
    return undefined;
  }

  text(parent: Mapping, key: string): string | undefined {
    const value = this.scalar(parent, key);
    return value === undefined ? undefined : String(value.value);
  }

  duration(parent: Mapping, key: string, fallback: number): number {
    const value = this.scalar(parent, key);
    if (value === undefined) return fallback;
    const parsed = composeDuration(String(value.value));
    if (parsed === undefined) {
      this.mistakes.add(
        value.place,
        `${key}: expected a duration such as 500ms, 1s or 1m30s, got "${value.value}"`,
      );
    }
    return parsed ?? fallback;
  }

  whole(parent: Mapping, key: string, fallback: number): number {
    const value = this.scalar(parent, key);
    if (value === undefined) return fallback;
    const parsed = Number(value.value);
    if (Number.isInteger(parsed) && parsed >= 0 && String(value.value) !== '') return parsed;
    this.mistakes.add(value.place, `${key}: expected a whole number, got "${value.value}"`);
    return fallback;
  }

  /** A list of strings, or a string that is split the way a shell splits words. */
  words(parent: Mapping, key: string): readonly string[] | undefined {
    const value = this.#present(parent, key);
    if (value === undefined) return undefined;
    if (value.kind === 'list') return value.items.flatMap((item) => this.#word(item, key));
    if (value.kind === 'scalar') {
      const words = shellWords(String(value.value));
      if (words === undefined) this.mistakes.add(value.place, `${key}: a quote is not closed`);
      return words ?? [];
    }
    this.mistakes.add(value.place, `${key}: expected a list or a string`);
    return undefined;
  }

  #word(item: Tree, key: string): string[] {
    if (item.kind === 'scalar' && item.value !== null) return [String(item.value)];
    this.mistakes.add(item.place, `${key}: expected a list of strings`);
    return [];
  }

  /** Notes every key of `map` that is not among `known`. */
  unknownKeys(map: Mapping, known: readonly string[], where: string): void {
    for (const [key, value] of map.entries) {
      if (known.includes(key) || key.startsWith('x-')) continue;
      const meant = nearest(key, known);
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      this.mistakes.add(map.keys.get(key) ?? value.place, `${where}: unknown key ${key}${hint}`);
    }
  }

  #present(parent: Mapping, key: string): Tree | undefined {
    const value = parent.entries.get(key);
    return value?.kind === 'scalar' && value.value === null ? undefined : value;
  }
}

/** Splits a line into words: blanks separate, single and double quotes and backslashes keep; undefined when unclosed. */
export function shellWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else if (character === '\\' && quote === '"' && /["\\$`]/.test(line.charAt(at + 1))) {
        word = (word ?? '') + line.charAt(++at);
      } else word = (word ?? '') + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (character === '\\' && at + 1 < line.length) word = (word ?? '') + line.charAt(++at);
    else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== undefined) return undefined;
  return word === undefined ? words : [...words, word];
}
