import { expect, test } from 'vitest';
import { type CatalogObject, toCatalog } from './catalog.ts';
import { describeDifferences } from './differences.ts';
import { compareGrants, readGrants } from './grants.ts';
import { parsePattern } from './ignore.ts';
import { describeNotes } from './notes.ts';
import { hasUnexpected, judge, type Scope } from './scope.ts';

const object = (kind: string, name: string, properties: Record<string, string> = {}): CatalogObject => ({
  kind,
  name,
  properties,
});
const column = (name: string, properties: Record<string, string> = {}) =>
  object('column', `public.t.${name}`, { of: 'public.t', type: 'text', ...properties });
const table = object('table', 'public.t', { privileges: 'app: SELECT' });

/** Every wrong object and every note of a comparison, as they are told. */
function told(
  expected: readonly CatalogObject[],
  found: readonly CatalogObject[],
  more: Partial<Scope> & { readonly ignored?: readonly string[] } = {},
) {
  const made = toCatalog(expected);
  const rules = (more.ignored ?? []).map(parsePattern).flatMap((one) => ('mistake' in one ? [] : [one]));
  const scope = {
    expected: made,
    made,
    found: toCatalog(found),
    ignore: rules,
    isStrict: false,
    given: 'public',
  };
  const { wrong, notes } = judge({ ...scope, ...more });
  return { wrong: describeDifferences(wrong), notes: describeNotes(notes) };
}

test('F3.1 F3.2 what the files do not make is a note, in schemas that they do not touch it is counted', () => {
  const others = [
    object('extension', 'pg_stat_statements'),
    object('event trigger', 'watch'),
    object('publication', 'all_of_it'),
    object('schema', 'crm'),
    object('table', 'crm.a'),
    object('table', 'crm.b'),
    object('function', '"The Rest".f()'),
  ];
  expect(told([table], [table, ...others])).toEqual({
    wrong: [],
    notes: [
      'event trigger watch',
      'extension pg_stat_statements',
      'publication all_of_it',
      'the schema The Rest, which the files do not touch: 1 object',
      'the schema crm, which the files do not touch: 3 objects',
    ],
  });
  expect(told([table], [table, ...others], { isStrict: true }).wrong).toHaveLength(7);
});

test('F3.3 a partition is told with its parent, and its parts and keys to it are not told', () => {
  const bound = { inherits: 'public.events', 'partition bound': "FOR VALUES FROM ('1') TO ('2')" };
  const parts = [
    object('index', 'public.events_1_x', { of: 'public.events_1' }),
    object('sequence', 'public.s', { 'owned by': 'public.events_1.id' }),
    object('constraint', 'public.t.t_fkey_1', {
      of: 'public.t',
      definition: 'FOREIGN KEY (e) REFERENCES public.events_1(id)',
    }),
  ];
  const key = object('constraint', 'public.t.own', {
    of: 'public.t',
    definition: 'FOREIGN KEY (e) REFERENCES public.u(id)',
  });
  const found = [
    table,
    object('table', 'public.events_1', bound),
    ...parts,
    key,
    object('table', 'public.u'),
  ];
  expect(told([table], found)).toEqual({
    wrong: [],
    notes: [
      'constraint public.t.own',
      'table public.events_1: a partition of public.events',
      'table public.u',
    ],
  });
});

test('F3.4 grants are compared one by one', () => {
  expect(readGrants('a b: SELECT, UPDATE with grant option; public: SELECT')).toEqual([
    { role: 'a b', privilege: 'SELECT' },
    { role: 'a b', privilege: 'UPDATE with grant option' },
    { role: 'public', privilege: 'SELECT' },
  ]);
  expect(readGrants('reporter SELECT')).toEqual([{ role: 'reporter', privilege: 'SELECT' }]);
  expect(compareGrants('a: SELECT', 'a: SELECT with grant option')).toEqual({
    gained: [{ role: 'a', privilege: 'SELECT with grant option' }],
    lost: [],
  });
  expect(compareGrants('a: SELECT with grant option', 'a: SELECT').lost).toHaveLength(1);
  const given = { ...table, properties: { privileges: 'app: SELECT; reporter: SELECT' } };
  expect(told([table], [given]).notes).toEqual(['table public.t: SELECT to reporter is granted']);
  expect(told([given], [table]).wrong).toHaveLength(2);
  const rights = object('default privileges', '‹owner› on tables in public', {
    privileges: 'reporter: SELECT',
  });
  const older = 'table public.t: older than the default privileges: no SELECT to reporter';
  expect(told([given, rights], [table, rights]).notes).toEqual([older]);
  const elsewhere = { ...rights, name: '‹owner› on tables in other' };
  expect(told([given, elsewhere], [table, elsewhere]).wrong).toHaveLength(2);
  // With a part of it, somebody took the rest away.
  const more = { ...given, properties: { privileges: 'app: SELECT; reporter: SELECT, UPDATE' } };
  const both = { ...rights, properties: { privileges: 'reporter: SELECT, UPDATE' } };
  expect(told([more, both], [given, both]).wrong).toHaveLength(2);
});

