import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor, pageOf } from './cursor.ts';

const cursor = ['2026-11-20T12:00:00.123Z', 'ü 👩‍🔬'] as const;

test('a cursor comes back as it went in', () => {
  expect(decodeCursor(encodeCursor(cursor, 'list'), 'list')).toEqual(cursor);
});

test('a cursor with any one character changed, or of another list, is refused', () => {
  const encoded = encodeCursor(cursor, 'list');
  const damaged = [...encoded].map((character, at) => {
    const other = character === 'A' ? 'B' : 'A';
    return encoded.slice(0, at) + other + encoded.slice(at + 1);
  });
  for (const text of [...damaged, '', 'A', `${encoded}=`, `${encoded}AA`, encoded.slice(4)]) {
    expect(() => decodeCursor(text, 'list'), text).toThrow('The cursor is not one of this list');
  }
  expect(() => decodeCursor(encoded, 'other list')).toThrow('The cursor is not one of this list');
});

test('a cursor that was forged whole must still hold two texts', () => {
  const forged = encodeCursor(JSON.parse('["a", 1]'), 'list');
  expect(() => decodeCursor(forged, 'list')).toThrow('The cursor is not one of this list');
});

test('only a page that is followed by more has a next cursor', () => {
  const options = {
    limit: 2,
    list: 'list',
    item: (row: string) => row,
    cursorOf: (row: string) => [row, row] as const,
  };
  expect(pageOf(['a', 'b'], options)).toEqual({ items: ['a', 'b'], nextCursor: null });
  expect(pageOf([], options)).toEqual({ items: [], nextCursor: null });
  const { items, nextCursor } = pageOf(['a', 'b', 'c'], options);
  expect([items, decodeCursor(nextCursor ?? '', 'list')]).toEqual([
    ['a', 'b'],
    ['b', 'b'],
  ]);
});
