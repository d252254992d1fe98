import { expect, test } from 'vitest';
import { chooseKept, chooseUndo, type Judged } from './keep-rule.ts';

/** `3 changed`, `4 held 1`, `5 own`: the time in the name, and what it holds. */
function judged(text: string): Judged {
  const [at = '', kind, until = ''] = text.split(' ');
  if (kind === 'held') return { database: at, at, holds: { kind, until } };
  return { database: at, at, holds: { kind: kind === 'own' ? 'own' : 'changed' } };
}

test.each([
  [['1 changed'], '1'],
  [['1 own'], '1'],
  [['2 own', '1 own'], '2'],
  [['2 own', '1 changed'], '1'],
  [['3 own', '2 own', '1 changed'], '1'],
  [['2 changed', '1 changed'], '2'],
  [['3 own', '2 changed', '1 changed'], '2'],
  [['3 changed', '2 own', '1 changed'], '3'],
  // Somebody brought 3 back, left it as it was, and had written in 2 after it.
  [['3 held 1', '2 changed'], '3 2'],
  [['5 own', '3 held 1', '2 changed'], '3 2'],
  [['5 held 1', '4 changed', '2 changed'], '5 4'],
  [['5 held 2', '4 held 1', '3 own'], '5 4'],
  [['5 held 1', '4 held 0', '3 held 2'], '5 3'],
])('F6.1 of %j these are kept: %s', (previous, kept) => {
  const chosen = chooseKept(previous.map(judged));
  expect(chosen.kept.map(({ database }) => database).join(' ')).toBe(kept);
  expect([...chosen.kept, ...chosen.dropped]).toHaveLength(previous.length);
});

test('F6.1 undo goes back from one to the next, and from the oldest to the newest', () => {
  const at = (...times: string[]) => times.map((time) => ({ at: time }));
  expect(chooseUndo(at('2'), undefined)?.at).toBe('2');
  expect(chooseUndo(at('3'), '2')?.at).toBe('3');
  expect(chooseUndo(at('3', '1'), '2')?.at).toBe('1');
  expect(chooseUndo(at('4', '3'), '1')?.at).toBe('4');
  expect(chooseUndo(at(), undefined)).toBeUndefined();
});
