import type { ColumnDef, Constraint } from '@pgsql/types';
import { defaultName } from './facts.ts';
import { constraintsOf, droppedNames, joinName, nameOf, pick, type Tree, walk, wordsOf } from './tree.ts';

/** What a file made and took away, by the parse trees of its statements. */
export interface Balance {
  /** `table orders`, `column note of orders`: there after the file and not before; each with what takes it along when it goes. */
  readonly made: ReadonlyMap<string, readonly string[]>;
  /** Was there before and is not after. */
  readonly taken: ReadonlySet<string>;
  /** What a statement made, or took, whatever followed: one that makes what it took before means to change it. */
  readonly touched: { readonly made: ReadonlySet<string>; readonly taken: ReadonlySet<string> };
  /** Whether the file may do more than can be read: DO, CALL, EXECUTE, CREATE OR REPLACE, CASCADE. */
  readonly unsure: boolean;
}

/** Follows the statements of a file one after another. */
export function balanceOf(trees: readonly Tree[]): Balance {
  const made = new Map<string, readonly string[]>();
  const taken = new Set<string>();
  const touched = { made: new Set<string>(), taken: new Set<string>() };
  let unsure = false;
  const follower: Follower = {
    make: (key, ...holders) => {
      touched.made.add(key);
      if (!taken.delete(key)) made.set(key, holders);
    },
    take: (key) => {
      touched.taken.add(key);
      if (!made.delete(key)) taken.add(key);
      for (const [other, holders] of [...made]) if (holders.includes(key)) made.delete(other);
    },
    hold: (key, ...holders) => {
      const before = made.get(key);
      if (before !== undefined) made.set(key, [...before, ...holders]);
    },
    rename: (from, to) => {
      for (const [key, holders] of [...made]) {
        made.delete(key);
        made.set(
          renamed(key, from, to),
          holders.map((holder) => renamed(holder, from, to)),
        );
      }
    },
  };
  for (const tree of trees) {
    unsure ||= isUnsure(tree);
    follow(tree, follower);
  }
  return { made, taken, touched, unsure };
}

