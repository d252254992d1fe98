import type { Hit } from './rule.ts';
import { pick, type Tree, walk, wordsOf } from './tree.ts';

/** A column as a list names it. */
interface Named {
  readonly name: string;
  readonly location?: number | undefined;
}

/** The columns that some list of a statement, also of one inside WITH, names a second time. */
export function twiceNamed(tree: Tree): Hit[] {
  const hits: Hit[] = [];
  for (const node of walk(tree)) {
    for (const list of listsOf(node as unknown as Tree)) {
      const seen = new Set<string>();
      for (const { name, location } of list) {
        if (seen.has(name)) hits.push({ about: name, location });
        seen.add(name);
      }
    }
  }
  return hits;
}

function listsOf(tree: Tree): readonly (readonly Named[])[] {
  const insert = pick(tree, 'InsertStmt');
  const created = pick(tree, 'CreateStmt');
  const view = pick(tree, 'ViewStmt');
  const copied = pick(tree, 'CreateTableAsStmt');
  const alter = pick(tree, 'AlterTableStmt');
  const added = (alter?.cmds ?? []).flatMap((item) => {
    const command = pick(item, 'AlterTableCmd');
    return command?.subtype === 'AT_AddColumn' && command.missing_ok !== true ? (command.def ?? []) : [];
  });
  const constraint = pick(tree, 'Constraint');
  const isKey = ['CONSTR_UNIQUE', 'CONSTR_PRIMARY'].includes(constraint?.contype ?? '');
  return [
    targets(pick(tree, 'UpdateStmt')?.targetList),
    targets(insert?.cols),
    targets(insert?.onConflictClause?.targetList),
    targets(pick(tree, 'MergeWhenClause')?.targetList),
    columns(created?.tableElts),
    columns(pick(tree, 'CompositeTypeStmt')?.coldeflist),
    columns(added),
    words(pick(tree, 'CopyStmt')?.attlist),
    isKey ? words(constraint?.keys) : [],
    view === undefined ? [] : outputs(view.aliases, view.query),
    copied === undefined ? [] : outputs(copied.into?.colNames, copied.query),
  ];
}

/** Parts of one column may be assigned apart: `set a[1] = 1, a[2] = 2`. */
function targets(list: readonly Tree[] | undefined): Named[] {
  return (list ?? []).flatMap((item) => {
    const { name, indirection, location } = pick(item, 'ResTarget') ?? {};
    return name === undefined || indirection !== undefined ? [] : [{ name, location }];
  });
}

function columns(list: readonly Tree[] | undefined): Named[] {
  return (list ?? []).flatMap((item) => {
    const { colname, location } = pick(item, 'ColumnDef') ?? {};
    return colname === undefined ? [] : [{ name: colname, location }];
  });
}

function words(list: readonly Tree[] | undefined): Named[] {
  return wordsOf(list).map((name) => ({ name }));
}

/** What a view or a copied table calls its columns, as far as the statement says; the first aliases stand for the first columns. */
function outputs(aliases: readonly Tree[] | undefined, query: Tree | undefined): Named[] {
  let select = pick(query, 'SelectStmt');
  while (select?.larg !== undefined) select = select.larg;
  const named = words(aliases);
  const rest = (select?.targetList ?? []).slice(named.length).flatMap((item) => {
    const { name, val, location } = pick(item, 'ResTarget') ?? {};
    const parts = pick(val, 'ColumnRef')?.fields ?? [];
    const own = name ?? pick(parts.at(-1), 'String')?.sval;
    return own === undefined ? [] : [{ name: own, location }];
  });
  // A star stands for an unknown number of columns, so that nothing can be said of places.
  return named.length > 0 && rest.length !== (select?.targetList ?? []).length - named.length
    ? named
    : [...named, ...rest];
}
