import { DatabaseError } from 'pg';
import { noteBackend, requireOptions } from './connection/own-backend.ts';
import { HistoryClosedError, HistoryTableError, NoSchemaError, UnsupportedServerError } from './errors.ts';
import { type Disagreement, findDisagreement } from './history/agreement.ts';
import { type Column, requireNoOther, requireShape, shapes } from './history/table-shape.ts';
import { historyTableOf, quoteIdentifier, type TableName } from './identifiers.ts';
import type { Direction } from './migration.ts';
import type { AppliedMigration, History } from './plan.ts';
import type { Row, Session } from './session.ts';

/** The two tables, their schema known, quoted for SQL. */
export interface Tables {
  readonly schema: string;
  readonly name: string;
  /** golang-migrate's: one row, the version and whether it is dirty. */
  readonly version: string;
  /** Ours beside it. */
  readonly history: string;
  /** In the layout alphabetical `version` holds the names of scripts, in this column. */
  readonly nameColumn?: string;
}

/** A step outside a transaction that began and did not finish, as far as the history tells. */
export interface Interrupted {
  readonly version: bigint;
  readonly direction: Direction;
  /** How many of its statements landed for certain; the next may have. */
  readonly statements: number;
}

/** What the database knows about itself and its migrations. */
export interface DatabaseState {
  readonly database: string;
  /** Stays when the database is renamed: another one under the same name has another. */
  readonly oid: number;
  readonly role: string;
  readonly tables: Tables;
  readonly present: { readonly schema: boolean; readonly version: boolean; readonly history: boolean };
  readonly history: History;
  readonly interrupted: Interrupted | undefined;
  /** Rows of ours that no longer count: golang-migrate rolled them back, or repaired what was dirty. */
  readonly stale: boolean;
  /** Set when somebody changed the receipt by hand: `history` is then as the history has it, and the receipt is yet to be put right. */
  readonly disagreement?: Disagreement | undefined;
}

const oldestServer = 150_000;

/**
 * Reads the state: two round trips, one when nothing was ever migrated.
 *
 * @param downSql whether to read each row's down SQL too; it may be long
 * @param scripts places of the files by name, in the layout alphabetical; undefined in the layout versioned
 * @throws {HistoryTableError} when a table of that name is another tool's; {@link NoSchemaError} when it has no schema to be in
 * @throws {HistoryClosedError} when this role may not read it
 */
export async function readState(
  session: Session,
  table: TableName,
  { downSql, scripts, versions }: Reading,
): Promise<DatabaseState> {
  const facts = await readFacts(session, table);
  const tables = nameTables(facts.schema, table);
  if (scripts !== undefined) return readByName(session, facts, tables, scripts);
  if (facts.version) requireShape(tables.version, facts.columns.version, shapes.version);
  if (facts.history) requireShape(tables.history, facts.columns.history, shapes.history);
  const [current, rows] = await Promise.all([
    facts.version ? readVersion(session, tables, facts.role) : undefined,
    facts.history ? readRows(session, tables, facts.role, downSql) : [],
  ]);
  const unfinished = rows.filter((row) => typeof row['statements_applied'] === 'number');
  const applied = rows.filter((row) => row['applied_at'] !== null || row['statements_applied'] === null);
  const disagreement = await findDisagreement(session, {
    tables,
    receipt: current,
    hasReceiptTable: facts.version,
    top: unfinished.length > 0 || applied.length === 0 ? undefined : toApplied(applied.at(-1) ?? {}).version,
    files: versions,
  }).catch(async (error: unknown) => {
    throw await explain(session, error, tables.history, facts.role);
  });
  const agreed = disagreement === undefined ? current : { version: disagreement.history, dirty: false };
  return {
    database: facts.database,
    oid: facts.oid,
    role: facts.role,
    tables,
    present: { schema: facts.schemaPresent, version: facts.version, history: facts.history },
    history: { current: agreed, applied: applied.map(toApplied) },
    disagreement,
    interrupted: current?.dirty === true ? interruptedOf(current.version, unfinished[0]) : undefined,
    stale:
      disagreement === undefined &&
      current?.dirty !== true &&
      (unfinished.length > 0 ||
        rows.some((row) => BigInt(String(row['version'])) > (current?.version ?? -1n))),
  };
}

/** How much is read, and in which layout. */
export interface Reading {
  readonly downSql: boolean;
  readonly scripts?: ReadonlyMap<string, bigint> | undefined;
  /** The versions that have a file, where files were read; see history/agreement.ts. */
  readonly versions?: ReadonlySet<bigint> | undefined;
}

async function readByName(
  session: Session,
  facts: Facts,
  tables: Tables,
  places: ReadonlyMap<string, bigint>,
): Promise<DatabaseState> {
  const { findNameColumn, nameColumn, readScripts } = await import('./script-history.ts');
  const column = facts.version ? await findNameColumn(session, tables.version) : nameColumn;
  requireNoOther(tables.version, facts.columns.version, [column]);
  if (facts.history) requireShape(tables.history, facts.columns.history, shapes.historyByName);
  const found = {
    names: facts.version ? tables.version : undefined,
    column,
    history: facts.history ? tables.history : undefined,
  };
  const read = await readScripts(session, found, places).catch(async (error: unknown) => {
    throw await explain(session, error, tables.version, facts.role);
  });
  return {
    database: facts.database,
    oid: facts.oid,
    role: facts.role,
    tables: { ...tables, nameColumn: column },
    present: { schema: facts.schemaPresent, version: facts.version, history: facts.history },
    ...read,
    stale: false,
  };
}

