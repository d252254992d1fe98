import { describe, expect, test } from 'vitest';
import type { Plan, Step } from './plan.ts';
import { approaches, chooseStrategy, includes, judge, strategies } from './strategy.ts';

const file = { path: '', name: '', text: '', statements: [], checksum: '' };
const step: Step = { direction: 'up', version: 1n, label: '1', description: 'x', file, resultVersion: 1n };
const plan = (change: Partial<Plan>): Plan => ({
  steps: [],
  anomalies: [],
  adopted: [],
  from: undefined,
  to: undefined,
  ...change,
});
const odd = plan({ steps: [step], anomalies: [{ kind: 'dirty', version: 1n }] });
const { aggressive, careful, conservative } = strategies;
const latest = { kind: 'latest' } as const;

test('aggressive rests without steps, applies steps, and recreates in development alone', () => {
  expect(judge(aggressive, plan({}), latest, 'development')).toBe('rest');
  expect(judge(aggressive, plan({ steps: [step] }), latest, undefined)).toBe('apply');
  expect(judge(aggressive, odd, latest, 'development')).toBe('recreate');
  expect(judge(aggressive, odd, latest, 'staging')).toBe('refuse');
  expect(judge(aggressive, odd, latest, undefined)).toBe('refuse');
  expect(judge(aggressive, odd, { kind: 'up', steps: 1 }, 'development')).toBe('refuse');
});

test('careful and conservative recreate nowhere', () => {
  for (const strategy of [careful, conservative]) {
    expect(judge(strategy, plan({ steps: [step] }), latest, 'production')).toBe('apply');
    expect(judge(strategy, odd, latest, 'development')).toBe('refuse');
  }
});

describe('a strategy', () => {
  test('is chosen by name, else by the environment, else aggressive', () => {
    expect(chooseStrategy(undefined, undefined)).toBe(aggressive);
    expect(chooseStrategy(undefined, 'development')).toBe(aggressive);
    expect(chooseStrategy(undefined, 'staging')).toBe(careful);
    expect(chooseStrategy(undefined, 'production')).toBe(conservative);
    expect(chooseStrategy('aggressive', 'staging')).toBe(aggressive);
  });

  test('has 30, 300 or 900 seconds', () => {
    expect(approaches.map((name) => strategies[name].timeoutMilliseconds)).toEqual([
      30_000, 300_000, 900_000,
    ]);
  });

  test('with more validation has all that less has', () => {
    expect(includes('extensive', 'moderate')).toBe(true);
    expect(includes('moderate', 'moderate')).toBe(true);
    expect(includes('minimal', 'moderate')).toBe(false);
  });
});
