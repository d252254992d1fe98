import type { CatalogObject } from './catalog.ts';

/** A catalog's name taken apart: `public."Age"(integer)` is `public`, `Age`, and `(integer)`. */
export interface NameParts {
  /** Without quotes. */
  readonly parts: readonly string[];
  /** What follows the last part: the arguments of a function, the sign of an operator. */
  readonly rest: string;
}

/** Takes apart a name as Postgres quotes it. */
export function partsOf(name: string): NameParts {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    const match = /^(?:"((?:[^"]|"")*)"|([\p{L}_][\p{L}\p{N}_$]*))/u.exec(name.slice(at));
    if (match === null) return { parts, rest: name.slice(at) };
    parts.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    at += match[0].length;
    if (name[at] !== '.') return { parts, rest: name.slice(at) };
    at += 1;
  }
}

/** Kinds whose names have no schema in front. */
const withoutSchema: readonly string[] = ['extension', 'event trigger', 'publication', 'cast'];

/** The schema an object lies in, without quotes; undefined for what belongs to the whole database. */
export function schemaOf({ kind, name }: Pick<CatalogObject, 'kind' | 'name'>): string | undefined {
  if (withoutSchema.includes(kind)) return undefined;
  if (kind === 'default privileges') {
    const schema = / in ("(?:[^"]|"")*"|\S+)$/.exec(name)?.[1];
    return schema === undefined ? undefined : partsOf(schema).parts[0];
  }
  return partsOf(name).parts[0];
}

/** The table, view or type that an object is a part of, as the catalog spells it. */
export function holderOf({ kind, properties }: CatalogObject): string | undefined {
  const { of: holder, 'owned by': owner } = properties;
  if (holder !== undefined || kind !== 'sequence') return holder;
  return owner?.replace(/\.(?:"(?:[^"]|"")*"|[^."]+)$/, '');
}

/** How a person may spell an object: with and without its schema, its quotes and its arguments. */
export function spellingsOf({ kind, name }: Pick<CatalogObject, 'kind' | 'name'>): readonly string[] {
  if (kind === 'default privileges' || kind === 'cast') return [name];
  const { parts, rest } = partsOf(name);
  const hasSchema = schemaOf({ kind, name }) !== undefined && kind !== 'schema';
  const bare = hasSchema ? parts.slice(1) : parts;
  const quoted = hasSchema ? name.replace(/^(?:"(?:[^"]|"")*"|[^."]+)\./, '') : name;
  const whole = [parts, bare].map((some) => some.join('.'));
  return [...new Set([name, quoted, ...whole.map((text) => text + rest), ...whole])];
}