/** `column a of t` when `table t` or `column a of t` itself gets another name; other keys stay. */
function renamed(key: string, from: string, to: string): string {
  if (key === from) return to;
  const table = /^table (.*)$/s.exec(from)?.[1];
  const ending = ` of ${table}`;
  if (table === undefined || !key.endsWith(ending)) return key;
  return `${key.slice(0, -ending.length)} of ${to.slice('table '.length)}`;
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
  const isGone = (key: string) => down.touched.taken.has(key);
  return {
    left: [...up.made]
      .filter(([key, holders]) => !isGone(key) && !holders.some(isGone))
      .map(([key]) => key)
      .sort(),
    lacking: [...up.taken].filter((key) => !down.touched.made.has(key)).sort(),
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

interface Follower {
  readonly make: Make;
  readonly take: Take;
  /** What was made goes along with these, too. */
  readonly hold: Make;
  /** What was made, and what it goes along with, has another name. */
  readonly rename: (from: string, to: string) => void;
}

function follow(tree: Tree, follower: Follower): void {
  followTables(tree, follower);
  const { make, take, hold } = follower;
  const routine = pick(tree, 'CreateFunctionStmt');
  if (routine !== undefined) make(`function ${joinName(routine.funcname)}`);
  const trigger = pick(tree, 'CreateTrigStmt');
  if (trigger !== undefined) {
    const on = nameOf(trigger.relation);
    make(`trigger ${trigger.trigname} of ${on}`, ...kindsOf(on));
  }
  const policy = pick(tree, 'CreatePolicyStmt');
  if (policy !== undefined)
    make(`policy ${policy.policy_name} of ${nameOf(policy.table)}`, `table ${nameOf(policy.table)}`);
  const listed = pick(tree, 'CreateEnumStmt')?.typeName ?? pick(tree, 'CreateDomainStmt')?.domainname;
  if (listed !== undefined) make(`type ${joinName(listed)}`);
  const composite = pick(tree, 'CompositeTypeStmt');
  if (composite !== undefined) make(`type ${nameOf(composite.typevar)}`);
  const sequence = pick(tree, 'CreateSeqStmt');
  if (sequence !== undefined) make(`sequence ${nameOf(sequence.sequence)}`, ...ownersOf(sequence.options));
  const owned = pick(tree, 'AlterSeqStmt');
  if (owned !== undefined) hold(`sequence ${nameOf(owned.sequence)}`, ...ownersOf(owned.options));
  const schema = pick(tree, 'CreateSchemaStmt');
  if (schema !== undefined && schema.if_not_exists !== true) make(`schema ${schema.schemaname}`);
  const extension = pick(tree, 'CreateExtensionStmt');
  if (extension !== undefined && extension.if_not_exists !== true) make(`extension ${extension.extname}`);
  followDrop(tree, take);
  followRename(tree, follower);
  followAlter(tree, follower);
}

function followTables(tree: Tree, { make }: Follower): void {
  const table = pick(tree, 'CreateStmt');
  if (table !== undefined && table.relation?.relpersistence !== 't') {
    // A partition goes with its table; a child by INHERITS keeps that from going.
    const parents = table.partbound === undefined ? [] : (table.inhRelations ?? []);
    make(
      `table ${nameOf(table.relation)}`,
      ...parents.map((parent) => `table ${nameOf(pick(parent, 'RangeVar'))}`),
    );
  }
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
}

/** What a relation of this name may be. */
function kindsOf(name: string): string[] {
  return [`table ${name}`, `materialized view ${name}`, `view ${name}`];
}

/** The table and column that OWNED BY names. */
function ownersOf(options: readonly Tree[] | undefined): string[] {
  return (options ?? []).flatMap((option) => {
    const { defname, arg } = pick(option, 'DefElem') ?? {};
    const parts = defname === 'owned_by' ? wordsOf(pick(arg, 'List')?.items) : [];
    if (parts.length < 2) return [];
    const table = (parts[0] === 'public' ? parts.slice(1, -1) : parts.slice(0, -1)).join('.');
    return [`table ${table}`, `column ${parts.at(-1)} of ${table}`];
  });
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
  return [...kindsOf(table), ...[...columns].map((column) => `column ${column} of ${table}`)];
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

const parts: Readonly<Record<string, string>> = {
  OBJECT_COLUMN: 'column',
  OBJECT_TABCONSTRAINT: 'constraint',
  OBJECT_TRIGGER: 'trigger',
  OBJECT_POLICY: 'policy',
};

function followRename(tree: Tree, { make, take, rename: rekey }: Follower): void {
  const rename = pick(tree, 'RenameStmt');
  if (rename === undefined) return;
  const { renameType = '', relation, object, subname, newname = '' } = rename;
  const table = nameOf(relation);
  const part = parts[renameType];
  const whole = words[renameType];
  if (part !== undefined) {
    take(`${part} ${subname} of ${table}`);
    make(`${part} ${newname} of ${table}`, `table ${table}`);
    rekey(`${part} ${subname} of ${table}`, `${part} ${newname} of ${table}`);
  } else if (whole !== undefined) {
    const name = relation === undefined ? (droppedNames(object && [object])[0] ?? [subname ?? '']) : [table];
    const schema = relation === undefined ? name.slice(0, -1).join('.') : relation.schemaname;
    const named = schema === undefined || schema === '' || schema === 'public' ? '' : `${schema}.`;
    const from = `${whole} ${whole === 'index' ? name.join('.').split('.').at(-1) : name.join('.')}`;
    const to = `${whole} ${whole === 'index' ? '' : named}${newname}`;
    take(from);
    make(to);
    rekey(from, to);
  }
}

function followAlter(tree: Tree, { make, take, hold }: Follower): void {
  const alter = pick(tree, 'AlterTableStmt');
  const attached = (alter?.cmds ?? []).flatMap((item) => {
    const command = pick(item, 'AlterTableCmd');
    return command?.subtype === 'AT_AttachPartition' ? (pick(command.def, 'PartitionCmd')?.name ?? []) : [];
  });
  const whole = alter?.objtype === 'OBJECT_INDEX' ? 'index' : 'table';
  for (const child of attached) hold(`${whole} ${nameOf(child)}`, `${whole} ${nameOf(alter?.relation)}`);
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
      if (constraint !== undefined)
        make(
          `constraint ${nameOfConstraint(table, constraint)} of ${table}`,
          ...holdersOf(table, constraint),
        );
    }
  }
}

/** Without a name, the one that Postgres gives it; a CHECK is named after the columns it is about. */
function nameOfConstraint(table: string, constraint: Constraint): string {
  const listed = wordsOf(constraint.contype === 'CONSTR_FOREIGN' ? constraint.fk_attrs : constraint.keys);
  return constraint.conname ?? constraint.indexname ?? defaultName(table, constraint.contype, listed);
}
