import { alterationsOf, columnOf } from '../alterations.ts';
import type { Rule, Subject } from '../rule.ts';
import { droppedNames, nameOf, pick } from '../tree.ts';

const words: Readonly<Record<string, string>> = {
  OBJECT_VIEW: 'view',
  OBJECT_MATVIEW: 'materialized view',
  OBJECT_FUNCTION: 'function',
  OBJECT_PROCEDURE: 'procedure',
  OBJECT_ROUTINE: 'routine',
  OBJECT_AGGREGATE: 'aggregate',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'domain',
  OBJECT_TRIGGER: 'trigger',
  OBJECT_EXTENSION: 'extension',
  OBJECT_OPERATOR: 'operator',
  OBJECT_COLLATION: 'collation',
};

/** What a DROP of one of the kinds names; what the same file made is left out. */
function drops({ tree, isNew }: Subject, kinds: readonly string[]): { kind: string; name: string }[] {
  const drop = pick(tree, 'DropStmt');
  const kind = drop?.removeType ?? '';
  if (!kinds.includes(kind)) return [];
  return droppedNames(drop?.objects)
    .map((name) => ({ kind, name: name.join('.') }))
    .filter(({ name }) => !isNew(name));
}

export const dropRules: readonly Rule[] = [
  {
    code: 'drop-column',
    severity: 'warning',
    message: '{} is dropped: its values are gone, and the running version of the app may still read it',
    reason:
      'A down file can bring back the column, never its values. While the old version of the app runs, each query that names the column fails.',
    fix: 'deploy an app that does not use it, then drop it in a later migration; say why in a comment: -- lockstep: allow drop-column: …',
    risks: ['loses data', 'breaks the running app'],
    squawk: ['ban-drop-column'],
    bad: 'alter table orders drop column note;',
    good: "comment on column orders.note is 'not used since 3.1';",
    find: ({ tree, isNew }) =>
      alterationsOf(tree, isNew)
        .filter(({ subtype }) => subtype === 'AT_DropColumn')
        .map(({ table, name }) => ({ about: columnOf(name, table) })),
  },
  {
    code: 'drop-table',
    severity: 'warning',
    message: '{} is dropped with all its rows, and the running version of the app may still use it',
    reason: 'A down file can bring back the table, never its rows.',
    fix: 'rename nothing, drop nothing until no running app uses it; keep a backup (the careful strategy takes one)',
    risks: ['loses data', 'breaks the running app'],
    squawk: ['ban-drop-table', 'ban-drop-sequence'],
    bad: 'drop table orders;',
    good: "comment on table orders is 'not used since 3.1';",
    find: (subject) =>
      drops(subject, ['OBJECT_TABLE', 'OBJECT_FOREIGN_TABLE', 'OBJECT_SEQUENCE']).map(({ name }) => ({
        about: name,
      })),
  },
  {
    code: 'drop-schema',
    severity: 'warning',
    message: 'the schema {} is dropped, and with CASCADE everything in it',
    reason: 'DROP SCHEMA … CASCADE deletes every table in the schema without naming one.',
    fix: 'drop what is in it by name, then the empty schema without CASCADE',
    risks: ['loses data', 'breaks the running app'],
    squawk: ['ban-drop-schema'],
    bad: 'drop schema archive cascade;',
    good: 'create schema archive;',
    find: (subject) => drops(subject, ['OBJECT_SCHEMA']).map(({ name }) => ({ about: name })),
  },
  {
    code: 'drop-cascade',
    severity: 'warning',
    message: 'CASCADE drops what depends on {} as well, named nowhere',
    reason:
      'What CASCADE takes along depends on the database: a view, a foreign key, a column. No reviewer can see it in the file, and no down file brings it back.',
    fix: 'drop the dependent objects by name, without CASCADE',
    risks: ['loses data'],
    bad: 'drop view recent_orders cascade;',
    good: 'drop view recent_orders;',
    find: ({ tree, isNew }) => {
      const drop = pick(tree, 'DropStmt');
      const whole =
        drop?.behavior === 'DROP_CASCADE' ? droppedNames(drop.objects).map((name) => name.join('.')) : [];
      const parts = alterationsOf(tree, isNew)
        .filter(
          ({ command, subtype }) => command.behavior === 'DROP_CASCADE' && subtype.startsWith('AT_Drop'),
        )
        .map(({ table, name }) => columnOf(name, table));
      return [...whole, ...parts].map((about) => ({ about }));
    },
  },
  {
    code: 'drop-object',
    severity: 'warning',
    message: '{} is dropped, which the running version of the app may still use',
    reason:
      'Views, functions, types, triggers and extensions are part of what an app relies on. While its old version runs, each use of one that is gone fails.',
    fix: 'deploy an app that does not use it first; to change a view or a function, use CREATE OR REPLACE',
    risks: ['breaks the running app'],
    squawk: [
      'ban-drop-view',
      'ban-drop-function',
      'ban-drop-type',
      'ban-drop-domain',
      'ban-drop-trigger',
      'ban-drop-extension',
    ],
    bad: 'drop function total_of(bigint);',
    good: 'create or replace function total_of(bigint) returns numeric language sql as $$ select 1.0 $$;',
    find: (subject) =>
      drops(subject, Object.keys(words)).map(({ kind, name }) => ({
        about: `the ${words[kind]} ${name}`,
        ...(kind === 'OBJECT_MATVIEW' ? { risks: ['loses data'] as const } : {}),
      })),
  },
  {
    code: 'drop-database',
    severity: 'error',
    message: '{} is dropped by a migration',
    reason:
      'A migration is about the database it runs in. Another database has its own history, and no down file brings it back.',
    fix: 'take the statement out; databases are made and dropped by whoever runs the server',
    risks: ['loses data'],
    squawk: ['ban-drop-database'],
    bad: 'drop database orders;',
    good: 'create schema orders;',
    find: ({ tree }) => {
      const drop = pick(tree, 'DropdbStmt');
      return drop === undefined ? [] : [{ about: drop.dbname ?? 'a database' }];
    },
  },
  {
    code: 'truncate',
    severity: 'warning',
    message: 'every row of {} is deleted',
    reason:
      'TRUNCATE deletes all rows under an ACCESS EXCLUSIVE lock; CASCADE does so in every table that refers to it, named nowhere.',
    fix: 'DELETE with a condition; never CASCADE',
    risks: ['loses data'],
    squawk: ['ban-truncate-cascade'],
    bad: 'truncate orders cascade;',
    good: "delete from orders where placed_at < '2020-01-01';",
    find: ({ tree, isNew }) =>
      (pick(tree, 'TruncateStmt')?.relations ?? [])
        .map((relation) => pick(relation, 'RangeVar'))
        .filter((relation) => !isNew(nameOf(relation)))
        .map((relation) => ({ about: nameOf(relation), location: relation?.location })),
  },
];
