import { keyOf } from './catalog.ts';
import type { Scope } from './scope.ts';

/** What a migration can leave behind without failing, a line each; of what the files make, and not of what others did. */
export function unfinished({ made, found }: Pick<Scope, 'made' | 'found'>): string[] {
  return [...made.objects.values()].flatMap((object) => {
    const there = found.objects.get(keyOf(object));
    if (there === undefined) return [];
    const {
      valid,
      validated,
      definition = '',
      'index validity': validity,
      'not null': column,
    } = there.properties;
    // An index of a partitioned table lacks only its partitions' indexes.
    if (valid === 'no' && !/ ON ONLY /.test(definition))
      return [`the index ${there.name} is invalid and not used`];
    if (validity !== undefined) return [`the index of the constraint ${there.name} is invalid and not used`];
    if (validated === 'no') return [`the constraint ${there.name} is not validated`];
    return column === undefined ? [] : [`NOT NULL of the column ${there.name} is not validated`];
  });
}
