import { loadParser, type Parsed } from '../analysis/parser.ts';
import { pick } from '../analysis/tree.ts';
import { bytesOf, longestIdentifier } from '../identifiers.ts';
import { CreateRefusedError } from './errors.ts';

/** What may be written into a template; every part was read by Postgres' own parser. */
export class Names {
  readonly #parse: (statement: { readonly text: string }) => Parsed;

  private constructor(parse: (statement: { readonly text: string }) => Parsed) {
    this.#parse = parse;
  }

  static async load(): Promise<Names> {
    return new Names(await loadParser());
  }

  /** An identifier that needs no quotes: lower_snake_case, no keyword of SQL. */
  identifier(text: string, option: string): string {
    const rule = this.#ruleOf(text);
    if (rule === undefined) return text;
    const better = snake(text);
    const hint =
      better !== '' && better !== text && this.#ruleOf(better) === undefined ? [`${better} would do`] : [];
    throw new CreateRefusedError(`${option}: ${show(text)} ${rule}`, hint);
  }

  /** `orders` or `sales.orders`. */
  table(text: string, option: string): string {
    const parts = text.split('.');
    if (parts.length > 2)
      throw new CreateRefusedError(`${option}: expected table or schema.table`, [show(text)]);
    return parts.map((part) => this.identifier(part, option)).join('.');
  }

  /** A type as it stands behind a column's name, and nothing more. */
  type(text: string, option: string): string {
    const column = this.#columnOf(`create table t (c ${text}\n)`);
    if (column !== undefined && column.constraints === undefined && column.collClause === undefined)
      return text.trim();
    throw new CreateRefusedError(`${option}: ${show(text)} is no type`, [
      'such as bigint, text, timestamptz, numeric(10,2)',
    ]);
  }

  /** An expression that a default may be. */
  value(text: string, option: string): string {
    const column = this.#columnOf(`create table t (c int default (${text}\n))`);
    const expression = pick(column?.constraints?.[0], 'Constraint')?.raw_expr;
    // Several values with commas between are a row.
    const isRow = pick(expression, 'RowExpr') !== undefined;
    if (column?.constraints?.length === 1 && !isRow) return text.trim();
    throw new CreateRefusedError(`${option}: ${show(text)} is no expression`, ["such as now(), 0, 'draft'"]);
  }

  /** A condition that a CHECK may hold. */
  condition(text: string, option: string): string {
    const parsed = this.#parse({ text: `alter table t add constraint c check (${text}\n)` });
    const commands = 'tree' in parsed ? (pick(parsed.tree, 'AlterTableStmt')?.cmds ?? []) : [];
    const constraint = pick(pick(commands[0], 'AlterTableCmd')?.def, 'Constraint');
    if (
      commands.length === 1 &&
      constraint?.contype === 'CONSTR_CHECK' &&
      constraint.skip_validation !== true
    )
      return text.trim();
    throw new CreateRefusedError(`${option}: ${show(text)} is no condition`, ['such as total > 0']);
  }

  #columnOf(text: string) {
    const parsed = this.#parse({ text });
    if (!('tree' in parsed)) return undefined;
    const elements = pick(parsed.tree, 'CreateStmt')?.tableElts ?? [];
    return elements.length === 1 ? pick(elements[0], 'ColumnDef') : undefined;
  }

  #ruleOf(text: string): string | undefined {
    if (text === '') return 'is empty';
    if (!/^[a-z_][a-z0-9_]*$/.test(text))
      return 'is not of lower-case letters a to z, digits and _ alone, a letter first';
    if (bytesOf(text) > longestIdentifier) return `is over ${longestIdentifier} bytes`;
    const parsed = this.#parse({ text: `create table ${text} (${text} int)` });
    return 'tree' in parsed ? undefined : 'is a keyword of SQL';
  }
}

/** `Add User Profiles` as `add_user_profiles`; empty when nothing is left. */
export function snake(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[_\d]+|_+$/g, '');
}

const longestDescription = 100;

/** The description of a file name. */
export function requireDescription(text: string): string {
  if (/^[a-z0-9]+(_[a-z0-9]+)*$/.test(text) && text.length <= longestDescription) return text;
  const better = snake(text).slice(0, longestDescription).replace(/_+$/, '');
  const rule = `expected lower_snake_case of at most ${longestDescription} letters a to z, digits and _`;
  throw new CreateRefusedError(`${show(text)} cannot be a description`, [
    rule,
    ...(better === '' ? [] : [`${better} would do`]),
  ]);
}

function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
