import { nearest } from '@lockstep/foundation';
import { nameInvisible } from './files/invisible.ts';
import type { Direction } from './migration.ts';

/** What the name of a migration file says. */
export interface FileName {
  readonly version: bigint;
  /** The version as spelled, padding kept. */
  readonly label: string;
  /** As spelled; empty in `1_.up.sql`. */
  readonly description: string;
  readonly direction: Direction;
}

/** Why a name is not that of a migration. */
export interface OtherName {
  /**
   * `refused` is meant as a migration, and would be missed; `plain` is one of another layout, such as `2_b.sql`; `stray` is
   * something else.
   */
  readonly verdict: 'refused' | 'plain' | 'stray';
  readonly rule: string;
  /** That a plain name begins with. */
  readonly version?: bigint;
}

/** golang-migrate keeps the version in a Postgres bigint. */
export const highestVersion = 9_223_372_036_854_775_807n;
/** golang-migrate's own (`source/parse.go`), so that each name it takes is taken. */
const pattern = /^([0-9]+)_(.*)\.(down|up)\.(.*)$/;
const expected = 'expected {version}_{description}.up.sql or .down.sql';

/**
 * Reads `{version}_{description}.{up,down}.sql` as golang-migrate does. The version is a number (0 to 9223372036854775807) of any
 * padding or a timestamp; the description is any text without control characters, and may be empty.
 */
export function parseFileName(name: string): FileName | OtherName {
  const unreadable = controlRule(name);
  if (unreadable !== undefined) return { verdict: 'refused', rule: unreadable };
  const match = pattern.exec(name);
  if (match === null) return explain(name);
  const [, label = '', description = '', direction] = match;
  const version = BigInt(label);
  if (version > highestVersion)
    return {
      verdict: 'refused',
      rule: `the version is above ${highestVersion}, the highest that fits a bigint`,
    };
  return { version, label, description, direction: direction === 'down' ? 'down' : 'up' };
}

/** Whether a name was that of a migration. */
export function isFileName(parsed: FileName | OtherName): parsed is FileName {
  return 'direction' in parsed;
}

/** What no name may hold that is recorded and printed; undefined when it holds none. */
export function controlRule(name: string): string | undefined {
  // Node puts U+FFFD where the bytes of a name are not UTF-8, and then finds no such file.
  if (name.includes('\ufffd')) return 'its name is not UTF-8';
  return /[\p{Cc}\p{Cs}]/u.test(name)
    ? 'its name holds a control character, and the name is recorded'
    : undefined;
}

function explain(name: string): OtherName {
  const unseen = nameInvisible(name);
  const note = unseen === undefined ? '' : `; its name holds ${unseen}`;
  const refused = (rule: string): OtherName => ({ verdict: 'refused', rule: `${rule}${note}` });
  if (/^R__/i.test(name))
    return refused('is a repeatable migration of Flyway, which has no counterpart here');
  const parts = /^[^\p{L}\p{N}]*([VUB]?)(\d+)(.*?)(?:\.([^.]*))?\.sql$/isu.exec(name);
  if (parts === null) {
    // Named for a direction, so somebody waits for it.
    if (/\.(?:up|down)\.sql$/i.test(name)) return refused(`${expected}; the version is missing`);
    return { verdict: 'stray', rule: `is no migration by its name, and passed over${note}` };
  }
  const [, letter = '', label = '', middle = '', ending = ''] = parts;
  const rule = advise(letter.toUpperCase(), label, middle, ending);
  const isPlain = /^\d+(?:[_-]|\.sql$)/i.test(name) && meantDirection(ending) === undefined;
  const version = BigInt(label);
  return isPlain && version <= highestVersion
    ? { verdict: 'plain', rule: `${rule}${note}`, version }
    : refused(rule);
}

/** Flyway's `V1__` and other separators become `_`, a mistyped direction the one that was meant. */
function advise(letter: string, label: string, middle: string, ending: string): string {
  const direction = meantDirection(ending);
  const words = direction === undefined ? `${middle}_${ending}` : middle;
  const description = words.replace(/[^\p{L}\p{M}\p{N}-]+/gu, '_').replace(/^[_-]+|[_-]+$/g, '');
  const meant = direction ?? directionOf(letter, description);
  // Which way it goes is not told by the name: a guess could make an up of a down.
  if (meant === undefined) return expected;
  const rest = direction === undefined && letter === '' ? withoutDirection(description) : description;
  if (rest === '') return `${expected}; a description is missing`;
  return `${expected}; did you mean ${label}_${rest}.${meant}.sql?`;
}

const backWords = 'down|undo|rollback|revert|backout|downgrade|unapply';
const backAtEnd = new RegExp(`(?:^|[_-])(?:${backWords})$`, 'i');
const backAnywhere = new RegExp(`(?:^|[_-])(?:${backWords})(?:[_-]|$)`, 'i');

/** The direction that a name without one speaks of; undefined when it may be either. */
function directionOf(letter: string, description: string): Direction | undefined {
  if (letter === 'U' || backAtEnd.test(description)) return 'down';
  return backAnywhere.test(description) ? undefined : 'up';
}

function withoutDirection(description: string): string {
  return description.replace(backAtEnd, '').replace(/[_-]+up$/i, '');
}

/** `dwon` is down; `data` is neither. */
function meantDirection(ending: string): Direction | undefined {
  const word = ending.trim().toLowerCase();
  if (/^do?w?n?$/.test(word)) return 'down';
  const meant = nearest(word, ['up', 'down']);
  if (meant?.charAt(0) !== word.charAt(0)) return undefined;
  return meant === 'down' ? 'down' : 'up';
}
