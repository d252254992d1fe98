import type { ColumnDef } from '@pgsql/types';
import { constraintsOf, droppedNames, joinName, nameOf, pick, type Tree, walk, wordsOf } from './tree.ts';

/** What a file made and took away, by the parse trees of its statements. */
export interface Balance {
  /** `table orders`, `column note of orders`: there after the file and not before; each with what takes it along when it goes. */
  readonly made: ReadonlyMap<string, readonly string[]>;
  /** Was there before and is not after. */
  readonly taken: ReadonlySet<string>;
  /** Whether the file may do more than can be read: DO, CALL, EXECUTE, CREATE OR REPLACE, CASCADE. */
  readonly unsure: boolean;
}

/** Follows the statements of a file one after another. */
export function balanceOf(trees: readonly Tree[]): Balance {
  const made = new Map<string, readonly string[]>();
  const taken = new Set<string>();
  let unsure = false;
  const make: Make = (key, ...holders) => {
    if (!taken.delete(key)) made.set(key, holders);
  };
  const take: Take = (key) => {
    if (!made.delete(key)) taken.add(key);
    for (const [other, holders] of [...made]) if (holders.includes(key)) made.delete(other);
  };
  for (const tree of trees) {
    unsure ||= isUnsure(tree);
    follow(tree, make, take);
  }
  return { made, taken, unsure };
}

/**
 * What is wrong with a down file: what its up file made and it leaves, and what it does not make again although the up file took
 * it. Empty where one of the two cannot be read whole.
 */
export function compareBalances(
  up: Balance,
  down: Balance,
): { readonly left: string[]; readonly lacking: string[] } {
  if (up.unsure || down.unsure) return { left: [], lacking: [] };
  const isGone = (key: string) => down.taken.has(key);
  return {
    left: [...up.made]
      .filter(([key, holders]) => !isGone(key) && !holders.some(isGone))
      .map(([key]) => key)
      .sort(),
    lacking: [...up.taken].filter((key) => !down.made.has(key)).sort(),
  };
}

function isUnsure(tree: Tree): boolean {
  const kinds = ['DoStmt', 'CallStmt', 'ExecuteStmt', 'AlterObjectSchemaStmt', 'ImportForeignSchemaStmt'];
  if (kinds.some((kind) => kind in tree)) return true;
  if (pick(tree, 'DropStmt')?.behavior === 'DROP_CASCADE') return true;
  const replaced = [
    pick(tree, 'CreateFunctionStmt')?.replace,
    pick(tree, 'ViewStmt')?.replace,
    pick(tree, 'CreateTrigStmt')?.replace,
  ];
  return replaced.includes(true);
}

type Make = (key: string, ...holders: string[]) => void;
type Take = (key: string) => void;

function follow(tree: Tree, make: Make, take: Take): void {
  const table = pick(tree, 'CreateStmt');
  if (table !== undefined && table.relation?.relpersistence !== 't') make(`table ${nameOf(table.relation)}`);
  const copied = pick(tree, 'CreateTableAsStmt');
  if (copied !== undefined)
    make(
      `${copied.objtype === 'OBJECT_MATVIEW' ? 'materialized view' : 'table'} ${nameOf(copied.into?.rel)}`,
    );
  const view = pick(tree, 'ViewStmt');
  if (view !== undefined) make(`view ${nameOf(view.view)}`);
  const index = pick(tree, 'IndexStmt');
  if (index?.idxname !== undefined)
    make(`index ${index.idxname}`, ...holdersOf(nameOf(index.relation), index));
  const routine = pick(tree, 'CreateFunctionStmt');
  if (routine !== undefined) make(`function ${joinName(routine.funcname)}`);
  const trigger = pick(tree, 'CreateTrigStmt');
  if (trigger !== undefined) {
    const on = nameOf(trigger.relation);
    make(`trigger ${trigger.trigname} of ${on}`, `table ${on}`);
  }
  const policy = pick(tree, 'CreatePolicyStmt');
  if (policy !== undefined)
    make(`policy ${policy.policy_name} of ${nameOf(policy.table)}`, `table ${nameOf(policy.table)}`);
  const listed = pick(tree, 'CreateEnumStmt')?.typeName ?? pick(tree, 'CreateDomainStmt')?.domainname;
  if (listed !== undefined) make(`type ${joinName(listed)}`);
  const composite = pick(tree, 'CompositeTypeStmt');
  if (composite !== undefined) make(`type ${nameOf(composite.typevar)}`);
  const sequence = pick(tree, 'CreateSeqStmt');
  if (sequence !== undefined) make(`sequence ${nameOf(sequence.sequence)}`);
  const schema = pick(tree, 'CreateSchemaStmt');
  if (schema !== undefined && schema.if_not_exists !== true) make(`schema ${schema.schemaname}`);
  const extension = pick(tree, 'CreateExtensionStmt');
  if (extension !== undefined && extension.if_not_exists !== true) make(`extension ${extension.extname}`);
  followDrop(tree, take);
  followAlter(tree, make, take);
}

