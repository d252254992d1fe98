import { readFile } from 'node:fs/promises';
import { nearest } from '@lockstep/foundation';
import { DatabaseError } from 'pg';
import { quoteIdentifier, spellTableName, type TableName } from '../identifiers.ts';
import type { Session } from '../session.ts';
import { decodeSql } from '../sql-text.ts';
import { openCsv } from './csv-header.ts';
import { SeedFileError } from './errors.ts';
import type { SeedFile, Seeds } from './seed-files.ts';

/** What loading a file of rows did. */
export interface LoadedRows {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
}

interface Column {
  readonly name: string;
  readonly identity: boolean;
  /** Whether its type has no `=`. */
  readonly asText: boolean;
  readonly sequence: string | undefined;
}

const staging = 'pg_temp.lockstep_seed';

/**
 * Brings the rows of a file into its table: what is not there is inserted, what is there by its key and differs is updated, the rest is left
 * alone, so that no trigger fires for it. Runs in the caller's transaction.
 *
 * @throws {SeedFileError} exit status 3 for the file, 1 for what Postgres does not take
 */
export async function loadTable(
  session: Session,
  file: SeedFile,
  table: TableName,
  { keys }: Seeds,
): Promise<LoadedRows> {
  const shown = spellTableName(table);
  const target = [table.schema, table.name]
    .flatMap((part) => (part === undefined ? [] : [quoteIdentifier(part)]))
    .join('.');
  const known = await readColumns(session, target);
  if (known === undefined) throw new SeedFileError(file.path, undefined, `there is no table ${shown}`);
  const run = <T>(work: Promise<T>) => inFile(file, work);
  const stage = async (names: readonly string[]) => {
    const columns = names.map((name) => requireColumn(name, known, file, shown));
    const list = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
    await run(
      session.query(
        `create temporary table lockstep_seed on commit drop as select ${list} from ${target} with no data`,
      ),
    );
    await run(
      session.query(`alter table ${staging} add column "lockstep row" bigint generated always as identity`),
    );
    return { columns, list };
  };
  const staged = file.kind === 'csv' ? await stageCsv() : await stageJson();
  const key = await keyOf(session, file, target, shown, keys.get(shown), staged.columns);
  await refuseTwins(session, file, key);
  const loaded = await run(merge(session, target, staged, key));
  for (const column of staged.columns) await moveSequence(session, target, column);
  await session.query(`drop table ${staging}`);
  return loaded;

  async function stageCsv() {
    const { columns: names, rows } = await openCsv(file.real, file.path);
    try {
      const made = await stage(names);
      await run(session.copyFrom(`copy ${staging} (${made.list}) from stdin (format csv)`, rows));
      return made;
    } finally {
      rows.destroy();
    }
  }

  async function stageJson() {
    const { names, text } = await readJson(file);
    const made = await stage(names);
    await run(
      session.query(
        `insert into ${staging} (${made.list}) select ${made.list} from json_populate_recordset(null::${target}, $1::json)`,
        [text],
      ),
    );
    return made;
  }
}

/** Undefined when there is no such table. */
async function readColumns(session: Session, target: string): Promise<readonly Column[] | undefined> {
  const rows = await session.query(
    `select a.attname::text as name, a.attidentity <> '' as identity,
            not exists (select from pg_operator o where o.oprname = '=' and o.oprleft = a.atttypid and o.oprright = a.atttypid)
              and t.typcategory not in ('S', 'E', 'A', 'R') as as_text,
            pg_get_serial_sequence($1, a.attname) as sequence
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [target],
  );
  if (rows.length === 0) return undefined;
  return rows.map(({ name, identity, as_text: asText, sequence }) => ({
    name: String(name),
    identity: identity === true,
    asText: asText === true,
    sequence: typeof sequence === 'string' ? sequence : undefined,
  }));
}

function requireColumn(name: string, known: readonly Column[], file: SeedFile, table: string): Column {
  const found = known.find((column) => column.name === name);
  if (found !== undefined) return found;
  const meant = nearest(
    name,
    known.map((column) => column.name),
  );
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  throw new SeedFileError(
    file.path,
    file.kind === 'csv' ? 'line 1' : undefined,
    `${table} has no column ${name}${hint}`,
  );
}

/** The rows as text for Postgres, and the columns all of them have. */
async function readJson(file: SeedFile): Promise<{ names: readonly string[]; text: string }> {
  const text = decodeSql(await readFile(file.real));
  if (typeof text !== 'string') throw new SeedFileError(file.path, `line ${text.place.line}`, text.rule);
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch (error) {
    throw new SeedFileError(
      file.path,
      undefined,
      `is no JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!Array.isArray(rows) || rows.length === 0)
    throw new SeedFileError(file.path, undefined, 'expected a list of objects, and one at least');
  const isRow = (row: unknown): row is object =>
    typeof row === 'object' && row !== null && !Array.isArray(row);
  const names = isRow(rows[0]) ? Object.keys(rows[0]) : [];
  const wrong = rows.findIndex(
    (row) =>
      !isRow(row) ||
      Object.keys(row).length !== names.length ||
      names.some((name) => !Object.hasOwn(row, name)),
  );
  if (wrong !== -1)
    throw new SeedFileError(
      file.path,
      `row ${wrong + 1}`,
      'expected an object with the same columns as the first',
    );
  return { names, text };
}

