import type { AlterTableCmd, AlterTableStmt, RangeVar } from '@pgsql/types';
import { constraintsOf, droppedNames, isSwitchedOn, nameOf, pick, type Tree, walk } from './tree.ts';

/**
 * Lock modes of tables, the weakest first.
 *
 * Source: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
 */
export const lockModes = [
  'ACCESS SHARE',
  'ROW SHARE',
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
] as const;
export type LockMode = (typeof lockModes)[number];

/** A lock that a statement takes on a table and keeps to the end of its transaction. */
export interface Lock {
  readonly table: string;
  readonly mode: LockMode;
}

/** Whether writers of the table wait while `mode` is held. */
export function blocksWriters(mode: LockMode): boolean {
  return lockModes.indexOf(mode) >= lockModes.indexOf('SHARE');
}

/** Whether even readers wait. */
export function blocksReaders(mode: LockMode): boolean {
  return mode === 'ACCESS EXCLUSIVE';
}

/** The stronger of two. */
export function stronger(a: LockMode, b: LockMode): LockMode {
  return lockModes.indexOf(a) >= lockModes.indexOf(b) ? a : b;
}

/**
 * The locks a statement takes on the tables it names, for Postgres 15 to 18. What it takes on others (of a foreign key it drops,
 * of a function it calls) only a server shows: `migrate rehearse`.
 *
 * Source: the reference page of each command, and `AlterTableGetLockLevel` in the server's source.
 */
export function locksOf(tree: Tree): Lock[] {
  const strongest = new Map<string, LockMode>();
  for (const { table, mode } of locks(tree)) {
    if (table !== '') strongest.set(table, stronger(strongest.get(table) ?? 'ACCESS SHARE', mode));
  }
  return [...strongest].map(([table, mode]) => ({ table, mode }));
}