test.each<[string, CatalogObject, CatalogObject]>([
  ['a comment', column('c'), column('c', { comment: 'of a DBA' })],
  ['a target of statistics', column('c'), column('c', { statistics: '500' })],
  [
    'an option',
    object('table', 'public.t', { options: 'a=1' }),
    object('table', 'public.t', { options: 'a=1, b=2' }),
  ],
  [
    'a published table',
    object('publication', 'p', { tables: 'public.t' }),
    object('publication', 'p', { tables: 'public.t, public.u' }),
  ],
  [
    'a filled view',
    object('materialized view', 'public.m', { populated: 'no' }),
    object('materialized view', 'public.m'),
  ],
  [
    'a validated constraint',
    object('constraint', 'public.t.c', { of: 'public.t', validated: 'no' }),
    object('constraint', 'public.t.c', { of: 'public.t' }),
  ],
  [
    'a completed index',
    object('index', 'public.i', { of: 'public.t', valid: 'no' }),
    object('index', 'public.i', { of: 'public.t' }),
  ],
])('F3.4 %s is added, and a failure when strict', (_what, made, found) => {
  expect(told([table, made], [table, found])).toMatchObject({ wrong: [], notes: [expect.any(String)] });
  expect(told([table, made], [table, found], { isStrict: true }).wrong).not.toEqual([]);
});

test.each<[string, CatalogObject, CatalogObject]>([
  ['a comment that is another', column('c', { comment: 'a' }), column('c', { comment: 'b' })],
  ['a comment that is gone', column('c', { comment: 'a' }), column('c')],
  ['a default', column('c'), column('c', { default: '1' })],
  ['row security', object('table', 'public.u'), object('table', 'public.u', { 'row security': 'enabled' })],
  [
    'an option of a view',
    object('view', 'public.v'),
    object('view', 'public.v', { options: 'security_invoker=on' }),
  ],
  [
    'an option that is another',
    object('table', 'public.u', { options: 'a=1' }),
    object('table', 'public.u', { options: 'a=2' }),
  ],
  ['an index that became invalid', object('index', 'public.i'), object('index', 'public.i', { valid: 'no' })],
  [
    'a trigger that was disabled',
    object('trigger', 'public.t.g', { of: 'public.t' }),
    object('trigger', 'public.t.g', { of: 'public.t', enabled: 'no' }),
  ],
  [
    'a partition that was detached',
    object('table', 'public.p', { 'partition bound': 'x' }),
    object('table', 'public.p'),
  ],
])('F3.5 %s makes the object another', (_what, made, found) => {
  expect(told([table, made], [table, found]).notes).toEqual([]);
  expect(told([table, made], [table, found]).wrong).not.toEqual([]);
});

test('F3.5 what is put on a table of the files is a note, unless rows can no longer be inserted or its whole is another', () => {
  const parts = ['index', 'trigger', 'policy', 'rule', 'statistics', 'constraint'].map((kind) =>
    object(kind, `public.t.${kind}`, { of: 'public.t' }),
  );
  const optional = [
    column('a'),
    column('b', { nullable: 'no', default: '1' }),
    column('c', { nullable: 'no', identity: 'always' }),
  ];
  expect(told([table], [table, ...parts, ...optional])).toMatchObject({ wrong: [], notes: { length: 9 } });
  expect(told([table], [table, column('d', { nullable: 'no' })]).wrong).toEqual([
    'in the way: column public.t.d',
    '  is NOT NULL without a default: no row can be inserted that leaves it out',
  ]);
  expect(told([table], [table, column('d', { nullable: 'no' })], { ignored: ['column t.d'] }).wrong).toEqual(
    [],
  );
  const pair = object('type', 'public.pair', { kind: 'composite' });
  expect(told([pair], [pair, object('column', 'public.pair.c', { of: 'public.pair' })]).wrong).toEqual([
    'unexpected: column public.pair.c',
  ]);
  const short = object('domain', 'public.short');
  expect(
    told([short], [short, object('constraint', 'public.short.c', { of: 'public.short' })]).wrong,
  ).toEqual(['unexpected: constraint public.short.c']);
});

test('F3.5 a specification is not to lack what the files make', () => {
  const commented = { ...table, properties: { ...table.properties, comment: 'by a file' } };
  const made = toCatalog([commented, column('c')]);
  expect(told([table], [commented, column('c'), column('d')], { made })).toEqual({
    wrong: [
      'unexpected: column public.t.c',
      'different: table public.t',
      '  comment: expected none, found by a file',
    ],
    notes: ['column public.t.d'],
  });
});

test('F3.5 of one object a part can fail and another be a note', () => {
  const found = object('table', 'public.t', {
    privileges: 'app: SELECT; x: SELECT',
    comment: 'c',
    persistence: 'unlogged',
  });
  expect(told([table], [found], { ignored: ['grant t to x'] })).toEqual({
    wrong: ['different: table public.t', '  persistence: expected none, found unlogged'],
    notes: ['table public.t: comment', 'ignored by "grant t to x": table public.t: SELECT to x'],
  });
});

test('an equal catalog has nothing unexpected', () => {
  expect(hasUnexpected(toCatalog([table]), toCatalog([table]))).toBe(false);
  expect(hasUnexpected(toCatalog([table]), toCatalog([table, column('a')]))).toBe(true);
});
