import type { Constraint, Node } from '@pgsql/types';
import type { SqlFile } from '../migration.ts';
import type { ReadStatement } from './rule.ts';
import { constraintsOf, droppedNames, nameOf, pick, type Tree, wordsOf } from './tree.ts';

/** A file with one of its statements: where something was made. */
export interface Origin {
  readonly file: SqlFile;
  readonly statement: ReadStatement['statement'];
}

/** A foreign key whose referencing table the files make. */
export interface ForeignKey {
  readonly table: string;
  readonly columns: readonly string[];
  readonly origin: Origin;
  /** In bytes of UTF-8 from the statement's beginning. */
  readonly location: number | undefined;
}

interface Index {
  readonly table: string;
  /** Undefined for an expression. */
  readonly columns: readonly (string | undefined)[];
  readonly isPartial: boolean;
}

interface Known {
  readonly table: string;
  /** Columns that a CHECK or NOT NULL constraint proves to hold no null, once it is valid. */
  readonly proves: readonly string[];
  valid: boolean;
  readonly foreignKey?: ForeignKey;
}

/**
 * What the up files of a folder made so far, as far as the rules must know it of statements before theirs, in other files too: columns that
 * hold no null, constraints, indexes. What was there before the first file is not known, and never guessed.
 */
export class Facts {
  /** Columns of the tables that the files made, or added; true for those that hold no null by declaration. */
  readonly #columns = new Map<string, Map<string, boolean>>();
  readonly #constraints = new Map<string, Known>();
  readonly #indexes = new Map<string, Index>();

  /** Whether some constraint or declaration, valid by now, keeps nulls out of the column. */
  isNotNull(table: string, column: string): boolean {
    if (this.#columns.get(table)?.get(column) === true) return true;
    for (const known of this.#constraints.values()) {
      if (known.table === table && known.valid && known.proves.includes(column)) return true;
    }
    return false;
  }

  /** Whether the files made this column. */
  knows(table: string, column: string): boolean {
    return this.#columns.get(table)?.has(column) === true;
  }

  /** Whether the constraint kept nulls out of columns that are declared NOT NULL by now: it has proven that, and may go. */
  hasServed(table: string, constraint: string): boolean {
    const { proves = [] } = this.#constraints.get(`${constraint} of ${table}`) ?? {};
    return proves.length > 0 && proves.every((column) => this.#columns.get(table)?.get(column) === true);
  }

  /** The columns of an index that the files made; undefined for another. */
  columnsOfIndex(name: string): readonly (string | undefined)[] | undefined {
    return this.#indexes.get(name)?.columns;
  }

  /** Foreign keys of tables and columns that the files made, with no index that begins with their columns. */
  unindexedForeignKeys(): ForeignKey[] {
    const keys = [...this.#constraints.values()].flatMap(({ foreignKey }) => foreignKey ?? []);
    return keys.filter(({ table, columns }) => {
      if (!columns.every((column) => this.knows(table, column))) return false;
      return ![...this.#indexes.values()].some((index) => {
        const [leading = ''] = index.columns;
        return index.table === table && !index.isPartial && columns.includes(leading);
      });
    });
  }

  /** Goes on by one statement. */
  follow({ statement, tree }: ReadStatement, file: SqlFile): void {
    const origin = { file, statement };
    this.#followTable(tree, origin);
    this.#followAlter(tree, origin);
    const index = pick(tree, 'IndexStmt');
    if (index?.idxname !== undefined) {
      this.#indexes.set(index.idxname, {
        table: nameOf(index.relation),
        columns: (index.indexParams ?? []).map((item) => pick(item, 'IndexElem')?.name),
        isPartial: index.whereClause !== undefined,
      });
    }
    this.#followDrop(tree);
    this.#followRename(tree);
  }

  #followTable(tree: Tree, origin: Origin): void {
    const create = pick(tree, 'CreateStmt');
    if (create === undefined) return;
    const table = nameOf(create.relation);
    if (create.if_not_exists === true && this.#columns.has(table)) return;
    this.#columns.set(table, new Map());
    for (const element of create.tableElts ?? []) {
      this.#addColumn(table, element, origin);
      const constraint = pick(element, 'Constraint');
      if (constraint !== undefined) this.#addConstraint(table, constraint, [], origin);
    }
  }

