import { describe, expect, test } from 'vitest';
import type { Plan, Step } from './plan.ts';
import { chooseStrategy, judge, strategies } from './strategy.ts';

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
const { aggressive } = strategies;
const latest = { kind: 'latest' } as const;

describe('the aggressive strategy', () => {
  test('rests without steps, applies steps, and recreates in development alone', () => {
    expect(judge(aggressive, plan({}), latest, 'development')).toBe('rest');
    expect(judge(aggressive, plan({ steps: [step] }), latest, undefined)).toBe('apply');
    expect(judge(aggressive, odd, latest, 'development')).toBe('recreate');
    expect(judge(aggressive, odd, latest, 'staging')).toBe('refuse');
    expect(judge(aggressive, odd, latest, undefined)).toBe('refuse');
    expect(judge(aggressive, odd, { kind: 'up', steps: 1 }, 'development')).toBe('refuse');
  });

  test('is chosen in development and where nothing is stated, and has 30 s', () => {
    expect(chooseStrategy({ approach: undefined, environment: 'development' })).toBe(aggressive);
    expect(chooseStrategy({ approach: undefined, environment: undefined })).toBe(aggressive);
    expect(chooseStrategy({ approach: 'aggressive', environment: 'staging' })).toBe(aggressive);
    expect(aggressive.timeoutMilliseconds).toBe(30_000);
    expect(() => chooseStrategy({ approach: undefined, environment: 'staging' })).toThrow(
      'the careful strategy (usual in staging) does not exist yet',
    );
  });
});
