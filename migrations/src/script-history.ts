import { HistoryTableError } from './errors.ts';
import type { Interrupted } from './history.ts';
import { quoteIdentifier } from './identifiers.ts';
import type { AppliedMigration, History } from './plan.ts';
import type { Row, Session } from './session.ts';

/** What the tables of the layout `alphabetical` say. */
export interface ScriptHistory {
  readonly history: History;
  readonly interrupted: Interrupted | undefined;
}

/** The column of the names in a table that this migrator makes. */
export const nameColumn = 'name';

/**
 * Finds the column that holds the names of scripts: `name`, or the only column of text in a table that another tool made.
 *
 * @throws {HistoryTableError} when the table is golang-migrate's, or has several such columns
 */
export async function findNameColumn(session: Session, table: string): Promise<string> {
  const columns = await session.query(
    `select a.attname::text as name, format_type(a.atttypid, null) as type from pg_attribute a
     where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [table],
  );
  const texts = columns
    .filter(({ type }) => ['text', 'character varying', 'character', 'name'].includes(String(type)))
    .map(({ name }) => String(name));
  const [only] = texts;
  if (texts.includes(nameColumn)) return nameColumn;
  if (only !== undefined && texts.length === 1) return only;
  if (columns.some(({ name }) => name === 'dirty')) {
    throw new HistoryTableError(table, 'it holds versions, and the layout alphabetical records names');
  }
  const reason =
    texts.length === 0 ? 'no column of it holds text' : `its columns ${texts.join(', ')} all hold text`;
  throw new HistoryTableError(
    table,
    `which of its columns has the names of scripts is not to be told: ${reason}`,
  );
}

/**
 * Reads which scripts are recorded. A name without a file gets a place after all files.
 *
 * @param tables both quoted for SQL; undefined when absent
 * @param places of the files, by name
 */
export async function readScripts(
  session: Session,
  tables: {
    readonly names: string | undefined;
    readonly column: string;
    readonly history: string | undefined;
  },
  places: ReadonlyMap<string, bigint>,
): Promise<ScriptHistory> {
  const column = quoteIdentifier(tables.column);
  const [names, rows] = await Promise.all([
    tables.names === undefined
      ? []
      : session.query(`select ${column}::text as name from ${tables.names} order by 1`),
    tables.history === undefined
      ? []
      : session.query(
          `select name, checksum, applied_at, duration, statements_applied from ${tables.history}`,
        ),
  ]);
  const details = new Map(rows.map((row) => [String(row['name']), row]));
  const recorded = names.map(({ name }) => String(name));
  let beyond = BigInt(places.size);
  const versionOf = (name: string) => places.get(name) ?? ++beyond;
  const applied = recorded
    .map((name): AppliedMigration => toApplied(name, versionOf(name), details.get(name)))
    .sort((a, b) => (a.version < b.version ? -1 : 1));
  const unfinished = rows.find(
    ({ name, statements_applied }) =>
      typeof statements_applied === 'number' && !recorded.includes(String(name)),
  );
  const highest = applied.at(-1)?.version;
  if (unfinished === undefined) {
    const current = highest === undefined ? undefined : { version: highest, dirty: false };
    return { history: { current, applied, byName: {} }, interrupted: undefined };
  }
  const dirty = versionOf(String(unfinished['name']));
  const version = highest === undefined || dirty > highest ? dirty : highest;
  return {
    history: { current: { version, dirty: true }, applied, byName: { dirty } },
    interrupted: { version: dirty, direction: 'up', statements: Number(unfinished['statements_applied']) },
  };
}

function toApplied(name: string, version: bigint, row: Row | undefined): AppliedMigration {
  const { checksum, applied_at, duration } = row ?? {};
  return {
    version,
    description: name,
    checksum: typeof checksum === 'string' ? checksum : undefined,
    downSql: undefined,
    appliedAt: applied_at instanceof Date ? applied_at : undefined,
    durationMilliseconds: typeof duration === 'number' ? duration : undefined,
  };
}
