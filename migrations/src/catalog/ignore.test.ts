import { describe, expect, test } from 'vitest';
import type { CatalogObject } from './catalog.ts';
import {
  commentIgnoredBy,
  grantIgnoredBy,
  type IgnoreRule,
  ignoredBy,
  parsePattern,
  splitPatterns,
} from './ignore.ts';

const object = (kind: string, name: string, properties: Record<string, string> = {}): CatalogObject => ({
  kind,
  name,
  properties,
});
const rule = (text: string): IgnoreRule => {
  const parsed = parsePattern(text);
  if ('mistake' in parsed) throw new Error(parsed.mistake);
  return parsed;
};

describe('F3.5', () => {
  test('a list is split at line ends and commas, but in no parentheses or quotes', () => {
    expect(splitPatterns(' table a ,  function f(int, text)\n\nindex "b,c",')).toEqual([
      'table a',
      'function f(int, text)',
      'index "b,c"',
    ]);
    expect(splitPatterns('')).toEqual([]);
  });

  test.each([
    ['table events_*', object('table', 'public.events_1')],
    ['TABLE public.events_?', object('table', 'public.events_1')],
    ['table Age', object('table', 'public."Age"')],
    ['table "Age"', object('table', 'public."Age"')],
    ['table orders', object('index', 'public.x', { of: 'public.orders' })],
    ['table orders', object('sequence', 'public.orders_id_seq', { 'owned by': 'public.orders.id' })],
    ['column orders.legacy_*', object('column', 'public.orders.legacy_id', { of: 'public.orders' })],
    ['function f', object('function', 'public.f(a integer, b text)')],
    ['function public.f(*)', object('function', 'public.f(a integer, b text)')],
    ['schema crm', object('table', 'crm.customers')],
    ['schema "crm"', object('schema', '"crm"')],
    ['extension uuid-*', object('extension', '"uuid-ossp"')],
    ['materialized view m', object('materialized view', 'public.m')],
    ['default privileges * on tables*', object('default privileges', '‹owner› on tables in public')],
    ['* crm.*', object('trigger', 'crm.a.t')],
  ])('%s names it', (pattern, one) => {
    expect(ignoredBy([rule('view nothing'), rule(pattern)], one)?.text).toBe(pattern);
  });

  test.each([
    ['table event', object('table', 'public.events')],
    ['table events', object('view', 'public.events')],
    ['table a.b', object('table', 'public.a')],
    ['table a+', object('table', 'public.aa')],
    ['schema crm', object('extension', 'crm')],
    ['grant t to x', object('table', 'public.t')],
    ['comment t', object('table', 'public.t')],
  ])('%s does not name another', (pattern, one) => {
    expect(ignoredBy([rule(pattern)], one)).toBeUndefined();
  });

  test('grants are named by object, role and privilege, comments by object', () => {
    const table = object('table', 'public.orders');
    const grant = { role: 'reporter', privilege: 'SELECT with grant option' };
    const named = (text: string) => grantIgnoredBy([rule(text)], table, grant) !== undefined;
    expect(['grant * to rep*', 'grant select on orders to reporter'].map(named)).toEqual([true, true]);
    expect(
      ['grant * to report', 'grant update on orders to reporter', 'grant t to reporter', 'table orders'].map(
        named,
      ),
    ).toEqual([false, false, false, false]);
    expect(commentIgnoredBy([rule('comment orders')], table)).toBeDefined();
    expect(commentIgnoredBy([rule('comment order')], table)).toBeUndefined();
  });

  test.each([
    ['tabel x', 'unknown kind "tabel"; did you mean table?'],
    ['tables x', 'unknown kind "tables"; did you mean table?'],
    ['materialised view x', 'unknown kind "materialised"; did you mean materialized view?'],
    ['evnt trigger x', 'unknown kind "evnt"; did you mean event trigger?'],
    ['table', 'expected a name after table, as in "table audit_*"'],
    ['* *', 'would pass over everything there is'],
    ['grant select to', 'expected grant <name> to <role>, as in "grant * to reporter"'],
  ])('%s is refused: %s', (text, mistake) => {
    expect(parsePattern(text)).toEqual({ mistake });
  });

  test('a kind that nothing is like gets the list of kinds', () => {
    expect(parsePattern('whatsoever x')).toEqual({
      mistake: expect.stringMatching(/kinds: schema, table, .*, \*$/),
    });
  });
});
