import { createHash } from 'node:crypto';
import type { Catalog } from './catalog.ts';

/** SHA-256 in hex of all that a catalog holds: equal for equal schemas, whatever order they were made in. */
export function fingerprintOf({ objects }: Catalog): string {
  const hash = createHash('sha256');
  for (const [key, { properties }] of [...objects].sort(byName)) {
    // As JSON, so that no text can be taken for the border between two.
    hash.update(`${JSON.stringify([key, Object.entries(properties).sort(byName)])}\n`);
  }
  return hash.digest('hex');
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
