import type { CatalogObject } from './catalog.ts';
import type { PropertyDifference } from './differences.ts';

/**
 * What somebody added to an object that the files make, and what came about in use, in words; undefined where the object itself is
 * another than they make. Privileges are grants.ts's.
 *
 * Added is what takes nothing from the files: a comment where they have none, a setting of storage or statistics where they leave the
 * default, a table in a publication. In use a view is filled, a constraint validated, an index completed by its partitions.
 */
export function describeAddition(
  { kind }: CatalogObject,
  { property, expected, found }: PropertyDifference,
): string | undefined {
  if (found !== undefined && expected === undefined && tuned.includes(property)) return property;
  if (property === 'options' && kind !== 'view')
    return addedTo(expected, found, (added) => `option ${added}`);
  if (kind === 'publication' && property === 'tables')
    return addedTo(expected, found, (added) => `publishes ${added}`);
  if (found === undefined && expected !== undefined && completed[property]?.includes(expected) === true) {
    return `${property}: no longer ${expected}`;
  }
  return undefined;
}

/** What concerns neither rows nor rights; each is without an entry where it is as by default. */
const tuned: readonly string[] = [
  'comment',
  'statistics',
  'storage',
  'compression',
  'clustered',
  'replica identity',
];

/** By property, what the files may leave unfinished. */
const completed: Readonly<Record<string, readonly string[]>> = {
  populated: ['no'],
  validated: ['no'],
  'not null': ['not validated'],
  valid: ['no'],
  'index validity': ['invalid'],
};

/** Words for what a list has besides; undefined when it lacks something. */
function addedTo(
  expected: string | undefined,
  found: string | undefined,
  words: (added: string) => string,
): string | undefined {
  const [wanted, there] = [listOf(expected), listOf(found)];
  if (wanted.some((one) => !there.includes(one))) return undefined;
  return words(there.filter((one) => !wanted.includes(one)).join(', '));
}

function listOf(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(', ');
}
