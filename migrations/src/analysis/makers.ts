import type { RangeVar } from '@pgsql/types';
import { pick, type Tree, wordsOf } from './tree.ts';

/** What a statement makes under a name of its own. */
export interface Making {
  /** Objects of one space cannot share a name: tables, views, indexes and sequences are all `relation`. */
  readonly space: string;
  /** Undefined where `search_path` decides, and where there is none. */
  readonly schema: string | undefined;
  /** Its name; behind its table's for a column, constraint, trigger, rule or policy. */
  readonly parts: readonly string[];
  /** Whether one that is there already makes the statement fail, is kept, or is replaced. */
  readonly mode: 'refuses' | 'keeps' | 'replaces';
}

/** What a statement makes, in its own words; what functions and DO blocks make is not seen. A DROP counts as replacing. */
export function makingsOf(tree: Tree): Making[] {
  return [...relations(tree), ...routinesAndTypes(tree), ...parts(tree), ...others(tree), ...drops(tree)];
}

type Mode = Making['mode'];

const unless = (tolerant: boolean | undefined, mode: Mode = 'keeps'): Mode => (tolerant ? mode : 'refuses');

function named(space: string, relation: RangeVar | undefined, mode: Mode, ...more: string[]): Making[] {
  if (relation?.relname === undefined || relation.relpersistence === 't') return [];
  return [{ space, schema: relation.schemaname, parts: [relation.relname, ...more], mode }];
}

function listed(space: string, list: readonly Tree[] | undefined, mode: Mode): Making[] {
  const words = wordsOf(list);
  return words.length === 0 ? [] : [{ space, schema: words.at(-2), parts: words.slice(-1), mode }];
}

function relations(tree: Tree): Making[] {
  const table = pick(tree, 'CreateStmt');
  const foreign = pick(tree, 'CreateForeignTableStmt')?.base;
  const copied = pick(tree, 'CreateTableAsStmt');
  const view = pick(tree, 'ViewStmt');
  const index = pick(tree, 'IndexStmt');
  const sequence = pick(tree, 'CreateSeqStmt');
  const rename = pick(tree, 'RenameStmt');
  const renamed = ['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_INDEX', 'OBJECT_SEQUENCE'];
  return [
    ...named('relation', table?.relation, unless(table?.if_not_exists)),
    ...named('relation', foreign?.relation, unless(foreign?.if_not_exists)),
    ...named('relation', copied?.into?.rel, unless(copied?.if_not_exists)),
    ...named('relation', view?.view, unless(view?.replace, 'replaces')),
    ...(index?.idxname === undefined
      ? []
      : named('relation', { ...index.relation, relname: index.idxname }, unless(index.if_not_exists))),
    ...named('relation', sequence?.sequence, unless(sequence?.if_not_exists)),
    ...(renamed.includes(rename?.renameType ?? '') && rename?.newname !== undefined
      ? named('relation', { ...rename.relation, relname: rename.newname }, 'refuses')
      : []),
  ];
}

function routinesAndTypes(tree: Tree): Making[] {
  const routine = pick(tree, 'CreateFunctionStmt');
  const defined = pick(tree, 'DefineStmt');
  const spaces: Readonly<Record<string, string>> = {
    OBJECT_AGGREGATE: 'routine',
    OBJECT_COLLATION: 'collation',
    OBJECT_TYPE: 'type',
  };
  const space = spaces[defined?.kind ?? ''];
  return [
    ...listed('routine', routine?.funcname, unless(routine?.replace, 'replaces')),
    ...(space === undefined
      ? []
      : listed(
          space,
          defined?.defnames,
          defined?.replace === true ? 'replaces' : unless(defined?.if_not_exists),
        )),
    ...listed('type', pick(tree, 'CreateEnumStmt')?.typeName, 'refuses'),
    ...listed('type', pick(tree, 'CreateRangeStmt')?.typeName, 'refuses'),
    ...listed('type', pick(tree, 'CreateDomainStmt')?.domainname, 'refuses'),
    ...named('type', pick(tree, 'CompositeTypeStmt')?.typevar, 'refuses'),
  ];
}

