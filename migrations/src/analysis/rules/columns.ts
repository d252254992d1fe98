import type { AddedColumn } from '../alterations.ts';
import { addedColumns, alterationsOf, columnOf } from '../alterations.ts';
import type { Rule } from '../rule.ts';
import { functionsIn, nameOf, pick, type Tree, typeOf } from '../tree.ts';

/** Functions whose value is the same for every row of one statement, so that a default of them is no rewrite. */
const steady = new Set(
  'now transaction_timestamp statement_timestamp lower upper concat md5 format jsonb_build_object jsonb_build_array json_build_object json_build_array array_fill make_interval make_date to_timestamp to_date int4range int8range numrange daterange tsrange tstzrange current_setting'.split(
    ' ',
  ),
);
export const serials: readonly string[] = [
  'serial',
  'bigserial',
  'smallserial',
  'serial2',
  'serial4',
  'serial8',
];

export const columnRules: readonly Rule[] = [
  {
    code: 'volatile-default',
    severity: 'warning',
    message: 'the default of {} differs from row to row, so the whole table is rewritten',
    reason:
      'A constant default, or one like now(), is stored once since Postgres 11. One that is evaluated for every row rewrites the table under an ACCESS EXCLUSIVE lock.',
    fix: 'add the column without a default, SET DEFAULT, then fill old rows in batches',
    risks: ['rewrites'],
    squawk: ['adding-field-with-default'],
    bad: 'alter table orders add column token uuid default gen_random_uuid();',
    good: 'alter table orders add column placed_at timestamptz default now();',
    find: ({ tree, isNew }) =>
      addedColumns(alterationsOf(tree, isNew)).flatMap((added) => {
        const value = defaultOf(added);
        const unsteady = functionsIn(value).some((name) => !steady.has(name));
        return unsteady ? [hit(added)] : [];
      }),
  },
  {
    code: 'generated-column-rewrites',
    severity: 'warning',
    message: '{} is computed for every row, so the whole table is rewritten',
    reason:
      'A stored generated column, or a new expression of one, is written into every row under an ACCESS EXCLUSIVE lock.',
    fix: 'a view, an expression index, or a plain column that a trigger fills and that is filled in batches',
    risks: ['rewrites'],
    squawk: ['adding-field-with-default', 'ban-alter-generated-expression'],
    bad: 'alter table orders add column gross numeric generated always as (net * 1.2) stored;',
    good: 'alter table orders add column gross numeric;',
    find: ({ tree, isNew }) => {
      const alterations = alterationsOf(tree, isNew);
      const added = addedColumns(alterations)
        .filter(({ constraints }) =>
          constraints.some(
            ({ contype, generated_kind: kind }) => contype === 'CONSTR_GENERATED' && kind !== 'v',
          ),
        )
        .map(hit);
      const changed = alterations
        .filter(({ subtype }) => subtype === 'AT_SetExpression')
        .map(({ table, name }) => ({ about: columnOf(name, table) }));
      return [...added, ...changed];
    },
  },
  {
    code: 'serial-column-rewrites',
    severity: 'warning',
    message: '{} numbers every row, so the whole table is rewritten',
    reason:
      'A serial or identity column gets a value in every old row, which rewrites the table under an ACCESS EXCLUSIVE lock.',
    fix: 'add a plain bigint column, fill it in batches, then make it the identity',
    risks: ['rewrites'],
    squawk: ['adding-serial-primary-key-field'],
    bad: 'alter table orders add column number bigint generated always as identity;',
    good: 'alter table orders add column number bigint;',
    find: ({ tree, isNew }) =>
      addedColumns(alterationsOf(tree, isNew))
        .filter(
          ({ column, constraints }) =>
            serials.includes(typeOf(column.typeName)) ||
            constraints.some(({ contype }) => contype === 'CONSTR_IDENTITY'),
        )
        .map(hit),
  },
  {
    code: 'required-column',
    severity: 'error',
    message: '{} must not be null and has no default, so it cannot be added to a table with rows',
    reason:
      'Postgres refuses it as soon as the table has one row, and the running version of the app, which does not know the column, could not write any more.',
    fix: 'give it a default, or add it nullable, fill it, then SET NOT NULL',
    risks: ['breaks the running app'],
    squawk: ['adding-required-field'],
    bad: 'alter table orders add column currency text not null;',
    good: "alter table orders add column currency text not null default 'EUR';",
    find: ({ tree, isNew, before }) =>
      addedColumns(alterationsOf(tree, isNew))
        .filter(({ table }) => !before().some(({ tree: earlier }) => empties(earlier, table)))
        .filter(({ column, constraints }) => {
          const has = (type: string) => constraints.some(({ contype }) => contype === type);
          const filled = has('CONSTR_DEFAULT') || has('CONSTR_GENERATED') || has('CONSTR_IDENTITY');
          const required = has('CONSTR_NOTNULL') || has('CONSTR_PRIMARY');
          return required && !filled && !serials.includes(typeOf(column.typeName));
        })
        .map(hit),
  },
  {
    code: 'column-type-changed',
    severity: 'warning',
    message: 'the new type of {} may rewrite the table and its indexes while nobody can use it',
    reason:
      'ALTER COLUMN … TYPE rewrites every row unless Postgres knows the old values to be valid as they are (varchar to text, a longer varchar). `migrate rehearse` shows which it is. A value that does not fit is an error; precision can be lost; the running version of the app may not read the new type.',
    fix: 'a new column, kept in step by a trigger, filled in batches; then switch the app (migrate create --type rename)',
    risks: ['rewrites', 'breaks the running app'],
    squawk: ['changing-column-type'],
    bad: 'alter table orders alter column total type bigint;',
    good: 'alter table orders add column total_cents bigint;',
    find: ({ tree, isNew }) =>
      alterationsOf(tree, isNew)
        .filter(({ subtype }) => subtype === 'AT_AlterColumnType')
        .map(({ table, name, command }) => ({
          about: columnOf(name, table),
          location: pick(command.def, 'ColumnDef')?.location,
        })),
  },
  {
    code: 'not-null-dropped',
    severity: 'warning',
    message: '{} may be null from then on, which the running version of the app may not expect',
    reason:
      'Code that was written against NOT NULL reads a null one day and fails there. And the down file fails as soon as there is one.',
    fix: 'deploy an app that expects nulls first',
    risks: ['breaks the running app'],
    squawk: ['ban-drop-not-null'],
    bad: 'alter table orders alter column currency drop not null;',
    good: "alter table orders alter column currency set default 'EUR';",
    find: ({ tree, isNew }) =>
      alterationsOf(tree, isNew)
        .filter(({ subtype }) => subtype === 'AT_DropNotNull')
        .map(({ table, name }) => ({ about: columnOf(name, table) })),
  },
  {
    code: 'default-dropped',
    severity: 'warning',
    message: '{} has no default from then on; the running version of the app may rely on it',
    reason: 'An INSERT that leaves the column out writes a null, or fails where the column must not be null.',
    fix: 'deploy an app that always gives the column first',
    risks: ['breaks the running app'],
    squawk: ['ban-drop-default', 'ban-drop-generated-expression'],
    bad: 'alter table orders alter column currency drop default;',
    good: "alter table orders alter column currency set default 'EUR';",
    find: ({ tree, isNew }) =>
      alterationsOf(tree, isNew)
        .filter(
          ({ subtype, command }) =>
            (subtype === 'AT_ColumnDefault' && command.def === undefined) ||
            subtype === 'AT_DropExpression' ||
            subtype === 'AT_DropIdentity',
        )
        .map(({ table, name }) => ({ about: columnOf(name, table) })),
  },
  {
    code: 'sequence-changed',
    severity: 'warning',
    message: '{} is set by hand: values that were given out can be given out again',
    reason:
      'RESTART, MINVALUE, MAXVALUE and CYCLE of a sequence or identity column decide which keys the app gets next; a key that is taken fails its INSERT.',
    fix: "set it past the highest value there is, as in select setval('…', (select max(id) from …))",
    risks: ['breaks the running app'],
    squawk: ['ban-alter-identity', 'ban-alter-sequence-values'],
    bad: 'alter sequence orders_id_seq restart with 1;',
    good: 'alter sequence orders_id_seq owned by orders.id;',
    find: ({ tree, isNew }) => {
      const sequence = pick(tree, 'AlterSeqStmt');
      const setting = (options: readonly Tree[] | undefined) =>
        (options ?? []).some((option) =>
          ['restart', 'minvalue', 'maxvalue', 'cycle', 'increment'].includes(
            pick(option, 'DefElem')?.defname ?? '',
          ),
        );
      const alone = setting(sequence?.options)
        ? [{ about: sequence?.sequence?.relname ?? 'a sequence' }]
        : [];
      const identities = alterationsOf(tree, isNew)
        .filter(
          ({ subtype, command }) => subtype === 'AT_SetIdentity' && setting(pick(command.def, 'List')?.items),
        )
        .map(({ table, name }) => ({ about: columnOf(name, table) }));
      return [...alone, ...identities];
    },
  },
];

function defaultOf({ constraints }: AddedColumn): Tree | undefined {
  return constraints.find(({ contype }) => contype === 'CONSTR_DEFAULT')?.raw_expr;
}

/** Whether a statement leaves the table without a row: TRUNCATE, or DELETE without a condition. */
function empties(tree: Tree, table: string): boolean {
  const removed = pick(tree, 'DeleteStmt');
  if (removed !== undefined) return removed.whereClause === undefined && nameOf(removed.relation) === table;
  const relations = pick(tree, 'TruncateStmt')?.relations ?? [];
  return relations.some((relation) => nameOf(pick(relation, 'RangeVar')) === table);
}

function hit({ name, table, column }: AddedColumn) {
  return { about: columnOf(name, table), location: column.location };
}
