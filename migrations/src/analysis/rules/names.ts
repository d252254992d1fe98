import { bytesOf, longestIdentifier } from '../../identifiers.ts';
import { alterationsOf, columnOf } from '../alterations.ts';
import type { Rule } from '../rule.ts';
import { nameOf, pick, walk } from '../tree.ts';

/** Keys of the parse tree under which a name that is made stands. */
const naming = [
  'relname',
  'idxname',
  'conname',
  'colname',
  'newname',
  'trigname',
  'policy_name',
  'schemaname',
];

export const nameRules: readonly Rule[] = [
  {
    code: 'rename-column',
    severity: 'warning',
    message: '{} is renamed: the running version of the app does not know the new name',
    reason:
      'At the moment of the rename each query of the old version fails, and before it each of the new one. No order of deploying avoids that.',
    fix: 'expand and contract: a new column kept in step by a trigger, and later drop the old (migrate create --type rename)',
    risks: ['breaks the running app'],
    squawk: ['renaming-column'],
    bad: 'alter table orders rename column total to amount;',
    good: 'alter table orders add column amount numeric;',
    find: ({ tree, isNew }) => {
      const rename = pick(tree, 'RenameStmt');
      if (rename?.renameType !== 'OBJECT_COLUMN' || isNew(nameOf(rename.relation))) return [];
      return [{ about: columnOf(rename.subname ?? '', nameOf(rename.relation)) }];
    },
  },
  {
    code: 'rename-table',
    severity: 'warning',
    message: '{} is renamed: the running version of the app does not know the new name',
    reason:
      'At the moment of the rename each query of the old version fails, and before it each of the new one.',
    fix: 'rename it and, in the same migration, make a view with the old name that apps can write through; drop the view later',
    risks: ['breaks the running app'],
    squawk: ['renaming-table'],
    bad: 'alter table orders rename to purchases;',
    good: 'create view purchases as select * from orders;',
    find: ({ tree, isNew }) => {
      const rename = pick(tree, 'RenameStmt');
      const kinds = ['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE'];
      if (!kinds.includes(rename?.renameType ?? '') || isNew(nameOf(rename?.relation))) return [];
      return [{ about: nameOf(rename?.relation) }];
    },
  },
  {
    code: 'rename-object',
    severity: 'warning',
    message: '{} gets the new name, which the running version of the app does not know',
    reason:
      'Functions, types, schemas, enum values and sequences are named in the queries of the running app, too.',
    fix: 'make the new one beside the old, and drop the old when no running app uses it',
    risks: ['breaks the running app'],
    squawk: ['renaming-object'],
    bad: 'alter function total_of(bigint) rename to amount_of;',
    good: 'alter index orders_by_total rename to orders_by_amount;',
    find: ({ tree }) => {
      const value = pick(tree, 'AlterEnumStmt');
      if (value?.oldVal !== undefined) return [{ about: `the enum value ${value.oldVal}` }];
      const rename = pick(tree, 'RenameStmt');
      const harmless = [
        'COLUMN',
        'TABLE',
        'VIEW',
        'MATVIEW',
        'FOREIGN_TABLE',
        'INDEX',
        'TABCONSTRAINT',
        'TRIGGER',
        'POLICY',
        'RULE',
      ];
      const kind = rename?.renameType?.replace('OBJECT_', '') ?? 'INDEX';
      if (harmless.includes(kind)) return [];
      return [{ about: `a ${kind.toLowerCase().replaceAll('_', ' ')} that becomes ${rename?.newname}` }];
    },
  },
  {
    code: 'schema-moved',
    severity: 'warning',
    message: '{} moves to another schema, where the running version of the app does not look for it',
    reason:
      'SET SCHEMA is a rename: queries that name the old schema, or find the table by their search_path, fail.',
    fix: 'leave a view behind under the old name, and drop it later',
    risks: ['breaks the running app'],
    squawk: ['ban-set-schema'],
    bad: 'alter table orders set schema sales;',
    good: 'create view sales_orders as select * from orders;',
    find: ({ tree }) => {
      const moved = pick(tree, 'AlterObjectSchemaStmt');
      return moved === undefined
        ? []
        : [{ about: moved.relation === undefined ? 'an object' : nameOf(moved.relation) }];
    },
  },
  {
    code: 'name-cut',
    severity: 'warning',
    message: `the name {} is over ${longestIdentifier} bytes, and Postgres would cut it off`,
    reason:
      'Postgres cuts longer names off with a notice that few read. Two of them can become one, and the down file, the app and the specification may spell it in full.',
    fix: 'a shorter name',
    risks: [],
    squawk: ['identifier-too-long'],
    bad: `create index concurrently ${'orders_by_customer_and_'.repeat(3)}date on orders (customer_id);`,
    good: 'create index concurrently orders_by_customer on orders (customer_id);',
    find: ({ statement, tree }) => {
      // The parser cuts names like the server does, so only one that fills the limit can have been longer.
      const full: string[] = [];
      for (const node of walk(tree)) {
        for (const key of naming) {
          const name = node[key];
          if (typeof name === 'string' && bytesOf(name) >= longestIdentifier - 3) full.push(name);
        }
      }
      return full.flatMap((name) => longerNames(statement.text, name)).map((about) => ({ about }));
    },
  },
  {
    code: 'search-path-changed',
    severity: 'warning',
    message: '{} is set for this file alone: where names are looked for depends on who runs it',
    reason:
      'Here each migration begins with the settings of its connection, so a SET ends with its file. golang-migrate and psql keep it for the files after it, and a file that relies on one before finds other tables here.',
    fix: 'write schema.table, or SET LOCAL, which ends with the migration everywhere',
    risks: [],
    squawk: ['require-table-schema'],
    bad: 'set search_path = sales;',
    good: 'set local search_path = sales;',
    find: ({ tree }) => {
      const set = pick(tree, 'VariableSetStmt');
      return set?.name === 'search_path' && set.is_local !== true ? [{ about: 'search_path' }] : [];
    },
  },
  {
    code: 'role-changed',
    severity: 'warning',
    message: 'what follows runs as {}, and what it makes belongs to that role',
    reason:
      'After SET ROLE or SET SESSION AUTHORIZATION objects have another owner: the rights of the app, which come by default privileges of the migrating role, are not given, and later migrations may not alter them.',
    fix: 'ALTER … OWNER TO where another owner is meant',
    risks: [],
    bad: 'set role reporting;',
    good: 'alter table orders owner to reporting;',
    find: ({ tree }) => {
      const set = pick(tree, 'VariableSetStmt');
      const isSet = set?.kind === 'VAR_SET_VALUE' && /^(role|session_authorization)$/.test(set.name ?? '');
      const value = pick(set?.args?.[0], 'A_Const')?.sval?.sval ?? 'another role';
      return isSet && value !== 'none' ? [{ about: value }] : [];
    },
  },
  {
    code: 'definer-search-path',
    severity: 'error',
    message: '{} runs with the rights of its owner and looks for names where its caller says',
    reason:
      "A SECURITY DEFINER function without a search_path of its own finds its tables by the caller's: whoever can make a table in a schema of that path lends the owner's rights to it.",
    fix: "add to the function: set search_path = '' (and write schema.table), or = the schemas it needs, pg_temp last",
    risks: [],
    bad: 'create function total() returns bigint language sql security definer as $$ select count(*) from orders $$;',
    good: "create function total() returns bigint language sql security definer set search_path = '' as $$ select count(*) from public.orders $$;",
    find: ({ tree }) => {
      const made = pick(tree, 'CreateFunctionStmt');
      const options = (made?.options ?? []).map((option) => pick(option, 'DefElem'));
      const definer = options.some(
        (option) => option?.defname === 'security' && pick(option.arg, 'Boolean')?.boolval === true,
      );
      const own = options.some((option) => pick(option?.arg, 'VariableSetStmt')?.name === 'search_path');
      return definer && !own ? [{ about: 'the function' }] : [];
    },
  },
  {
    code: 'inheritance-ended',
    severity: 'warning',
    message: 'queries of the parent do not see the rows of {} any more',
    reason:
      'NO INHERIT takes the rows out of every query of the parent table, while the running version of the app expects them there.',
    fix: 'deploy an app that reads the table by itself first',
    risks: ['breaks the running app'],
    squawk: ['ban-detach-inheritance'],
    bad: 'alter table orders_2020 no inherit orders;',
    good: 'create table orders_2021 () inherits (orders);',
    find: ({ tree, isNew }) =>
      alterationsOf(tree, isNew)
        .filter(({ subtype }) => subtype === 'AT_DropInherit')
        .map(({ table }) => ({ about: table })),
  },
];

/** Words in the text that begin like a name that was cut and are longer. */
function longerNames(text: string, cut: string): string[] {
  const found = new Set<string>();
  const lower = text.toLowerCase();
  const needle = cut.toLowerCase();
  for (let at = lower.indexOf(needle); at !== -1; at = lower.indexOf(needle, at + 1)) {
    const whole = /^[\w$\u{80}-\u{10ffff}]+/u.exec(text.slice(at))?.[0] ?? '';
    if (bytesOf(whole) > longestIdentifier) found.add(whole);
  }
  return [...found];
}
