import type { ColumnDef, Constraint, Node, RangeVar, TypeName } from '@pgsql/types';

/** A node of Postgres' parse tree: an object with one key, its kind. */
export type Tree = Node;
type Keys<T> = T extends unknown ? keyof T : never;
export type Kind = Keys<Node>;
type Contents<T, K extends PropertyKey> = T extends Record<K, infer C> ? C : never;
/** What a node of the kind `K` holds. */
export type Body<K extends Kind> = Contents<Node, K>;

/** The contents of `tree` when it is of the kind, else undefined. */
export function pick<K extends Kind>(tree: Tree | undefined, kind: K): Body<K> | undefined {
  if (tree === undefined || !(kind in tree)) return undefined;
  return (tree as Record<K, Body<K>>)[kind];
}

/** `orders`, `sales.orders`; without `public`, which most search paths begin with. */
export function nameOf(relation: RangeVar | undefined): string {
  const { schemaname, relname = '' } = relation ?? {};
  return schemaname === undefined || schemaname === 'public' ? relname : `${schemaname}.${relname}`;
}

/** The strings of a list of `String` nodes, joined by dots as {@link nameOf} spells them. */
export function joinName(parts: readonly Tree[] | undefined): string {
  const words = wordsOf(parts);
  return (words[0] === 'public' && words.length > 1 ? words.slice(1) : words).join('.');
}

export function wordsOf(parts: readonly Tree[] | undefined): string[] {
  return (parts ?? []).map((part) => pick(part, 'String')?.sval ?? '');
}

/** The objects a DROP names, each as its parts: `['sales', 'orders']`. */
export function droppedNames(objects: readonly Tree[] | undefined): string[][] {
  return (objects ?? []).map((object) => {
    const list = pick(object, 'List')?.items;
    const words = wordsOf(
      list ?? pick(object, 'TypeName')?.names ?? pick(object, 'ObjectWithArgs')?.objname ?? [object],
    );
    return words[0] === 'public' && words.length > 1 ? words.slice(1) : words;
  });
}

export function constraintsOf(column: ColumnDef | undefined): Constraint[] {
  return (column?.constraints ?? []).flatMap((constraint) => pick(constraint, 'Constraint') ?? []);
}

/** `int4`, `varchar`, `citext`: the last part of a type's name, as Postgres calls it internally. */
export function typeOf(type: TypeName | undefined): string {
  return wordsOf(type?.names).at(-1) ?? '';
}

const inFront = ['int2', 'int4', 'int8', 'bpchar', 'varchar', 'timestamp', 'timetz'];
const spelled: Readonly<Record<string, string>> = {
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  bpchar: 'char',
  timestamp: 'timestamp without time zone',
};

/** As a person writes it. */
export function spellType(name: string): string {
  return inFront.includes(name) ? (spelled[name] ?? name) : name;
}

/** Whether an option such as FULL or CONCURRENTLY is given, and not as `false`, `off` or `0`. */
export function isSwitchedOn(options: readonly Tree[] | undefined, name: string): boolean {
  return (options ?? []).some((item) => {
    const option = pick(item, 'DefElem');
    if (option?.defname !== name) return false;
    const { arg } = option;
    const number = pick(arg, 'Integer');
    if (number !== undefined) return (number.ival ?? 0) !== 0;
    return !/^(false|off|0)$/i.test(pick(arg, 'String')?.sval ?? 'true');
  });
}

/** Every node below and including `tree`, in no certain order; text in the tree is passed over. */
export function* walk(tree: unknown): Generator<Readonly<Record<string, unknown>>> {
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const next = open.pop();
    if (Array.isArray(next)) {
      for (const item of next) open.push(item);
    } else if (typeof next === 'object' && next !== null) {
      const record = next as Readonly<Record<string, unknown>>;
      yield record;
      for (const value of Object.values(record)) if (typeof value === 'object') open.push(value);
    }
  }
}

/** The names of the functions called anywhere in `tree`. */
export function functionsIn(tree: Tree | undefined): string[] {
  const names: string[] = [];
  for (const node of walk(tree)) {
    const call = node['FuncCall'];
    if (typeof call === 'object' && call !== null && 'funcname' in call && Array.isArray(call.funcname)) {
      names.push(wordsOf(call.funcname as Tree[]).at(-1) ?? '');
    }
  }
  return names;
}
