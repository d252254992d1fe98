import type { Json } from '../json.ts';
import { type Catalog, type CatalogObject, keyOf } from './catalog.ts';
import { holderOf } from './names.ts';

/** One object that is not as it should be. */
export type Difference =
  | { readonly kind: 'missing'; readonly object: CatalogObject }
  | {
      readonly kind: 'unexpected';
      readonly object: CatalogObject;
      /** Why it cannot just stay, where something could have. */
      readonly obstacle?: string;
    }
  | {
      readonly kind: 'different';
      readonly object: CatalogObject;
      /** Sorted by property; undefined where one side has none. */
      readonly properties: readonly PropertyDifference[];
    };

export interface PropertyDifference {
  readonly property: string;
  readonly expected: string | undefined;
  readonly found: string | undefined;
}

/** Finds what `found` lacks, has too much, or has otherwise; sorted by object, empty when the two are equal. */
export function compareCatalogs(expected: Catalog, found: Catalog): Difference[] {
  const keys = [...new Set([...expected.objects.keys(), ...found.objects.keys()])].sort();
  const all = keys.flatMap((key): Difference[] => {
    const [wanted, there] = [expected.objects.get(key), found.objects.get(key)];
    if (wanted === undefined) return there === undefined ? [] : [{ kind: 'unexpected', object: there }];
    if (there === undefined) return [{ kind: 'missing', object: wanted }];
    const properties = compareProperties(wanted, there);
    return properties.length === 0 ? [] : [{ kind: 'different', object: there, properties }];
  });
  return withoutParts(all);
}

/** The parts of a table that is missing or unexpected as a whole tell nothing more. */
function withoutParts(differences: readonly Difference[]): Difference[] {
  const wholes = new Map(
    differences
      .filter(({ kind, object }) => kind !== 'different' && holders.has(object.kind))
      .map(({ kind, object }) => [`${kind} ${object.name}`, object]),
  );
  return differences.filter(({ kind, object }) => {
    const holder = holderOf(object);
    if (holder !== undefined && wholes.has(`${kind} ${holder}`)) return false;
    const referred = / REFERENCES (.+?)\(/.exec(object.properties['definition'] ?? '')?.[1];
    // A foreign key to a partitioned table has a constraint for each partition.
    const partition = object.kind === 'constraint' ? wholes.get(`${kind} ${referred}`) : undefined;
    return partition?.properties['partition bound'] === undefined;
  });
}

/** What columns, constraints, indexes and triggers belong to. */
const holders = new Set(['table', 'view', 'materialized view', 'foreign table', 'type', 'domain']);

/** The properties in which two states of one object differ, sorted. */
export function compareProperties(expected: CatalogObject, found: CatalogObject): PropertyDifference[] {
  const names = new Set([...Object.keys(expected.properties), ...Object.keys(found.properties)]);
  return [...names]
    .sort()
    .map((property) => ({
      property,
      expected: expected.properties[property],
      found: found.properties[property],
    }))
    .filter((pair) => pair.expected !== pair.found);
}

/**
 * Puts differences in words, a line for each object and one for each of its properties:
 *
 *     missing: index public.users_email
 *     different: column public.users.email
 *       type: expected text, found character varying(100)
 */
export function describeDifferences(differences: readonly Difference[], most = 20): string[] {
  const lines = differences.slice(0, most).flatMap((difference) => {
    const title = `${difference.kind}: ${keyOf(difference.object)}`;
    if (difference.kind === 'unexpected' && difference.obstacle !== undefined)
      return [`in the way: ${keyOf(difference.object)}`, `  ${difference.obstacle}`];
    if (difference.kind !== 'different') return [title];
    return [title, ...difference.properties.flatMap(describeProperty)];
  });
  return differences.length > most ? [...lines, `and ${differences.length - most} more`] : lines;
}

function describeProperty({ property, expected, found }: PropertyDifference): string[] {
  const [wanted, there] = [expected ?? 'none', found ?? 'none'];
  if (!wanted.includes('\n') && !there.includes('\n') && wanted.length + there.length < 160) {
    return [`  ${property}: expected ${wanted}, found ${there}`];
  }
  return [`  ${property}:`, ...firstDifference(wanted, there)];
}

/** Of long texts, such as the body of a function, the first line that differs. */
function firstDifference(expected: string, found: string): string[] {
  const [wanted, there] = [expected.split('\n'), found.split('\n')];
  const at = wanted.findIndex((line, index) => line !== there[index]);
  const line = at === -1 ? wanted.length : at;
  const show = (text: string | undefined) =>
    text === undefined ? 'nothing more' : text.trim().slice(0, 200);
  return [
    `    line ${line + 1}, expected: ${show(wanted[line])}`,
    `    line ${line + 1}, found:    ${show(there[line])}`,
  ];
}

/** The same for machines. */
export function jsonDifference(difference: Difference): Json {
  const { kind, object } = difference;
  const named = { kind, type: object.kind, name: object.name };
  if (kind === 'unexpected' && difference.obstacle !== undefined)
    return { ...named, obstacle: difference.obstacle };
  if (kind !== 'different') return named;
  return {
    ...named,
    properties: difference.properties.map(({ property, expected, found }) => ({
      property,
      expected: expected ?? null,
      found: found ?? null,
    })),
  };
}
