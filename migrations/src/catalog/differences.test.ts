import { expect, test } from 'vitest';
import { type CatalogObject, toCatalog } from './catalog.ts';
import { compareCatalogs, describeDifferences } from './differences.ts';
import { fingerprintOf } from './fingerprint.ts';

const table: CatalogObject = { kind: 'table', name: 'public.a', properties: { owner: 'x' } };
const column: CatalogObject = {
  kind: 'column',
  name: 'public.a.b',
  properties: { of: 'public.a', type: 'text' },
};
const body = (text: string): CatalogObject => ({
  kind: 'function',
  name: 'public.f()',
  properties: { definition: text },
});

test('equal catalogs have no difference and one fingerprint, in whatever order they were read', () => {
  const [one, other] = [toCatalog([table, column]), toCatalog([column, table])];
  expect(compareCatalogs(one, other)).toEqual([]);
  expect(fingerprintOf(one)).toBe(fingerprintOf(other));
  expect(fingerprintOf(toCatalog([table]))).not.toBe(fingerprintOf(one));
});

test('no text can be taken for the border between two', () => {
  const split = (a: string, b: string) =>
    fingerprintOf(toCatalog([{ kind: 'k', name: 'n', properties: { a, b } }]));
  expect(split('x","b":"y', 'z')).not.toBe(split('x', 'y","b":"z'));
});

test('the parts of a table that is missing as a whole are not told of', () => {
  expect(describeDifferences(compareCatalogs(toCatalog([table, column]), toCatalog([])))).toEqual([
    'missing: table public.a',
  ]);
});

test('of a long text the first line that differs is shown', () => {
  const [expected, found] = [toCatalog([body('begin\n  a;\nend')]), toCatalog([body('begin\n  b;\nend')])];
  expect(describeDifferences(compareCatalogs(expected, found))).toEqual([
    'different: function public.f()',
    '  definition:',
    '    line 2, expected: a;',
    '    line 2, found:    b;',
  ]);
});

test('after twenty objects the rest is counted', () => {
  const many = Array.from({ length: 25 }, (_, index) => ({ ...table, name: `public.t${index}` }));
  const lines = describeDifferences(compareCatalogs(toCatalog([]), toCatalog(many)));
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toBe('and 5 more');
});
