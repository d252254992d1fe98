import { createHash } from 'node:crypto';
import { Problem } from './problem.ts';

/** The place in a list after which the next page begins: the sort key of the last row. */
export type Cursor = readonly [instant: string, id: string];

/** A page of a list; `nextCursor` is null on the last one. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

const digestLength = 9;

/**
 * Writes `cursor` as opaque text that is good for one list only. `list` names it and its filters.
 *
 * The digest finds damaged cursors and those of another list. It is no secret and guards none: what a cursor can
 * reach, the list shows anyway.
 */
export function encodeCursor(cursor: Cursor, list: string): string {
  const payload = JSON.stringify(cursor);
  return Buffer.concat([digest(payload, list), Buffer.from(payload)]).toString('base64url');
}

/** @throws {Problem} 400 when `encoded` is not exactly what {@link encodeCursor} wrote for this list */
export function decodeCursor(encoded: string, list: string): Cursor {
  const bytes = Buffer.from(encoded, 'base64url');
  const payload = bytes.subarray(digestLength).toString();
  const intact =
    // Several texts decode to the same bytes; only the one that was written counts.
    bytes.toString('base64url') === encoded && bytes.subarray(0, digestLength).equals(digest(payload, list));
  const cursor: unknown = intact ? JSON.parse(payload) : undefined;
  if (isCursor(cursor)) return cursor;
  throw new Problem({
    status: 400,
    code: 'invalid-cursor',
    title: 'The cursor is not one of this list',
    detail: 'pass nextCursor unchanged, with the same filters, or leave cursor out to begin anew',
  });
}

/**
 * Makes a page of at most `limit` items from `rows`, of which one more than `limit` was asked for.
 *
 * @param cursorOf the sort key of a row; the list must be ordered by it
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  {
    limit,
    list,
    item,
    cursorOf,
  }: {
    limit: number;
    list: string;
    item: (row: Row) => Item;
    cursorOf: (row: Row) => Cursor;
  },
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: shown.map(item), nextCursor: more ? encodeCursor(cursorOf(last), list) : null };
}

function digest(payload: string, list: string): Buffer {
  return createHash('sha256').update(`${list}\0${payload}`).digest().subarray(0, digestLength);
}

function isCursor(value: unknown): value is Cursor {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}
