import type { Rule } from '../rule.ts';
import { nameOf, pick } from '../tree.ts';
import { twiceNamed } from '../twice-named.ts';

export const rowRules: readonly Rule[] = [
  {
    code: 'update-everything',
    severity: 'notice',
    message: 'every row of {} is written in one transaction',
    reason:
      'Each row that is written stays locked to the end of the migration, and the table grows by its own size. On a large table that is minutes in which the app cannot change these rows.',
    fix: 'fill in batches: migrate create --type data',
    risks: ['changes rows'],
    bad: "update orders set currency = 'EUR';",
    good: "update orders set currency = 'EUR' where id between 1 and 10000;",
    find: ({ tree, isNew }) => {
      const update = pick(tree, 'UpdateStmt');
      if (update === undefined || update.whereClause !== undefined || isNew(nameOf(update.relation)))
        return [];
      return [{ about: nameOf(update.relation), location: update.relation?.location }];
    },
  },
  {
    code: 'rows-changed',
    severity: 'notice',
    message: 'rows of {} are overwritten, and no down file knows their old values',
    reason: 'What UPDATE overwrites is gone once it is committed, unless the migration keeps the old values.',
    fix: 'keep the old values in another column or table until nobody goes back, or say in the down file why nothing is taken back',
    risks: ['changes rows'],
    bad: "update orders set currency = 'EUR' where currency is null;",
    good: "insert into currencies (code) values ('EUR');",
    find: ({ tree, isNew }) => {
      const update = pick(tree, 'UpdateStmt');
      if (update?.whereClause === undefined || isNew(nameOf(update.relation))) return [];
      return [{ about: nameOf(update.relation), location: update.relation?.location }];
    },
  },
  {
    code: 'rows-deleted',
    severity: 'warning',
    message: 'rows of {} are deleted',
    reason: 'Deleted rows are gone once it is committed; without a condition that is every row of the table.',
    fix: 'move them to another table first, or say why: -- lockstep: allow rows-deleted: …',
    risks: ['loses data'],
    bad: 'delete from orders;',
    good: "insert into currencies (code) values ('EUR');",
    find: ({ tree, isNew }) => {
      const statement = pick(tree, 'DeleteStmt');
      if (statement === undefined || isNew(nameOf(statement.relation))) return [];
      return [{ about: nameOf(statement.relation), location: statement.relation?.location }];
    },
  },
  {
    code: 'assigned-twice',
    severity: 'error',
    message: '{} is named twice in one list of columns, which Postgres refuses',
    reason:
      'A list of columns (of INSERT, of UPDATE … SET, of a new table, view or key) names each once. Postgres says so only when the statement runs.',
    fix: 'take one of the two out',
    risks: [],
    squawk: ['ban-duplicate-column-assignments'],
    bad: "update orders set note = 'a', note = 'b' where id = 1;",
    good: "update orders set note = 'a' where id = 1;",
    find: ({ tree }) => twiceNamed(tree),
  },
];
