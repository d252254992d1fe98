import { findInvisible } from '../../sql/invisible.ts';
import type { Rule } from '../rule.ts';

export const invisibleNameRules: readonly Rule[] = [
  {
    code: 'name-invisible',
    severity: 'warning',
    message: 'a name or keyword holds {}, which nobody sees',
    reason:
      'Postgres takes a no-break space, a zero-width space and their like for letters. The object that is made has another name than the one that is read, and no query finds it.',
    fix: 'delete the character; where it stands for a space, type one',
    risks: [],
    bad: 'alter table or\u200bders add column note text;',
    good: 'alter table orders add column note text;',
    find: ({ statement: { text } }) =>
      findInvisible(text, false)
        .filter(({ isSeen }) => !isSeen)
        .map(({ name, offset }) => ({
          about: name,
          location: Buffer.byteLength(text.slice(0, offset)),
        })),
  },
];