/** What takes an index or a constraint along: its table, and each column it is about. */
function holdersOf(table: string, body: object | undefined): string[] {
  const columns = new Set<string>();
  for (const node of walk(body)) {
    const element = node['IndexElem'];
    if (typeof element === 'object' && element !== null && 'name' in element)
      columns.add(String(element.name));
    const reference = node['ColumnRef'];
    if (
      typeof reference === 'object' &&
      reference !== null &&
      'fields' in reference &&
      Array.isArray(reference.fields)
    ) {
      columns.add(wordsOf(reference.fields as Tree[]).at(-1) ?? '');
    }
    for (const key of ['keys', 'fk_attrs']) {
      const list = node[key];
      if (Array.isArray(list)) for (const word of wordsOf(list as Tree[])) columns.add(word);
    }
  }
  return [`table ${table}`, ...[...columns].map((column) => `column ${column} of ${table}`)];
}

const words: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'view',
  OBJECT_MATVIEW: 'materialized view',
  OBJECT_INDEX: 'index',
  OBJECT_FUNCTION: 'function',
  OBJECT_PROCEDURE: 'function',
  OBJECT_ROUTINE: 'function',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
  OBJECT_SEQUENCE: 'sequence',
  OBJECT_SCHEMA: 'schema',
  OBJECT_EXTENSION: 'extension',
};

function followDrop(tree: Tree, take: Take): void {
  const drop = pick(tree, 'DropStmt');
  const kind = drop?.removeType ?? '';
  for (const parts of droppedNames(drop?.objects)) {
    const name = parts.join('.');
    const on = parts.slice(0, -1).join('.');
    if (kind === 'OBJECT_TRIGGER') take(`trigger ${parts.at(-1)} of ${on}`);
    else if (kind === 'OBJECT_POLICY') take(`policy ${parts.at(-1)} of ${on}`);
    else if (words[kind] !== undefined)
      take(`${words[kind]} ${kind === 'OBJECT_INDEX' ? parts.at(-1) : name}`);
  }
}

function followAlter(tree: Tree, make: Make, take: Take): void {
  const rename = pick(tree, 'RenameStmt');
  if (rename !== undefined) {
    const table = nameOf(rename.relation);
    const parts: Readonly<Record<string, string>> = {
      OBJECT_COLUMN: 'column',
      OBJECT_TABCONSTRAINT: 'constraint',
      OBJECT_TRIGGER: 'trigger',
    };
    const part = parts[rename.renameType ?? ''];
    const whole = words[rename.renameType ?? ''];
    if (part !== undefined) {
      take(`${part} ${rename.subname} of ${table}`);
      make(`${part} ${rename.newname} of ${table}`, `table ${table}`);
    } else if (whole !== undefined && rename.relation !== undefined) {
      take(`${whole} ${table}`);
      const schema = rename.relation.schemaname;
      const named = schema === undefined || schema === 'public' ? '' : `${schema}.`;
      make(`${whole} ${whole === 'index' ? '' : named}${rename.newname}`);
    }
  }
  const alter = pick(tree, 'AlterTableStmt');
  if (alter === undefined || alter.objtype !== 'OBJECT_TABLE') return;
  const table = nameOf(alter.relation);
  for (const item of alter.cmds ?? []) {
    const command = pick(item, 'AlterTableCmd');
    const column: ColumnDef | undefined = pick(command?.def, 'ColumnDef');
    if (command?.subtype === 'AT_AddColumn') {
      make(`column ${column?.colname} of ${table}`, `table ${table}`);
      const holders = [`table ${table}`, `column ${column?.colname} of ${table}`];
      for (const { conname } of constraintsOf(column)) {
        if (conname !== undefined) make(`constraint ${conname} of ${table}`, ...holders);
      }
    } else if (command?.subtype === 'AT_DropColumn') take(`column ${command.name} of ${table}`);
    else if (command?.subtype === 'AT_DropConstraint') take(`constraint ${command.name} of ${table}`);
    else if (command?.subtype === 'AT_AddConstraint') {
      const constraint = pick(command.def, 'Constraint');
      const name = constraint?.conname;
      if (name !== undefined) make(`constraint ${name} of ${table}`, ...holdersOf(table, constraint));
    }
  }
}
