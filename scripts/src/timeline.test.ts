import { expect, test } from 'vitest';
import type { Stack } from './compose/stack.ts';
import type { Outcome } from './engine.ts';
import { drawTimeline, inSequence, renderTimeline, type Timeline, TimelineRecorder } from './timeline.ts';

const stack = {
  services: new Map(
    Object.entries({ postgres: [], vault: [], bootstrap: ['postgres', 'vault'], app: ['bootstrap'] }).map(
      ([name, dependsOn]) => [name, { dependsOn: dependsOn.map((service) => ({ service })) }],
    ),
  ),
} as unknown as Stack;

function record(): Timeline {
  let now = 0;
  const recorder = new TimelineRecorder(() => now);
  const see = (service: string, state: 'starting' | 'healthy' | 'completed', at: number) => {
    now = at;
    recorder.see({ kind: 'service', status: { service, state } });
  };
  see('postgres', 'starting', 0.3);
  see('vault', 'healthy', 0.5);
  see('postgres', 'healthy', 1.3);
  // Told again later, which is no news.
  see('vault', 'healthy', 1.4);
  see('bootstrap', 'completed', 1.8);
  see('app', 'healthy', 2.4);
  const outcome = (service: string, seconds: number, changed = true): Outcome => ({
    service,
    state: 'healthy',
    ok: true,
    changed,
    seconds,
  });
  const outcomes = [
    outcome('app', 0.5),
    outcome('postgres', 1.1),
    outcome('vault', 0.2),
    outcome('bootstrap', 0.4),
  ];
  return {
    engine: 'embedded',
    at: '2025-01-02T03:04:05.678Z',
    seconds: 2.5,
    before: inSequence([
      { name: 'node', seconds: 0.1 },
      { name: 'files', seconds: 0.001 },
      { name: 'engine', seconds: 0.1 },
    ]),
    services: recorder.spans(outcomes, stack),
  };
}

test('each service began as long before it was ready as it says it took, and waited for the dependency that came last', () => {
  expect(
    record().services.map(({ name, from, to, waitedFor }) => [name, from.toFixed(1), to, waitedFor]),
  ).toEqual([
    ['postgres', '0.2', 1.3, undefined],
    ['vault', '0.3', 0.5, undefined],
    ['bootstrap', '1.4', 1.8, 'postgres'],
    ['app', '1.9', 2.4, 'bootstrap'],
  ]);
});

test('a service that was left alone has no span', () => {
  const recorder = new TimelineRecorder(() => 1);
  recorder.see({ kind: 'service', status: { service: 'app', state: 'healthy' } });
  const outcome: Outcome = { service: 'app', state: 'healthy', ok: true, changed: false, seconds: 9 };
  expect(recorder.spans([outcome], stack)).toEqual([]);
});

test('the waterfall has a bar for each, in order, none of them beyond its column', () => {
  const lines = renderTimeline(record()).split('\n');
  expect(lines[0]).toBe('the last start, 2025-01-02 03:04:05 UTC on embedded: 2.5 s');
  expect(lines.slice(1, -1).map((line) => line.trim().split(/\s+/)[0])).toEqual([
    'node',
    'engine',
    'postgres',
    'vault',
    'bootstrap',
    'app',
  ]);
  expect(lines[6]).toBe(
    `  app        ${' '.repeat(30)}${'█'.repeat(8)}${' '.repeat(2)}   1.90 – 2.40 s  after bootstrap`,
  );
});

test('a name that is markup does no harm in the image', () => {
  const svg = drawTimeline({
    ...record(),
    services: [{ name: '<script>&"', from: 0, to: 1, waitedFor: undefined }],
  });
  expect(svg).toContain('&#60;script&#62;&#38;&#34;');
  expect(svg).not.toContain('<script');
  expect(svg.match(/<rect /g)).toHaveLength(1 + 3);
});
