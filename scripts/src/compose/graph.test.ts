import { describe, expect, it } from 'vitest';
import { findCycle, startOrder, withDependencies } from './graph.ts';

const graph = new Map([
  ['app', ['migrations']],
  ['migrations', ['postgres', 'bootstrap']],
  ['bootstrap', ['postgres', 'vault']],
  ['postgres', []],
  ['vault', []],
]);

describe('graph', () => {
  it('orders each name after all it waits for', () => {
    expect(startOrder(graph)).toEqual(['postgres', 'vault', 'bootstrap', 'migrations', 'app']);
  });

  it('has no cycle where there is none, also when two ways lead to one name', () => {
    expect(findCycle(graph)).toBeUndefined();
  });

  it('shows a cycle as the path that closes it', () => {
    const cyclic = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ]);
    expect(findCycle(cyclic)).toEqual(['b', 'c', 'b']);
    expect(findCycle(new Map([['a', ['a']]]))).toEqual(['a', 'a']);
  });

  it('finds all that a name needs', () => {
    expect([...withDependencies(graph, ['bootstrap'])].sort()).toEqual(['bootstrap', 'postgres', 'vault']);
  });
});
