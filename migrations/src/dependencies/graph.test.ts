import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planGraph, type ServiceFolder } from './graph.ts';
import { parseReceipt, spellReceipt } from './receipt.ts';

/** A service with versions 1 to `last`, and what they need, as in `{ 3: 'b@2 c@1' }`. */
function service(
  name: string,
  last: number,
  needs: Readonly<Record<number, string>> | undefined = {},
): ServiceFolder {
  const versions = Array.from({ length: last }, (_, index) => BigInt(index + 1));
  const parsed = Object.entries(needs).map(([version, list]) => {
    const found = list.split(' ').map((label) => {
      const [other = '', at = '0'] = label.split('@');
      return { service: other, version: BigInt(at), label };
    });
    return [BigInt(version), found] as const;
  });
  return {
    service: name,
    versions,
    titles: new Map(versions.map((version) => [version, `${version} x`])),
    file: {
      name: `${name}.json`,
      needs: new Map(parsed),
      placeOf: (version, index) => `${name}.json:${version}:${index ?? 0}`,
    },
  };
}

const spell = ({ order }: ReturnType<typeof planGraph>) =>
  order.map(({ service: name, from, to }) => `${name} ${from}-${to}`);

describe('the order', () => {
  it('runs each as far as it gets, and goes on when what it waited for is there', () => {
    const graph = planGraph([service('a', 5, { 3: 'b@2', 5: 'b@4' }), service('b', 4, { 4: 'a@3' })]);
    expect(graph.problems).toEqual([]);
    expect(spell(graph)).toEqual(['a 1-2', 'b 1-3', 'a 3-4', 'b 4-4', 'a 5-5']);
  });

  it('holds every migration once, each after what it needs, whatever the needs', () => {
    const names = ['a', 'b', 'c', 'd'];
    const anything = fc.array(
      fc.record({
        from: fc.nat(3),
        at: fc.integer({ min: 1, max: 6 }),
        to: fc.nat(3),
        version: fc.integer({ min: 1, max: 6 }),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(anything, (edges) => {
        const folders = names.map((name, index) => {
          const own: Record<number, string> = {};
          for (const { from, at, to, version } of edges) {
            if (from !== index || to === from || own[at]?.includes(`${names[to]}@`)) continue;
            own[at] = [...(own[at] === undefined ? [] : [own[at]]), `${names[to]}@${version}`].join(' ');
          }
          return service(name, 6, own);
        });
        const { order, needs, problems } = planGraph(folders);
        const seen: string[] = [];
        for (const { service: name, from, to } of order)
          for (let at = from; at <= to; at++) seen.push(`${name}@${at}`);
        expect(new Set(seen).size).toBe(seen.length);
        for (const { from, to } of needs) {
          const [waits, first] = [
            seen.indexOf(`${from.service}@${from.version}`),
            seen.indexOf(`${to.service}@${to.version}`),
          ];
          if (waits !== -1) expect(first !== -1 && first < waits).toBe(true);
        }
        expect(problems.length === 0).toBe(seen.length === 24);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what does not work out', () => {
  it.each([
    [[service('a', 2, { 2: 'b@2' }), service('b', 2, { 1: 'a@2' })], 'a cycle: a@2 needs b@1 needs a@2'],
    [
      [service('a', 2, { 1: 'bb@1' }), service('b', 2)],
      'a.json:1:0  a@1 needs bb@1: there is no service bb; did you mean b?',
    ],
    [
      [service('a', 2, { 1: 'b@9' }), service('b', 2)],
      'a.json:1:0  a@1 needs b@9: b has no migration 9, its last is 2',
    ],
    [
      [service('a', 2, { 1: 'a@2' })],
      'a.json:1:0  a@1 needs a@2: a migration cannot need one that comes after it',
    ],
    [
      [service('a', 2, { 2: 'a@1' })],
      'a.json:2:0  a@2 needs a@1: what is below in the same service is applied before anyway',
    ],
    [[service('a', 2, { 7: 'b@1' }), service('b', 1)], 'a.json:7:0  a has no migration 7'],
    [
      [service('a', 2, { 1: 'b@1' }), { ...service('b', 1), file: undefined }],
      'a.json:1:0  a@1 needs b@1: b has no dependencies.json, so nobody can see how far it is; one with { "needs": {} } is enough',
    ],
  ])('is named with its place and path %#', (folders, problem) => {
    expect(planGraph(folders).problems).toContain(problem);
  });
});

it('a receipt says what it said, and a comment of somebody else’s is none', () => {
  const receipt = { service: 'a', version: 12n, dirty: true, needs: new Map([['b', 3n]]) };
  expect(parseReceipt('x', spellReceipt(receipt))).toEqual({ ...receipt, database: 'x' });
  for (const other of [
    'lockstep {',
    'lockstep {}',
    'lockstep {"needs":{"a":"x"}}',
    'lockstep {"service":"a","version":"x","dirty":true,"needs":{}}',
  ]) {
    expect(parseReceipt('x', other)).toBeUndefined();
  }
});
