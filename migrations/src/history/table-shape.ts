import { HistoryTableError } from '../errors.ts';

/** A column of a table of the history, as the catalog has it. */
export interface Column {
  readonly name: string;
  /** As format_type() spells it; a domain's base. */
  readonly type: string;
  readonly notNull: boolean;
  /** Whether a row that does not name it gets a value. */
  readonly filled: boolean;
}

/** The kind of value that a column of ours holds, and whether we leave it empty at times. */
interface Wanted {
  readonly kind: keyof typeof kinds;
  readonly empty?: true;
}

const kinds = {
  number: { types: ['bigint', 'integer', 'smallint', 'numeric'], words: 'bigint' },
  text: { types: ['text', 'character varying', 'character', 'name'], words: 'text' },
  truth: { types: ['boolean'], words: 'boolean' },
  time: { types: ['timestamp with time zone', 'timestamp without time zone'], words: 'timestamptz' },
} as const;

const record = {
  checksum: { kind: 'text', empty: true },
  applied_at: { kind: 'time', empty: true },
  duration: { kind: 'number', empty: true },
  statements_applied: { kind: 'number', empty: true },
} as const;

/** The columns of each table that we write, by its part and layout. */
export const shapes = {
  version: { version: { kind: 'number' }, dirty: { kind: 'truth' } },
  history: {
    version: { kind: 'number' },
    description: { kind: 'text' },
    down_sql: { kind: 'text', empty: true },
    ...record,
  },
  historyByName: { name: { kind: 'text' }, ...record },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Wanted>>>>;

/**
 * Makes sure that rows such as ours can be read from a table and written to it, before anything is: a table of another tool has
 * other columns, or more that must be filled.
 *
 * @throws {HistoryTableError} naming the column
 */
export function requireShape(
  table: string,
  columns: readonly Column[],
  wanted: Readonly<Record<string, Wanted>>,
): void {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const missing = Object.keys(wanted).find((name) => !byName.has(name));
  if (missing !== undefined) {
    throw new HistoryTableError(table, `another tool made it: column "${missing}" does not exist`);
  }
  for (const [name, { kind, empty }] of Object.entries(wanted)) {
    const column = byName.get(name);
    if (column === undefined) continue;
    const { types, words } = kinds[kind];
    if (!types.some((type) => type === column.type)) {
      const found = `its column ${name} is ${column.type}, and not ${words}`;
      throw new HistoryTableError(table, `another tool made it: ${found}`);
    }
    if (empty === true && column.notNull) {
      throw new HistoryTableError(table, `another tool made it: its column ${name} must have a value`);
    }
  }
  requireNoOther(table, columns, Object.keys(wanted));
}

/**
 * Makes sure that a row which names only `known` can be written.
 *
 * @throws {HistoryTableError} naming the first column that would be left without a value it must have
 */
export function requireNoOther(table: string, columns: readonly Column[], known: readonly string[]): void {
  const other = columns.find(({ name, notNull, filled }) => notNull && !filled && !known.includes(name));
  if (other === undefined) return;
  throw new HistoryTableError(table, `another tool made it: its column ${other.name} must have a value`);
}
