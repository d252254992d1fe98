import { expect, test } from 'vitest';
import type { Outcome } from '../engine.ts';
import { databaseLines } from './up.ts';

const ran = (service: string, ...output: string[]): Outcome => ({
  service: `${service}-migrations`,
  state: 'completed',
  ok: true,
  changed: true,
  output,
});
const lines = (...outcomes: Outcome[]) =>
  databaseLines(
    outcomes,
    outcomes.map(({ service }) => service),
  );

test('F16.3 each database is told by the last paragraph of its migrator', () => {
  expect(
    lines(
      ran('a', 'warn: careful', '  of this', '000002 applied', 'a: 1 migration applied, from 1 to 2, 3 ms'),
      ran(
        'b',
        'b was recreated: 2 migrations applied',
        '  2 was edited',
        '  make db-undo brings it back',
        '',
      ),
      ran('c', 'c is at 4, nothing to do'),
      { ...ran('d', 'migrate: failed'), ok: false },
      { ...ran('e'), changed: false },
    ),
  ).toBe(
    [
      'a: 1 migration applied, from 1 to 2, 3 ms',
      'b was recreated: 2 migrations applied',
      '  2 was edited',
      '  make db-undo brings it back',
      'c is at 4, nothing to do',
      '',
    ].join('\n'),
  );
  expect(lines()).toBe('');
});

test('F16.3 of many databases those that had nothing to do are counted', () => {
  const rested = Array.from({ length: 12 }, (_, index) =>
    ran(`s${index}`, `s${index} is at 1, nothing to do`),
  );
  expect(lines(...rested, ran('x', 'x: 1 migration applied, from 1 to 2, 3 ms'))).toBe(
    'x: 1 migration applied, from 1 to 2, 3 ms\n12 databases: nothing to do\n',
  );
});