/** By keys.json, else the primary key where the file has all of it. */
async function keyOf(
  session: Session,
  file: SeedFile,
  target: string,
  shown: string,
  declared: readonly string[] | undefined,
  columns: readonly Column[],
): Promise<readonly string[]> {
  const has = (name: string) => columns.some((column) => column.name === name);
  if (declared !== undefined) {
    const missing = declared.filter((name) => !has(name));
    if (missing.length === 0) return declared;
    throw new SeedFileError(
      file.path,
      undefined,
      `keys.json knows a row of ${shown} by ${declared.join(', ')}, and the file has no ${missing.join(', ')}`,
    );
  }
  const rows = await session.query(
    `select a.attname::text as name from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
     where c.conrelid = to_regclass($1) and c.contype = 'p' order by array_position(c.conkey, a.attnum)`,
    [target],
  );
  const primary = rows.map(({ name }) => String(name));
  if (primary.length > 0 && primary.every(has)) return primary;
  const why =
    primary.length === 0
      ? `${shown} has no primary key`
      : `the file has not all of its primary key (${primary.join(', ')})`;
  throw new SeedFileError(file.path, undefined, `a row of ${shown} cannot be known again: ${why}`, [
    `seeds/keys.json says by which columns: { ${JSON.stringify(shown)}: ["…"] }`,
  ]);
}

/** Postgres would refuse a row twice in one INSERT without saying which. */
async function refuseTwins(session: Session, file: SeedFile, key: readonly string[]): Promise<void> {
  const list = key.map(quoteIdentifier).join(', ');
  const [twins] = await session.query(
    `select array_agg("lockstep row" order by "lockstep row")::text[] as rows from ${staging} group by ${list} having count(*) > 1 order by min("lockstep row") limit 1`,
  );
  if (twins === undefined) return;
  const rows = Array.isArray(twins['rows']) ? twins['rows'].slice(0, 5).map(String) : [];
  throw new SeedFileError(file.path, undefined, `rows ${rows.join(' and ')} have the same ${key.join(', ')}`);
}

async function merge(
  session: Session,
  target: string,
  { columns, list }: { columns: readonly Column[]; list: string },
  key: readonly string[],
): Promise<LoadedRows> {
  const changing = columns.filter(({ name, identity }) => !key.includes(name) && !identity);
  const side = (table: string) =>
    changing
      .map(({ name, asText }) => `${table}.${quoteIdentifier(name)}${asText ? '::text' : ''}`)
      .join(', ');
  const sets = changing
    .map(({ name }) => `${quoteIdentifier(name)} = excluded.${quoteIdentifier(name)}`)
    .join(', ');
  const action =
    changing.length === 0
      ? 'nothing'
      : `update set ${sets} where row(${side('old')}) is distinct from row(${side('excluded')})`;
  const [row] = await session.query(
    `with merged as (
       insert into ${target} as old (${list}) overriding system value
       select ${list} from ${staging} order by "lockstep row"
       on conflict (${key.map(quoteIdentifier).join(', ')}) do ${action}
       returning (old.xmax = 0) as inserted)
     select count(*) filter (where inserted)::int as inserted, count(*) filter (where not inserted)::int as updated,
            (select count(*)::int from ${staging}) as all from merged`,
  );
  const [inserted, updated] = [Number(row?.['inserted']), Number(row?.['updated'])];
  return { inserted, updated, unchanged: Number(row?.['all']) - inserted - updated };
}

/** Or the app's next row would get a key that is taken. */
async function moveSequence(session: Session, target: string, { name, sequence }: Column): Promise<void> {
  if (sequence === undefined) return;
  await session.query(
    `select setval($1::regclass, highest) from (select max(${quoteIdentifier(name)})::bigint as highest from ${target}) m
     where highest >= (select last_value from ${sequence})`,
    [sequence],
  );
}

/** Says where in the file it was; the values themselves may be anybody's. */
async function inFile<T>(file: SeedFile, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const [, line, column] =
      /COPY lockstep_seed, line (\d+)(?:, column ([^:]+))?/.exec(error.where ?? '') ?? [];
    // The header is a line of the file and none of what Postgres saw.
    const place =
      line === undefined
        ? undefined
        : `line ${Number(line) + 1}${column === undefined ? '' : `, column ${column}`}`;
    const evidence = [
      ...(error.constraint === undefined
        ? []
        : [`constraint ${error.constraint} of ${error.table ?? 'the table'}`]),
      ...(error.code === '23503'
        ? ['files are loaded in the order of their names: what is referred to comes first']
        : []),
      ...(error.code === '42P10' ? ['the key needs a unique constraint or index on just these columns'] : []),
    ];
    throw new SeedFileError(file.path, place, `${error.message} (${error.code})`, evidence, error);
  }
}