function parts(tree: Tree): Making[] {
  const trigger = pick(tree, 'CreateTrigStmt');
  const policy = pick(tree, 'CreatePolicyStmt');
  const rule = pick(tree, 'RuleStmt');
  const alter = pick(tree, 'AlterTableStmt');
  const altered = (alter?.cmds ?? []).flatMap((item): Making[] => {
    const command = pick(item, 'AlterTableCmd');
    const column = pick(command?.def, 'ColumnDef')?.colname;
    const constraint = pick(command?.def, 'Constraint')?.conname;
    const on = alter?.relation;
    if (command?.subtype === 'AT_AddColumn' && column !== undefined)
      return named('column', on, unless(command.missing_ok), column);
    if (command?.subtype === 'AT_AddConstraint' && constraint !== undefined) {
      return [
        ...named('constraint', on, 'refuses', constraint),
        ...named('relation', { ...on, relname: constraint }, 'refuses'),
      ];
    }
    if (command?.subtype === 'AT_DropColumn') return named('column', on, 'replaces', command.name ?? '');
    if (command?.subtype === 'AT_DropConstraint') {
      return [
        ...named('constraint', on, 'replaces', command.name ?? ''),
        ...named('relation', { ...on, relname: command.name ?? '' }, 'replaces'),
      ];
    }
    return [];
  });
  return [
    ...named('trigger', trigger?.relation, unless(trigger?.replace, 'replaces'), trigger?.trigname ?? ''),
    ...named('policy', policy?.table, 'refuses', policy?.policy_name ?? ''),
    ...named('rule', rule?.relation, unless(rule?.replace, 'replaces'), rule?.rulename ?? ''),
    ...altered,
  ];
}

function others(tree: Tree): Making[] {
  const alone = (space: string, name: string | undefined, mode: Mode): Making[] =>
    name === undefined ? [] : [{ space, schema: undefined, parts: [name], mode }];
  const schema = pick(tree, 'CreateSchemaStmt');
  const extension = pick(tree, 'CreateExtensionStmt');
  const statistics = pick(tree, 'CreateStatsStmt');
  return [
    ...alone('schema', schema?.schemaname, unless(schema?.if_not_exists)),
    ...alone('extension', extension?.extname, unless(extension?.if_not_exists)),
    ...alone('event trigger', pick(tree, 'CreateEventTrigStmt')?.trigname, 'refuses'),
    ...alone('publication', pick(tree, 'CreatePublicationStmt')?.pubname, 'refuses'),
    ...listed('statistics', statistics?.defnames, unless(statistics?.if_not_exists)),
  ];
}

const dropped: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'relation',
  OBJECT_VIEW: 'relation',
  OBJECT_MATVIEW: 'relation',
  OBJECT_FOREIGN_TABLE: 'relation',
  OBJECT_INDEX: 'relation',
  OBJECT_SEQUENCE: 'relation',
  OBJECT_FUNCTION: 'routine',
  OBJECT_PROCEDURE: 'routine',
  OBJECT_ROUTINE: 'routine',
  OBJECT_AGGREGATE: 'routine',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
  OBJECT_SCHEMA: 'schema',
  OBJECT_EXTENSION: 'extension',
  OBJECT_EVENT_TRIGGER: 'event trigger',
  OBJECT_PUBLICATION: 'publication',
  OBJECT_STATISTIC_EXT: 'statistics',
  OBJECT_COLLATION: 'collation',
};
const droppedParts: Readonly<Record<string, string>> = {
  OBJECT_TRIGGER: 'trigger',
  OBJECT_POLICY: 'policy',
  OBJECT_RULE: 'rule',
};

function drops(tree: Tree): Making[] {
  const drop = pick(tree, 'DropStmt');
  const [space, part] = [dropped[drop?.removeType ?? ''], droppedParts[drop?.removeType ?? '']];
  return (drop?.objects ?? []).flatMap((object): Making[] => {
    const list = pick(object, 'List')?.items;
    const typed = pick(object, 'TypeName')?.names ?? pick(object, 'ObjectWithArgs')?.objname;
    const words = wordsOf(list ?? typed ?? [object]);
    if (part !== undefined)
      return [{ space: part, schema: words.at(-3), parts: words.slice(-2), mode: 'replaces' }];
    if (space === undefined) return [];
    return [{ space, schema: words.at(-2), parts: words.slice(-1), mode: 'replaces' }];
  });
}
