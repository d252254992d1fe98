import { expect, test } from 'vitest';
import type { Statement } from './migration.ts';
import { groupStatements } from './step.ts';

test('neighbours that may share a transaction do, and every other statement stands alone', () => {
  const statement = (text: string): Statement => ({
    text,
    offset: 0,
    outsideTransaction: /[A-Z]/.test(text) ? text : undefined,
  });
  const groups = groupStatements([...'abCDefG'].map(statement));
  expect(groups.map((group) => group.map(({ text }) => text).join(''))).toEqual(['ab', 'C', 'D', 'ef', 'G']);
  expect(groupStatements([])).toEqual([]);
});
