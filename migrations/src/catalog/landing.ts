import { describeAddition } from './additions.ts';
import type { CatalogObject } from './catalog.ts';
import { compareProperties } from './differences.ts';
import { compareGrants } from './grants.ts';

/**
 * Where an object stands of which a step makes `after` out of `before`, undefined where there is none; undefined when the step leaves
 * it alone. Only what the step changes is looked at: what others granted or commented beside it says nothing of the step.
 */
export function standingOf(
  before: CatalogObject | undefined,
  after: CatalogObject | undefined,
  now: CatalogObject | undefined,
): 'landed' | 'not landed' | 'otherwise' | undefined {
  if (before === undefined && after === undefined) return undefined;
  if (before === undefined)
    return now === undefined ? 'not landed' : isLike(after, now) ? 'landed' : 'otherwise';
  if (after === undefined)
    return now === undefined ? 'landed' : isLike(before, now) ? 'not landed' : 'otherwise';
  const changed = compareProperties(before, after);
  if (changed.length === 0) return undefined;
  if (now === undefined) return 'otherwise';
  const isAs = (side: 'expected' | 'found') =>
    changed.every((one) => {
      const there = now.properties[one.property];
      if (one.property !== 'privileges') return there === one[side];
      // Of the grants, those that the step gives or takes.
      const { gained, lost } = compareGrants(one.expected, one.found);
      const left = compareGrants(one[side], there);
      const theirs = [...gained, ...lost].map(({ role, privilege }) => `${privilege} to ${role}`);
      return ![...left.gained, ...left.lost].some(({ role, privilege }) =>
        theirs.includes(`${privilege} to ${role}`),
      );
    });
  return isAs('found') ? 'landed' : isAs('expected') ? 'not landed' : 'otherwise';
}

/** Whether `now` is `wanted`, apart from what others added to it. */
function isLike(wanted: CatalogObject | undefined, now: CatalogObject): boolean {
  if (wanted === undefined) return false;
  return compareProperties(wanted, now).every((difference) =>
    difference.property === 'privileges'
      ? compareGrants(difference.expected, difference.found).lost.length === 0
      : describeAddition(now, difference) !== undefined,
  );
}
