import type { ColumnDef } from '@pgsql/types';
import { addedColumns, alterationsOf } from '../alterations.ts';
import type { Hit, Rule, Subject } from '../rule.ts';
import { constraintsOf, nameOf, pick, spellType, typeOf, wordsOf } from '../tree.ts';
import { serials } from './columns.ts';

/** Columns that a statement makes, in new tables and old ones. */
function made({ tree }: Subject): { table: string; column: ColumnDef }[] {
  const create = pick(tree, 'CreateStmt');
  const inTable = (create?.tableElts ?? []).flatMap((element) => {
    const column = pick(element, 'ColumnDef');
    return column === undefined ? [] : [{ table: nameOf(create?.relation), column }];
  });
  return [...inTable, ...addedColumns(alterationsOf(tree, () => false))];
}

function ofType(subject: Subject, types: readonly string[]): Hit[] {
  return made(subject)
    .filter(({ column }) => types.includes(typeOf(column.typeName)))
    .map(({ table, column }) => ({
      about: `${column.colname} of ${table} is ${spellType(typeOf(column.typeName))}`,
      location: column.typeName?.location,
    }));
}

export const typeRules: readonly Rule[] = [
  {
    code: 'char-type',
    severity: 'warning',
    message: '{}: char(n) pads with blanks, which comparisons then ignore',
    reason:
      'A char(n) value is filled up with blanks, and blanks at the end do not count when values are compared: surprises without any gain in space or speed.',
    fix: 'text, with a CHECK on its length where that matters',
    risks: [],
    squawk: ['ban-char-field'],
    bad: 'create table currencies (code char(3) primary key);',
    good: 'create table currencies (code text primary key check (char_length(code) = 3));',
    find: (subject) => ofType(subject, ['bpchar']),
  },
  {
    code: 'json-type',
    severity: 'warning',
    message: '{}, which has no equality and is parsed again at each look',
    reason:
      'Values of json cannot be compared, so DISTINCT, GROUP BY and UNION over the column fail, and no index serves its keys. jsonb can do both; json only keeps blanks, the order of keys and duplicates.',
    fix: 'jsonb',
    risks: [],
    bad: 'create table events (payload json);',
    good: 'create table events (payload jsonb);',
    find: (subject) => ofType(subject, ['json']),
  },
  {
    code: 'varchar-limit',
    severity: 'notice',
    message: '{} with a limit, which can only be lowered or lifted under a lock',
    reason:
      'varchar(n) stores nothing more compactly than text. A CHECK on the length can be changed without a rewrite and validated later.',
    fix: 'text, with a CHECK on its length where that matters',
    risks: [],
    squawk: ['prefer-text-field'],
    bad: 'create table customers (name varchar(100));',
    good: 'create table customers (name text check (char_length(name) <= 100));',
    find: (subject) =>
      made(subject)
        .filter(
          ({ column }) =>
            typeOf(column.typeName) === 'varchar' && (column.typeName?.typmods ?? []).length > 0,
        )
        .map(({ table, column }) => ({
          about: `${column.colname} of ${table} is varchar`,
          location: column.typeName?.location,
        })),
  },
  {
    code: 'timestamp-without-zone',
    severity: 'warning',
    message: '{}: nobody can say later which instant was meant',
    reason:
      'timestamp without time zone is a reading of a clock, not an instant: it means another one on each machine, and twice a year an hour is told twice.',
    fix: 'timestamptz, which takes the same eight bytes',
    risks: [],
    squawk: ['prefer-timestamptz'],
    bad: 'create table orders (placed_at timestamp);',
    good: 'create table orders (placed_at timestamptz);',
    find: (subject) => ofType(subject, ['timestamp']),
  },
  {
    code: 'small-key',
    severity: 'warning',
    message: '{} and numbers the rows: it ends at 2.1 billion, or at 32,767',
    reason:
      'A key of 32 bits is used up one day, and changing its type rewrites the table and every table that refers to it.',
    fix: 'bigint (or uuid) for keys that are numbered',
    risks: [],
    squawk: ['prefer-bigint-over-int', 'prefer-bigint-over-smallint', 'prefer-big-int'],
    bad: 'create table orders (id integer generated always as identity primary key);',
    good: 'create table orders (id bigint generated always as identity primary key);',
    find: (subject) =>
      made(subject)
        .filter(({ column }) => {
          const type = typeOf(column.typeName);
          const numbered = constraintsOf(column).some(({ contype }) => contype === 'CONSTR_IDENTITY');
          return (
            (numbered && ['int2', 'int4'].includes(type)) || (serials.includes(type) && !/8|big/.test(type))
          );
        })
        .map(({ table, column }) => ({
          about: `${column.colname} of ${table} is ${spellType(typeOf(column.typeName))}`,
          location: column.typeName?.location,
        })),
  },
  {
    code: 'serial-type',
    severity: 'warning',
    message: '{}, whose sequence has rights and an owner of its own',
    reason:
      'serial is three statements in one word: a sequence, a default and an ownership, which GRANT, copies of the table and changes of type then miss. An identity column is one thing.',
    fix: 'bigint generated always as identity (or by default as identity)',
    risks: [],
    squawk: ['prefer-identity'],
    bad: 'create table orders (id bigserial primary key);',
    good: 'create table orders (id bigint generated always as identity primary key);',
    find: (subject) => ofType(subject, serials),
  },
  {
    code: 'enum-value-added',
    severity: 'notice',
    message: 'the value {} cannot be taken back: Postgres drops no enum value',
    reason:
      'A down file cannot remove it. And it stands after all others unless BEFORE or AFTER says where, which is how values are ordered and compared.',
    fix: 'say where it belongs (AFTER …), and in the down file why nothing is taken back; or use a table of values, or text with a CHECK',
    risks: [],
    squawk: ['require-enum-value-ordering', 'ban-add-enum-value'],
    bad: "alter type order_status add value 'returned';",
    good: "alter type order_status add value 'returned' after 'delivered';",
    find: ({ tree }) => {
      const alter = pick(tree, 'AlterEnumStmt');
      if (alter?.newVal === undefined || alter.oldVal !== undefined || alter.newValNeighbor !== undefined)
        return [];
      return [{ about: alter.newVal }];
    },
  },
  {
    code: 'type-attribute',
    severity: 'warning',
    message: 'the composite type {} changes, and with it every column and function of that type',
    reason:
      'A change of a composite type changes the shape of values in every table with such a column; a dropped or retyped attribute rewrites or loses them.',
    fix: 'a table in place of the type, or a new type beside the old',
    risks: ['breaks the running app'],
    squawk: ['ban-add-composite-attribute'],
    bad: 'alter type address add attribute country text;',
    good: 'create type address_with_country as (street text, country text);',
    find: ({ tree }) => {
      const alter = pick(tree, 'AlterTableStmt');
      if (alter?.objtype !== 'OBJECT_TYPE') return [];
      return [{ about: nameOf(alter.relation) }];
    },
  },
  {
    code: 'domain-with-check',
    severity: 'notice',
    message: 'the domain {} has a constraint that can only be changed for all tables at once',
    reason: 'A constraint of a domain cannot be loosened for one table, and adding one later reads them all.',
    fix: 'a CHECK constraint on the table',
    risks: [],
    squawk: ['ban-create-domain-with-constraint'],
    bad: 'create domain amount as numeric check (value > 0);',
    good: 'create domain amount as numeric;',
    find: ({ tree }) => {
      const create = pick(tree, 'CreateDomainStmt');
      const checked = (create?.constraints ?? []).some((item) =>
        ['CONSTR_CHECK', 'CONSTR_NOTNULL'].includes(pick(item, 'Constraint')?.contype ?? ''),
      );
      return checked ? [{ about: wordsOf(create?.domainname).join('.') }] : [];
    },
  },
];