/** Names the tables in `schema`. */
export function nameTables(schema: string, table: TableName): Tables {
  const history = historyTableOf(table);
  return {
    schema,
    name: table.name,
    version: `${quoteIdentifier(schema)}.${quoteIdentifier(table.name)}`,
    history: `${quoteIdentifier(schema)}.${quoteIdentifier(history.name)}`,
  };
}

interface Facts {
  readonly database: string;
  readonly oid: number;
  readonly role: string;
  readonly schema: string;
  readonly schemaPresent: boolean;
  readonly version: boolean;
  readonly history: boolean;
  readonly columns: { readonly version: readonly Column[]; readonly history: readonly Column[] };
}

async function readFacts(session: Session, table: TableName): Promise<Facts> {
  const [row] = await session.query(factsText, [
    table.schema ?? null,
    table.name,
    historyTableOf(table).name,
  ]);
  noteBackend(session, Number(row?.['backend']));
  await requireOptions(session);
  if (Number(row?.['server']) < oldestServer) throw new UnsupportedServerError(String(row?.['words']));
  if (typeof row?.['schema'] !== 'string') throw new NoSchemaError(table.name, String(row?.['path'] ?? ''));
  // A temporary table would be gone with the connection, and all that is recorded in it.
  if (/^pg_/.test(row['schema'])) {
    throw new HistoryTableError(
      table.name,
      `its schema would be ${row['schema']}, which is the server’s own`,
    );
  }
  return {
    database: String(row['database']),
    oid: Number(row['oid']),
    role: String(row['role']),
    schema: row['schema'],
    schemaPresent: row['present'] !== null,
    version: row['version'] !== null,
    history: row['history'] !== null,
    columns: { version: columnsOf(row['version_columns']), history: columnsOf(row['history_columns']) },
  };
}

const columnsText = (table: string) => `(
  select json_agg(json_build_array(a.attname, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null),
    a.attnotnull or t.typnotnull, a.atthasdef or a.attidentity <> '' or t.typdefault is not null) order by a.attnum)
  from pg_attribute a join pg_type t on t.oid = a.atttypid
  where a.attrelid = ${table} and a.attnum > 0 and not a.attisdropped)`;

const factsText = `
  select current_setting('server_version_num')::int as server, current_setting('server_version') as words,
    current_database() as database, current_setting('search_path') as path, pg_backend_pid() as backend,
    (select oid::int8::text from pg_database where datname = current_database()) as oid, current_user as role,
    s.schema, to_regnamespace(quote_ident(s.schema)) as present, r.version, r.history,
    ${columnsText('r.version')} as version_columns, ${columnsText('r.history')} as history_columns
  from (select coalesce($1::text, current_schema()) as schema) s, lateral (select
    case when s.schema is not null then to_regclass(format('%I.%I', s.schema, $2::text)) end as version,
    case when s.schema is not null then to_regclass(format('%I.%I', s.schema, $3::text)) end as history) r`;

function columnsOf(found: unknown): Column[] {
  if (!Array.isArray(found)) return [];
  return found.map(([name, type, notNull, filled]) => ({
    name: String(name),
    type: String(type),
    notNull: notNull === true,
    filled: filled === true,
  }));
}

async function readVersion(session: Session, tables: Tables, role: string): Promise<History['current']> {
  const text = `select version::text as version, dirty from ${tables.version} limit 2`;
  const [row, second] = await session.query(text).catch(async (error) => {
    throw await explain(session, error, tables.version, role);
  });
  if (row === undefined) return undefined;
  if (second !== undefined)
    throw new HistoryTableError(tables.version, 'it has several rows, and one is right');
  const { version, dirty } = row;
  if (typeof version !== 'string' || !/^-?\d+$/.test(version) || typeof dirty !== 'boolean') {
    throw new HistoryTableError(tables.version, 'its row is not a number and a truth value');
  }
  return { version: BigInt(version), dirty };
}

async function readRows(session: Session, tables: Tables, role: string, downSql: boolean): Promise<Row[]> {
  const columns = 'version::text as version, description, checksum, applied_at, duration, statements_applied';
  const text = `select ${columns}, ${downSql ? 'down_sql' : 'null as down_sql'} from ${tables.history} order by ${tables.history}.version`;
  return session.query(text).catch(async (error) => {
    throw await explain(session, error, tables.history, role);
  });
}

async function explain(session: Session, error: unknown, table: string, role: string): Promise<unknown> {
  if (!(error instanceof DatabaseError)) return error;
  if (error.code === '42703')
    return new HistoryTableError(table, `another tool made it: ${error.message}`, error);
  if (error.code !== '42501') return error;
  const owners = await session
    .query('select pg_get_userbyid(relowner)::text as owner from pg_class where oid = to_regclass($1)', [
      table,
    ])
    .catch(() => []);
  const owner = owners[0]?.['owner'];
  const reason = `${error.message} (${error.code})`;
  return new HistoryClosedError(table, role, typeof owner === 'string' ? owner : undefined, reason, error);
}

function toApplied(row: Row): AppliedMigration {
  const { version, description, checksum, down_sql, applied_at, duration } = row;
  return {
    version: BigInt(String(version)),
    description: String(description),
    checksum: typeof checksum === 'string' ? checksum : undefined,
    downSql: typeof down_sql === 'string' ? down_sql : undefined,
    appliedAt: applied_at instanceof Date ? applied_at : undefined,
    durationMilliseconds: typeof duration === 'number' ? duration : undefined,
  };
}

/** Up: the row of the dirty version itself. Down: a row above it, because golang-migrate marks the target dirty. */
function interruptedOf(dirty: bigint, row: Row | undefined): Interrupted | undefined {
  if (row === undefined) return undefined;
  const version = BigInt(String(row['version']));
  return {
    version,
    direction: version > dirty ? 'down' : 'up',
    statements: Number(row['statements_applied']),
  };
}
