import { expect, test } from 'vitest';
import type { CatalogObject } from './catalog.ts';
import { standingOf } from './landing.ts';

const table = (properties: Record<string, string> = {}): CatalogObject => ({
  kind: 'table',
  name: 'public.t',
  properties,
});
const given = (text: string) => table({ privileges: text });

test('F3.4 a step has landed or not, whatever others granted or commented beside it', () => {
  const other = table({ privileges: 'reporter: SELECT', comment: 'by a DBA' });
  expect(standingOf(undefined, table(), other)).toBe('landed');
  expect(standingOf(undefined, table(), undefined)).toBe('not landed');
  expect(standingOf(undefined, table(), table({ persistence: 'unlogged' }))).toBe('otherwise');
  expect(standingOf(table(), undefined, other)).toBe('not landed');
  expect(standingOf(table(), undefined, undefined)).toBe('landed');
  expect(standingOf(table(), table(), other)).toBeUndefined();
  const [before, after] = [given('app: SELECT'), given('app: SELECT, UPDATE')];
  expect(standingOf(before, after, given('app: SELECT, UPDATE; reporter: SELECT'))).toBe('landed');
  expect(standingOf(before, after, given('app: SELECT; reporter: SELECT'))).toBe('not landed');
  expect(standingOf(after, before, given('app: SELECT; reporter: SELECT'))).toBe('landed');
  expect(standingOf(table({ comment: 'a' }), table(), table({ comment: 'a' }))).toBe('not landed');
  expect(standingOf(table(), table({ comment: 'a' }), table({ comment: 'b' }))).toBe('otherwise');
  expect(standingOf(table(), table({ comment: 'a' }), undefined)).toBe('otherwise');
});
