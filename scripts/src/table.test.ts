import { expect, test } from 'vitest';
import { renderStatuses } from './commands/status.ts';
import { shortReason } from './engines/embedded/probe.ts';
import { wrapParts } from './table.ts';
import { renderTimeline } from './timeline.ts';

const longest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

test('F16.7 parts that do not fit go to a line of their own', () => {
  expect(wrapParts('ready in 1 s: ', ['node 0.1', 'files 0.2', 'engine 0.3'], ' · ', 30)).toBe(
    'ready in 1 s: node 0.1\n  files 0.2 · engine 0.3',
  );
  expect(wrapParts('ready: ', [], ' · ', 30)).toBe('ready: ');
});

test('F16.7 a status stays within 80 columns; why a service is not well stands under it', () => {
  const text = renderStatuses(
    [
      { service: 'postgres', state: 'healthy', url: 'postgres://127.0.0.1:15432', pid: 1234567 },
      {
        service: 'services-api',
        state: 'unhealthy',
        url: 'http://127.0.0.1:18081',
        note: `/ready answers 503: ${'the schema is old '.repeat(10)}`,
      },
      { service: 'services-api-migrations', state: 'failed', exitStatus: 6 },
    ],
    80,
  );
  expect(longest(text)).toBe(80);
  expect(text.split('\n')[3]).toMatch(/^ {2}\/ready answers 503: the schema is old .*…$/);
});

test('F16.7 a timeline stays within 80 columns', () => {
  const text = renderTimeline(
    {
      engine: 'embedded',
      at: '2025-01-02T03:04:05.000Z',
      seconds: 3,
      before: [{ name: 'node', from: 0, to: 0.2 }],
      services: [
        { name: 'services-api-migrations', from: 1, to: 2, waitedFor: 'vault-bootstrap' },
        { name: 'services-api', from: 2, to: 3, waitedFor: 'services-api-migrations' },
      ],
    },
    80,
  );
  expect(longest(text)).toBeLessThanOrEqual(80);
  expect(text).toMatch(/services-api .*█.* 1\.00 s {2}after services-api-migrations\n/);
});

test.each([
  ['{"type":"x","title":"Not ready","status":503,"detail":"the schema is at 14"}', ': the schema is at 14'],
  ['{"status":"starting"}', ': {"status":"starting"}'],
  ['first line\nsecond', ': first line'],
  ['', ''],
])('F16.7 of %j a person is told %j', (body, said) => {
  expect(shortReason(body)).toBe(said);
});
