import { addedConstraints, alterationsOf, constraintOn } from '../alterations.ts';
import type { Rule } from '../rule.ts';
import { droppedNames, isSwitchedOn, nameOf, pick } from '../tree.ts';

export const indexRules: readonly Rule[] = [
  {
    code: 'index-blocks-writers',
    severity: 'warning',
    message: '{} is built while every writer of its table waits',
    reason:
      'CREATE INDEX holds a SHARE lock on the table until the whole index is built. On a large table that is minutes in which no row can be written.',
    fix: 'CREATE INDEX CONCURRENTLY, alone in its file',
    risks: ['scans'],
    squawk: ['require-concurrent-index-creation'],
    bad: 'create index orders_by_customer on orders (customer_id);',
    good: 'create index concurrently orders_by_customer on orders (customer_id);',
    find: ({ tree, isNew }) => {
      const index = pick(tree, 'IndexStmt');
      if (index === undefined || index.concurrent === true || isNew(nameOf(index.relation))) return [];
      return [{ about: index.idxname ?? 'an index' }];
    },
  },
  {
    code: 'unique-may-fail',
    severity: 'notice',
    message: '{} cannot be built where two rows are equal',
    reason:
      'A unique index, or the one of a UNIQUE or PRIMARY KEY constraint, is refused as soon as old rows hold duplicates: in production, not on the empty database of a test. A concurrent build then leaves an invalid index behind.',
    fix: 'look for duplicates first, and delete or change them in a migration before',
    risks: [],
    bad: 'create unique index concurrently customers_by_email on customers (email);',
    good: 'create index concurrently customers_by_email on customers (email);',
    find: ({ tree, isNew, before }) => {
      const index = pick(tree, 'IndexStmt');
      const table = nameOf(index?.relation);
      const alone =
        index?.unique === true && !isNew(table) ? [{ table, about: index.idxname ?? 'a unique index' }] : [];
      const constraints = addedConstraints(alterationsOf(tree, isNew))
        .filter(({ constraint: { contype, indexname } }) => {
          return ['CONSTR_UNIQUE', 'CONSTR_PRIMARY'].includes(contype ?? '') && indexname === undefined;
        })
        .map(({ table: on, constraint }) => ({ table: on, about: constraintOn(constraint, on) }));
      // Whoever deletes rows right before knows of them.
      const isCleaned = (name: string) =>
        before().some(({ tree: earlier }) => nameOf(pick(earlier, 'DeleteStmt')?.relation) === name);
      return [...alone, ...constraints]
        .filter((hit) => !isCleaned(hit.table))
        .map(({ about }) => ({ about }));
    },
  },
  {
    code: 'index-drop-blocks',
    severity: 'warning',
    message: '{} is dropped under a lock that keeps readers and writers of its table waiting',
    reason:
      'DROP INDEX takes an ACCESS EXCLUSIVE lock on the table. It is short, but it queues behind the longest running query, and everybody else queues behind it.',
    fix: 'DROP INDEX CONCURRENTLY, alone in its file',
    risks: [],
    squawk: ['require-concurrent-index-deletion', 'ban-drop-index'],
    bad: 'drop index orders_by_customer;',
    good: 'drop index concurrently orders_by_customer;',
    find: ({ tree }) => {
      const drop = pick(tree, 'DropStmt');
      if (drop?.removeType !== 'OBJECT_INDEX' || drop.concurrent === true) return [];
      return droppedNames(drop.objects).map((name) => ({ about: name.join('.') }));
    },
  },
  {
    code: 'reindex-blocks',
    severity: 'warning',
    message: 'REINDEX of {} keeps writers waiting, and readers that need the index',
    reason:
      'REINDEX without CONCURRENTLY locks the table against writes and the index against every query until it is built anew.',
    fix: 'REINDEX … CONCURRENTLY, alone in its file',
    risks: ['scans'],
    squawk: ['require-concurrent-reindex'],
    bad: 'reindex table orders;',
    good: 'reindex table concurrently orders;',
    find: ({ tree }) => {
      const reindex = pick(tree, 'ReindexStmt');
      if (reindex === undefined || isSwitchedOn(reindex.params, 'concurrently')) return [];
      return [
        { about: reindex.relation === undefined ? (reindex.name ?? 'everything') : nameOf(reindex.relation) },
      ];
    },
  },
  {
    code: 'concurrent-needs-repeating',
    severity: 'notice',
    message: '{} cannot be run again after a failure, because what failed leaves an invalid index behind',
    reason:
      'A concurrent build that fails leaves an invalid index with the name. `migrate resolve` shows it; until it is dropped, the same statement fails again. IF NOT EXISTS would hide it: the invalid index exists.',
    fix: 'nothing, if you know `migrate resolve`; else DROP INDEX CONCURRENTLY IF EXISTS in a migration before this one',
    risks: [],
    squawk: ['prefer-robust-stmts'],
    bad: 'create index concurrently if not exists orders_by_customer on orders (customer_id);',
    good: 'create index concurrently orders_by_customer on orders (customer_id);',
    find: ({ tree }) => {
      const index = pick(tree, 'IndexStmt');
      if (index?.concurrent !== true || index.if_not_exists !== true) return [];
      return [{ about: index.idxname ?? 'an index' }];
    },
  },
  {
    code: 'partition-detach-blocks',
    severity: 'warning',
    message: '{} is detached under a lock that keeps every query of the partitioned table waiting',
    reason: 'DETACH PARTITION without CONCURRENTLY takes an ACCESS EXCLUSIVE lock on the partitioned table.',
    fix: 'DETACH PARTITION … CONCURRENTLY, alone in its file',
    risks: [],
    squawk: ['require-concurrent-partition-detach'],
    bad: 'alter table events detach partition events_2020;',
    good: 'alter table events detach partition events_2020 concurrently;',
    find: ({ tree, isNew }) =>
      alterationsOf(tree, isNew).flatMap(({ subtype, command }) => {
        const partition = pick(command.def, 'PartitionCmd');
        if (subtype !== 'AT_DetachPartition' || partition?.concurrent === true) return [];
        return [{ about: nameOf(partition?.name), location: partition?.name?.location }];
      }),
  },
  {
    code: 'partition-attach-scans',
    severity: 'notice',
    message: '{} is read from end to end while it is attached, unless a valid CHECK proves its bounds',
    reason:
      'ATTACH PARTITION looks at every row of the new partition under an ACCESS EXCLUSIVE lock on it, and at the default partition too. A validated CHECK constraint that says the same makes it skip that.',
    fix: 'ADD CONSTRAINT … CHECK (bounds) NOT VALID, VALIDATE CONSTRAINT, then ATTACH',
    risks: ['scans'],
    bad: "alter table events attach partition events_2020 for values from ('2020-01-01') to ('2021-01-01');",
    good: "create table events_2021 partition of events for values from ('2021-01-01') to ('2022-01-01');",
    find: ({ tree, isNew }) =>
      alterationsOf(tree, isNew).flatMap(({ subtype, command }) => {
        const partition = pick(command.def, 'PartitionCmd');
        if (subtype !== 'AT_AttachPartition' || isNew(nameOf(partition?.name))) return [];
        return [{ about: nameOf(partition?.name), location: partition?.name?.location }];
      }),
  },
];
