import { createHash } from 'node:crypto';
import type { Tree } from '../compose/tree.ts';

/** What a compose file says, without its places. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };
export type Entry = { readonly [key: string]: Value };

/** Short, for a label: sixteen hexadecimal digits. */
export function hashOf(parts: Value): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** Labels as a map, from either form. */
export function toLabels(labels: Value | undefined): Entry {
  if (Array.isArray(labels)) {
    return Object.fromEntries(
      labels.map((label) => {
        const [key = '', ...value] = String(label).split('=');
        return [key, value.join('=')];
      }),
    );
  }
  const map = typeof labels === 'object' && labels !== null ? (labels as Entry) : {};
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, String(value ?? '')]));
}

/** A word as a shell reads it back. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_\-./:=@%+,]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** The value at a key; undefined when it is no map or has none. */
export function at(tree: Tree | undefined, key: string): Tree | undefined {
  return tree?.kind === 'map' ? tree.entries.get(key) : undefined;
}

/** A tree without its places. */
export function toPlain(tree: Tree): Value {
  // JSON would round a whole number that is too large.
  if (tree.kind === 'scalar')
    return tree.type === 'int' && !Number.isSafeInteger(tree.value) ? tree.text : tree.value;
  if (tree.kind === 'list') return tree.items.map(toPlain);
  return Object.fromEntries([...tree.entries].map(([key, value]) => [key, toPlain(value)]));
}

/** podman-compose fills in variables again: a dollar sign that is meant is doubled. */
export function escaped(value: Value): Value {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(escaped);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escaped(inner)]));
}
