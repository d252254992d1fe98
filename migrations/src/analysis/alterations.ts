import type { AlterTableCmd, ColumnDef, Constraint } from '@pgsql/types';
import { constraintsOf, nameOf, pick, type Tree } from './tree.ts';

/** One command of ALTER TABLE, of a table that was there before. */
export interface Alteration {
  readonly table: string;
  readonly subtype: NonNullable<AlterTableCmd['subtype']>;
  readonly name: string;
  readonly command: AlterTableCmd;
}

/** The commands of an ALTER TABLE, none for other statements and for tables that `isNew`. */
export function alterationsOf(tree: Tree, isNew: (table: string) => boolean): Alteration[] {
  const statement = pick(tree, 'AlterTableStmt');
  if (statement === undefined || !['OBJECT_TABLE', 'OBJECT_FOREIGN_TABLE'].includes(statement.objtype ?? ''))
    return [];
  const table = nameOf(statement.relation);
  if (isNew(table)) return [];
  return (statement.cmds ?? []).flatMap((item) => {
    const command = pick(item, 'AlterTableCmd');
    return command?.subtype === undefined
      ? []
      : [{ table, subtype: command.subtype, name: command.name ?? '', command }];
  });
}

/** A column that ALTER TABLE adds. */
export interface AddedColumn {
  readonly table: string;
  readonly column: ColumnDef;
  readonly name: string;
  readonly constraints: readonly Constraint[];
}

export function addedColumns(alterations: readonly Alteration[]): AddedColumn[] {
  return alterations.flatMap(({ subtype, table, command }) => {
    const column = subtype === 'AT_AddColumn' ? pick(command.def, 'ColumnDef') : undefined;
    return column === undefined
      ? []
      : [{ table, column, name: column.colname ?? '', constraints: constraintsOf(column) }];
  });
}

/** A constraint that ALTER TABLE adds by itself, not with a column. */
export function addedConstraints(
  alterations: readonly Alteration[],
): { table: string; constraint: Constraint }[] {
  return alterations.flatMap(({ subtype, table, command }) => {
    const constraint = subtype === 'AT_AddConstraint' ? pick(command.def, 'Constraint') : undefined;
    return constraint === undefined ? [] : [{ table, constraint }];
  });
}

/** `"email" of orders`. */
export function columnOf(name: string, table: string): string {
  return `${name} of ${table}`;
}

/** `orders_total of orders`, or what kind of constraint without a name it is. */
export function constraintOn({ conname, contype }: Constraint, table: string): string {
  const kind = (contype ?? '').replace('CONSTR_', '').toLowerCase().replaceAll('_', ' ');
  return `${conname ?? `a ${kind} constraint`} of ${table}`;
}
