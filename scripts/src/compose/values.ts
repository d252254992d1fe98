import { nearest } from '@lockstep/foundation';
import type { Mistakes } from './mistakes.ts';
import { shellWords } from './shell-words.ts';
import type { List, Mapping, Scalar, Tree } from './tree.ts';

/**
 * Parses a compose duration such as `500ms`, `1m30s`, `1.5h` or `2d`; milliseconds, or undefined when it is none. A
 * lone `0` is one, and none is negative.
 */
export function composeDuration(text: string): number | undefined {
  const scale: Record<string, number> = {
    ns: 0.000_001,
    us: 0.001,
    µs: 0.001,
    μs: 0.001,
    ms: 1,
    s: 1000,
    m: 60_000,
    h: 3_600_000,
    d: 86_400_000,
    w: 604_800_000,
  };
  if (text === '0') return 0;
  const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)/g;
  if (text === '' || text.replace(part, '') !== '') return undefined;
  let milliseconds = 0;
  for (const [, amount, unit = 's'] of text.matchAll(part))
    milliseconds += Number(amount) * (scale[unit] ?? 1000);
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
    return value?.text;
  }

  /** As {@link text}, of what has to be a string in YAML. */
  string(parent: Mapping, key: string): string | undefined {
    const value = this.scalar(parent, key);
    if (value === undefined || value.type === 'string') return value?.text;
    this.mistakes.add(value.place, `${key}: expected a string, got ${value.text}; put it in quotes`);
    return undefined;
  }

  duration(parent: Mapping, key: string, fallback: number): number {
    const value = this.scalar(parent, key);
    if (value === undefined) return fallback;
    const parsed = value.type === 'string' ? composeDuration(value.text) : undefined;
    if (parsed === undefined) {
      this.mistakes.add(
        value.place,
        `${key}: expected a duration such as 500ms, 1s or 1m30s, got "${value.text}"`,
      );
    }
    return parsed ?? fallback;
  }

  whole(parent: Mapping, key: string, fallback: number): number {
    const value = this.scalar(parent, key);
    if (value === undefined) return fallback;
    const parsed = Number(value.text);
    if (Number.isInteger(parsed) && parsed >= 0 && value.text.trim() !== '') return parsed;
    this.mistakes.add(value.place, `${key}: expected a whole number, got "${value.text}"`);
    return fallback;
  }

  /** True or false, also as YAML 1.1 spells them in a string (`yes`, `off`), which is how a variable may hold it. */
  flag(parent: Mapping, key: string, fallback: boolean): boolean {
    const value = this.scalar(parent, key);
    if (value === undefined) return fallback;
    const text = value.text.toLowerCase();
    if (/^(y|yes|true|on)$/.test(text)) return true;
    if (!/^(n|no|false|off)$/.test(text))
      this.mistakes.add(value.place, `${key}: expected true or false, got "${value.text}"`);
    return false;
  }

  /** A list of strings, or a string that is split the way a shell splits words. */
  words(parent: Mapping, key: string): readonly string[] | undefined {
    const value = this.#present(parent, key);
    if (value === undefined) return undefined;
    if (value.kind === 'list') return value.items.flatMap((item) => this.#word(item, key));
    if (value.kind === 'scalar') return this.#line(value, key);
    this.mistakes.add(value.place, `${key}: expected a list or a string`);
    return undefined;
  }

  #line(value: Scalar, key: string): readonly string[] {
    const split = value.type === 'string' ? shellWords(value.text) : undefined;
    if (value.type !== 'string')
      this.mistakes.add(value.place, `${key}: expected a string, got ${value.text}`);
    else if (split === undefined)
      this.mistakes.add(value.place, `${key}: a quote or a bracket is not closed`);
    else if (split.rest !== '') {
      this.mistakes.warn(
        value.place,
        `${key}: no shell reads it, so it ends before "${split.rest.slice(0, 24)}"`,
      );
    }
    return split?.words ?? [];
  }

  #word(item: Tree, key: string): string[] {
    if (item.kind === 'scalar' && item.type === 'string') return [item.text];
    const got = item.kind === 'scalar' && item.text !== '' ? `, got ${item.text}; put it in quotes` : '';
    this.mistakes.add(item.place, `${key}: expected a list of strings${got}`);
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