function locks(tree: Tree): Lock[] {
  const on = (relation: RangeVar | undefined, mode: LockMode): Lock => ({ table: nameOf(relation), mode });
  const alter = pick(tree, 'AlterTableStmt');
  if (alter !== undefined) return locksOfAlter(alter);
  const index = pick(tree, 'IndexStmt');
  if (index !== undefined)
    return [on(index.relation, index.concurrent === true ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE')];
  const drop = pick(tree, 'DropStmt');
  if (drop !== undefined) {
    const names = droppedNames(drop.objects);
    const held = ['OBJECT_TABLE', 'OBJECT_MATVIEW', 'OBJECT_VIEW', 'OBJECT_FOREIGN_TABLE'];
    const parts = ['OBJECT_TRIGGER', 'OBJECT_POLICY', 'OBJECT_RULE'];
    if (held.includes(drop.removeType ?? ''))
      return names.map((name) => ({ table: name.join('.'), mode: 'ACCESS EXCLUSIVE' }));
    if (parts.includes(drop.removeType ?? ''))
      return names.map((name) => ({ table: name.slice(0, -1).join('.'), mode: 'ACCESS EXCLUSIVE' }));
    return [];
  }
  const rename = pick(tree, 'RenameStmt');
  if (rename !== undefined) {
    return [
      on(
        rename.relation,
        rename.renameType === 'OBJECT_INDEX' ? 'SHARE UPDATE EXCLUSIVE' : 'ACCESS EXCLUSIVE',
      ),
    ];
  }
  const trigger = pick(tree, 'CreateTrigStmt');
  if (trigger !== undefined) return [on(trigger.relation, 'SHARE ROW EXCLUSIVE')];
  const create = pick(tree, 'CreateStmt');
  if (create !== undefined) {
    const bases = [...walk(create.tableElts), ...walk(create.constraints)].flatMap(
      ({ Constraint: found }) => {
        const constraint = found as { contype?: string; pktable?: RangeVar } | undefined;
        return constraint?.contype === 'CONSTR_FOREIGN' ? [constraint.pktable] : [];
      },
    );
    const parents = (create.inhRelations ?? []).flatMap((parent) => pick(parent, 'RangeVar') ?? []);
    const mode = create.partbound === undefined ? 'SHARE UPDATE EXCLUSIVE' : 'ACCESS EXCLUSIVE';
    return [
      ...bases.map((base) => on(base, 'SHARE ROW EXCLUSIVE')),
      ...parents.map((parent) => on(parent, mode)),
    ];
  }
  return locksOfOthers(tree, on);
}

function locksOfOthers(tree: Tree, on: (relation: RangeVar | undefined, mode: LockMode) => Lock): Lock[] {
  const rows =
    pick(tree, 'UpdateStmt') ??
    pick(tree, 'DeleteStmt') ??
    pick(tree, 'InsertStmt') ??
    pick(tree, 'MergeStmt');
  if (rows !== undefined) return [on(rows.relation, 'ROW EXCLUSIVE')];
  const copy = pick(tree, 'CopyStmt');
  if (copy?.is_from === true) return [on(copy.relation, 'ROW EXCLUSIVE')];
  const whole = pick(tree, 'ClusterStmt');
  if (whole !== undefined) return [on(whole.relation, 'ACCESS EXCLUSIVE')];
  const guarded = pick(tree, 'CreatePolicyStmt') ?? pick(tree, 'AlterPolicyStmt');
  if (guarded !== undefined) return [on(guarded.table, 'ACCESS EXCLUSIVE')];
  const rule = pick(tree, 'RuleStmt');
  if (rule !== undefined) return [on(rule.relation, 'ACCESS EXCLUSIVE')];
  const moved = pick(tree, 'AlterObjectSchemaStmt');
  if (moved !== undefined) return [on(moved.relation, 'ACCESS EXCLUSIVE')];
  const refreshed = pick(tree, 'RefreshMatViewStmt');
  if (refreshed !== undefined)
    return [on(refreshed.relation, refreshed.concurrent === true ? 'EXCLUSIVE' : 'ACCESS EXCLUSIVE')];
  const reindexed = pick(tree, 'ReindexStmt');
  if (reindexed !== undefined)
    return [
      on(
        reindexed.relation,
        isSwitchedOn(reindexed.params, 'concurrently') ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE',
      ),
    ];
  const emptied = pick(tree, 'TruncateStmt');
  const named = pick(tree, 'LockStmt');
  if (emptied !== undefined || named !== undefined) {
    const mode =
      named === undefined ? 'ACCESS EXCLUSIVE' : (lockModes[(named.mode ?? 8) - 1] ?? 'ACCESS EXCLUSIVE');
    return (emptied ?? named)?.relations?.map((relation) => on(pick(relation, 'RangeVar'), mode)) ?? [];
  }
  const vacuumed = pick(tree, 'VacuumStmt');
  if (vacuumed !== undefined) {
    const full = isSwitchedOn(vacuumed.options, 'full');
    return (vacuumed.rels ?? []).map((relation) =>
      on(pick(relation, 'VacuumRelation')?.relation, full ? 'ACCESS EXCLUSIVE' : 'SHARE UPDATE EXCLUSIVE'),
    );
  }
  return [];
}

function locksOfAlter({ relation, cmds = [], objtype }: AlterTableStmt): Lock[] {
  if (objtype === 'OBJECT_INDEX' || objtype === 'OBJECT_SEQUENCE' || objtype === 'OBJECT_TYPE') return [];
  const table = nameOf(relation);
  return cmds.flatMap((item) => {
    const command = pick(item, 'AlterTableCmd') ?? {};
    return [{ table, mode: modeOf(command) }, ...others(command)];
  });
}

/** What does not need ACCESS EXCLUSIVE. */
const weaker: Readonly<Record<string, LockMode>> = {
  AT_SetStatistics: 'SHARE UPDATE EXCLUSIVE',
  AT_SetOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_ResetOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_SetRelOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_ResetRelOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_ClusterOn: 'SHARE UPDATE EXCLUSIVE',
  AT_DropCluster: 'SHARE UPDATE EXCLUSIVE',
  AT_ValidateConstraint: 'SHARE UPDATE EXCLUSIVE',
  AT_AttachPartition: 'SHARE UPDATE EXCLUSIVE',
  AT_DetachPartitionFinalize: 'SHARE UPDATE EXCLUSIVE',
  AT_EnableTrig: 'SHARE ROW EXCLUSIVE',
  AT_EnableAlwaysTrig: 'SHARE ROW EXCLUSIVE',
  AT_EnableReplicaTrig: 'SHARE ROW EXCLUSIVE',
  AT_EnableTrigAll: 'SHARE ROW EXCLUSIVE',
  AT_EnableTrigUser: 'SHARE ROW EXCLUSIVE',
  AT_DisableTrig: 'SHARE ROW EXCLUSIVE',
  AT_DisableTrigAll: 'SHARE ROW EXCLUSIVE',
  AT_DisableTrigUser: 'SHARE ROW EXCLUSIVE',
  AT_AlterConstraint: 'SHARE ROW EXCLUSIVE',
};

function modeOf({ subtype = 'AT_AddColumn', def }: AlterTableCmd): LockMode {
  if (subtype === 'AT_AddConstraint' && pick(def, 'Constraint')?.contype === 'CONSTR_FOREIGN')
    return 'SHARE ROW EXCLUSIVE';
  if (subtype === 'AT_DetachPartition' && pick(def, 'PartitionCmd')?.concurrent === true)
    return 'SHARE UPDATE EXCLUSIVE';
  return weaker[subtype] ?? 'ACCESS EXCLUSIVE';
}

/** Tables beside the altered one: what a foreign key refers to, a partition. */
function others({ subtype, def }: AlterTableCmd): Lock[] {
  const added = pick(def, 'Constraint');
  const inColumn = constraintsOf(pick(def, 'ColumnDef'));
  const bases = [...(added === undefined ? [] : [added]), ...inColumn]
    .filter(({ contype }) => contype === 'CONSTR_FOREIGN')
    .map(({ pktable }): Lock => ({ table: nameOf(pktable), mode: 'SHARE ROW EXCLUSIVE' }));
  const partition = pick(def, 'PartitionCmd');
  if (partition?.name === undefined) return bases;
  const mode: LockMode =
    subtype === 'AT_DetachPartition' && partition.concurrent === true
      ? 'SHARE UPDATE EXCLUSIVE'
      : 'ACCESS EXCLUSIVE';
  return [...bases, { table: nameOf(partition.name), mode }];
}