  #followAlter(tree: Tree, origin: Origin): void {
    const alter = pick(tree, 'AlterTableStmt');
    if (alter?.objtype !== 'OBJECT_TABLE') return;
    const table = nameOf(alter.relation);
    for (const item of alter.cmds ?? []) {
      const { subtype, name = '', def } = pick(item, 'AlterTableCmd') ?? {};
      const constraint = pick(def, 'Constraint');
      if (subtype === 'AT_AddColumn') this.#addColumn(table, def, origin);
      else if (subtype === 'AT_AddConstraint' && constraint !== undefined)
        this.#addConstraint(table, constraint, [], origin);
      else if (subtype === 'AT_SetNotNull') this.#declare(table, name, true);
      else if (subtype === 'AT_DropNotNull') this.#declare(table, name, false);
      else if (subtype === 'AT_DropColumn') this.#forgetColumn(table, name);
      else if (subtype === 'AT_DropConstraint') this.#forget(`${name} of ${table}`, name);
      else if (subtype === 'AT_ValidateConstraint') {
        const known = this.#constraints.get(`${name} of ${table}`);
        if (known !== undefined) known.valid = true;
      }
    }
  }

  #addColumn(table: string, element: Node | undefined, origin: Origin): void {
    const column = pick(element, 'ColumnDef');
    if (column?.colname === undefined) return;
    this.#declare(table, column.colname, false);
    for (const constraint of constraintsOf(column)) {
      this.#addConstraint(table, constraint, [column.colname], origin);
    }
  }

  #addConstraint(table: string, constraint: Constraint, own: readonly string[], origin: Origin): void {
    const { contype, conname, indexname, location } = constraint;
    const listed = wordsOf(contype === 'CONSTR_FOREIGN' ? constraint.fk_attrs : constraint.keys);
    const ofIndex = indexname === undefined ? [] : (this.#indexes.get(indexname)?.columns ?? []);
    const columns = [...own, ...listed, ...ofIndex.filter((column) => column !== undefined)];
    const name = conname ?? indexname ?? defaultName(table, contype, columns);
    const key = `${name} of ${table}`;
    const valid = constraint.skip_validation !== true;
    if (contype === 'CONSTR_NOTNULL' && own.length > 0) this.#declare(table, own[0] ?? '', true);
    else if (contype === 'CONSTR_NOTNULL') this.#constraints.set(key, { table, proves: listed, valid });
    else if (contype === 'CONSTR_CHECK')
      this.#constraints.set(key, { table, proves: provenBy(constraint.raw_expr), valid });
    else if (contype === 'CONSTR_FOREIGN') {
      const foreignKey = { table, columns, origin, location };
      this.#constraints.set(key, { table, proves: [], valid, foreignKey });
    } else if (contype === 'CONSTR_PRIMARY' || contype === 'CONSTR_UNIQUE') {
      this.#constraints.set(key, { table, proves: contype === 'CONSTR_PRIMARY' ? columns : [], valid: true });
      if (indexname !== undefined) this.#indexes.delete(indexname);
      this.#indexes.set(name, { table, columns, isPartial: false });
    }
  }

  #declare(table: string, column: string, isNotNull: boolean): void {
    const columns = this.#columns.get(table) ?? new Map<string, boolean>();
    this.#columns.set(table, columns.set(column, isNotNull));
  }

  #forget(key: string, index: string): void {
    this.#constraints.delete(key);
    this.#indexes.delete(index);
  }

  #forgetColumn(table: string, column: string): void {
    this.#columns.get(table)?.delete(column);
    for (const [key, { foreignKey, ...known }] of this.#constraints) {
      const gone = foreignKey?.columns.includes(column) === true || known.proves.includes(column);
      if (known.table === table && gone) this.#constraints.delete(key);
    }
    for (const [name, index] of this.#indexes) {
      if (index.table === table && index.columns.includes(column)) this.#indexes.delete(name);
    }
  }

  #followDrop(tree: Tree): void {
    const drop = pick(tree, 'DropStmt');
    for (const parts of droppedNames(drop?.objects)) {
      const name = parts.join('.');
      if (drop?.removeType === 'OBJECT_INDEX') this.#indexes.delete(parts.at(-1) ?? '');
      if (drop?.removeType !== 'OBJECT_TABLE') continue;
      this.#columns.delete(name);
      for (const [key, { table }] of this.#constraints) if (table === name) this.#constraints.delete(key);
      for (const [key, { table }] of this.#indexes) if (table === name) this.#indexes.delete(key);
    }
  }

  #followRename(tree: Tree): void {
    const rename = pick(tree, 'RenameStmt');
    if (rename?.newname === undefined) return;
    const { newname, subname = '' } = rename;
    const table = nameOf(rename.relation);
    if (rename.renameType === 'OBJECT_INDEX') move(this.#indexes, table.split('.').at(-1) ?? '', newname);
    if (rename.renameType === 'OBJECT_TABCONSTRAINT') {
      move(this.#constraints, `${subname} of ${table}`, `${newname} of ${table}`);
      move(this.#indexes, subname, newname);
    }
    const as = (name: string) => (name === subname ? newname : name);
    if (rename.renameType === 'OBJECT_COLUMN') {
      move(this.#columns.get(table) ?? new Map(), subname, newname);
      this.#rewrite(table, table, as);
    }
    if (rename.renameType === 'OBJECT_TABLE') {
      const schema = rename.relation?.schemaname;
      const to = schema === undefined || schema === 'public' ? newname : `${schema}.${newname}`;
      move(this.#columns, table, to);
      this.#rewrite(table, to, (column) => column);
    }
  }

  #rewrite(from: string, to: string, as: (column: string) => string): void {
    for (const [key, known] of [...this.#constraints]) {
      if (known.table !== from) continue;
      const { foreignKey, proves } = known;
      this.#constraints.delete(key);
      this.#constraints.set(
        key.replace(/ of .*$/s, () => ` of ${to}`),
        {
          ...known,
          table: to,
          proves: proves.map(as),
          ...(foreignKey && {
            foreignKey: { ...foreignKey, table: to, columns: foreignKey.columns.map(as) },
          }),
        },
      );
    }
    for (const [name, index] of this.#indexes) {
      if (index.table !== from) continue;
      const columns = index.columns.map((column) => (column === undefined ? column : as(column)));
      this.#indexes.set(name, { ...index, table: to, columns });
    }
  }
}

function move<T>(map: Map<string, T>, from: string, to: string): void {
  const value = map.get(from);
  if (value === undefined) return;
  map.delete(from);
  map.set(to, value);
}

/** As Postgres names a constraint without a name, where no other has that name. */
export function defaultName(
  table: string,
  contype: Constraint['contype'],
  columns: readonly string[],
): string {
  const endings: Readonly<Record<string, string>> = {
    CONSTR_CHECK: 'check',
    CONSTR_UNIQUE: 'key',
    CONSTR_FOREIGN: 'fkey',
    CONSTR_EXCLUSION: 'excl',
    CONSTR_NOTNULL: 'not_null',
  };
  const own = table.split('.').at(-1) ?? table;
  if (contype === 'CONSTR_PRIMARY') return `${own}_pkey`;
  return [own, ...columns, endings[contype ?? ''] ?? 'constraint'].join('_');
}

/** Columns that are not null in every row for which the expression holds: `a is not null and b > 0` proves `a`. */
function provenBy(expression: Node | undefined): string[] {
  const both = pick(expression, 'BoolExpr');
  if (both?.boolop === 'AND_EXPR') return (both.args ?? []).flatMap(provenBy);
  const test = pick(expression, 'NullTest');
  const column = pick(test?.arg, 'ColumnRef');
  return test?.nulltesttype === 'IS_NOT_NULL' && column !== undefined ? wordsOf(column.fields).slice(-1) : [];
}
