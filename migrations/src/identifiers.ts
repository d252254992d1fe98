/** A table's name, with its schema when one was given. */
export interface TableName {
  readonly schema: string | undefined;
  readonly name: string;
}

/** Postgres cuts longer identifiers off silently (NAMEDATALEN - 1). */
export const longestIdentifier = 63;

const suffixOfHistory = '_history';

/** Quotes `name` as an SQL identifier. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes `value` as an SQL string, also where `standard_conforming_strings` is off. */
export function quoteLiteral(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** As Postgres measures identifiers. */
export function bytesOf(name: string): number {
  return Buffer.byteLength(name, 'utf8');
}

/**
 * Parses `table` or `schema.table`; each part may be double-quoted. Returns the rule it breaks when it is neither, or
 * when the history table's name, which is eight bytes longer, would not fit.
 */
export function parseTableName(text: string): TableName | { readonly rule: string } {
  const part = String.raw`(?:"((?:[^"\0]|"")+)"|([^".\s\0]+))`;
  const match = new RegExp(`^${part}(?:\\.${part})?$`, 'u').exec(text);
  if (match === null) return { rule: 'expected table or schema.table' };
  const [first, second] = [unquoted(match[1], match[2]), unquoted(match[3], match[4])];
  const table =
    second === undefined ? { schema: undefined, name: first ?? '' } : { schema: first, name: second };
  if (
    bytesOf(table.name + suffixOfHistory) > longestIdentifier ||
    bytesOf(table.schema ?? '') > longestIdentifier
  ) {
    return { rule: `expected at most ${longestIdentifier - suffixOfHistory.length} bytes for the table` };
  }
  return table;
}

/** The name as {@link parseTableName} reads it: parts are quoted where they must be. */
export function spellTableName({ schema, name }: TableName): string {
  const spell = (part: string) => (/^[^".\s\0]+$/u.test(part) ? part : quoteIdentifier(part));
  return schema === undefined ? spell(name) : `${spell(schema)}.${spell(name)}`;
}

/** The table beside golang-migrate's that holds what it does not: checksums, times, down SQL. */
export function historyTableOf(table: TableName): TableName {
  return { schema: table.schema, name: table.name + suffixOfHistory };
}

function unquoted(quoted: string | undefined, bare: string | undefined): string | undefined {
  return quoted === undefined ? bare : quoted.replaceAll('""', '"');
}
