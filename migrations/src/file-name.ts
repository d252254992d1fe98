import { nearest } from '@lockstep/foundation';
import type { Direction } from './migration.ts';

/** What the name of a migration file says. */
export interface FileName {
  readonly version: bigint;
  /** The version as spelled, padding kept. */
  readonly label: string;
  readonly description: string;
  readonly direction: Direction;
}

/** golang-migrate keeps the version in a Postgres bigint. */
export const highestVersion = 9_223_372_036_854_775_807n;
const pattern = /^(\d+)_([A-Za-z0-9_-]+)\.(up|down)\.sql$/;

/**
 * Reads `{version}_{description}.{up,down}.sql`. The version is a number (0 to 9223372036854775807) of any padding or a
 * timestamp; the description has ASCII letters, digits, `_` and `-`.
 *
 * @returns the rule that the name breaks, with the name that was probably meant, when it does not match
 */
export function parseFileName(name: string): FileName | string {
  const match = pattern.exec(name);
  if (match === null) return explain(name);
  const [, label = '', description = '', direction] = match;
  const version = BigInt(label);
  if (version > highestVersion)
    return `the version is above ${highestVersion}, the highest that fits a bigint`;
  return { version, label, description, direction: direction === 'down' ? 'down' : 'up' };
}

/** Flyway's `V1__` and other separators become `_`, a mistyped direction the one that was meant. */
function explain(name: string): string {
  const expected = 'expected {version}_{description}.up.sql or .down.sql';
  const parts = /^\W*V?(\d+)(.*?)(?:\.([^.]*))?\.sql$/is.exec(name);
  if (parts === null) return `${expected}; the version is missing`;
  const [, label = '', middle = '', ending = ''] = parts;
  const direction = meantDirection(ending);
  const words = direction === undefined ? `${middle}_${ending}` : middle;
  const description = words.replace(/[^A-Za-z0-9-]+/g, '_').replace(/^[_-]+|[_-]+$/g, '');
  if (description === '') return `${expected}; a description of letters A to Z, digits, _ or - is missing`;
  return `${expected}; did you mean ${label}_${description}.${direction ?? 'up'}.sql?`;
}

/** `dwon` is down; `data` is neither. */
function meantDirection(ending: string): string | undefined {
  const meant = nearest(ending, ['up', 'down']);
  return meant?.charAt(0) === ending.charAt(0).toLowerCase() ? meant : undefined;
}
