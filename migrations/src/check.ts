import { DatabaseError } from 'pg';
import type { Settings } from './config.ts';
import {
  CheckFailedError,
  DatabaseRefusedError,
  HistoryLockedError,
  InterruptedError,
  UsageError,
} from './errors.ts';
import { MigrationsFolderError, NoMigrationsError } from './file-errors.ts';
import { checkReceipt, SchemaNotReadyError } from './gate.ts';
import { historyTableOf, quoteIdentifier, spellTableName, type TableName } from './identifiers.ts';
import { loadMigrations } from './load.ts';
import { type Hooks, type Operation, operate } from './operation.ts';
import { type Session, SessionLostError } from './session.ts';
import { watched } from './watched-read.ts';

/** What to ask of the schema. */
export interface CheckRequest {
  /** Undefined asks for the newest version of the settings' files, or any version where there are none. */
  readonly atLeast: bigint | undefined;
  /** Whether to ask again until it holds or the timeout is over. */
  readonly wait: boolean;
}

/** The schema may be used. */
export interface CheckResult {
  readonly database: string;
  readonly version: bigint;
  /** What was needed at least; undefined when any version would have done. */
  readonly required: bigint | undefined;
}

/** What is needed, and where that was read when nobody said it. */
interface Need {
  readonly version: bigint | undefined;
  readonly source: string | undefined;
}

interface Explanation {
  readonly evidence: readonly string[];
  readonly hint: string | undefined;
}

const firstPauseMilliseconds = 100;
const longestPauseMilliseconds = 1000;
/** The last question is asked this long before the deadline, so that the answer still comes. */
const lastQuestionMilliseconds = 150;
/** An attempt that began within this time of the deadline and was cut off says less than the one before it. */
const shortAttemptMilliseconds = 1000;

/**
 * Checks the receipt as an app's gate does, with one query and the role that is configured; takes no migration lock and
 * writes nothing.
 *
 * Each attempt has a connection of its own: one kept open would stay in the old database when that is recreated.
 *
 * @throws {CheckFailedError} when it does not hold: status 5 for dirty, else 3
 * @throws what connecting throws, and the files' errors when they are asked for the version
 */
export function checkSchema(
  settings: Settings,
  request: CheckRequest,
  hooks: Hooks = {},
): Promise<CheckResult> {
  if (settings.layout === 'alphabetical') {
    throw new UsageError(
      'check is for the layout versioned: names are in no order that an app could wait for',
    );
  }
  return operate(settings, hooks, async (operation) => {
    const need = await readNeed(settings, request);
    return request.wait ? askUntil(operation, need) : ask(operation, need);
  });
}

async function readNeed(settings: Settings, { atLeast }: CheckRequest): Promise<Need> {
  if (atLeast !== undefined) return { version: atLeast, source: undefined };
  try {
    const version = (await loadMigrations(settings.path)).at(-1)?.version;
    return { version, source: `${version} is the newest version in ${settings.path}` };
  } catch (error) {
    const none =
      error instanceof NoMigrationsError || (error instanceof MigrationsFolderError && error.absent);
    // A folder that somebody named must be there.
    if (!none || settings.pathStated) throw error;
    return { version: undefined, source: undefined };
  }
}

async function askUntil(operation: Operation, need: Need): Promise<CheckResult> {
  const { deadline, signal, log } = operation;
  let last: Error | undefined;
  let told: string | undefined;
  for (let pause = firstPauseMilliseconds; ; pause = Math.min(pause * 1.6, longestPauseMilliseconds)) {
    const left = deadline.remaining();
    try {
      return await ask(operation, need);
    } catch (error) {
      if (!(error instanceof Error) || !mayPass(error)) {
        const cutOff = deadline.passed && left < shortAttemptMilliseconds;
        throw cutOff && last !== undefined && !(error instanceof HistoryLockedError) ? last : error;
      }
      last = error;
    }
    if (told !== last.message && deadline.elapsed() > 1000) {
      log.info(`waiting for the schema: ${last.message}`);
      told = last.message;
    }
    const spare = deadline.remaining() - lastQuestionMilliseconds;
    if (spare <= 0) throw last;
    await deadline.during('schema', () => deadline.sleep(Math.min(pause, spare), signal));
    if (signal.reason instanceof InterruptedError) throw signal.reason;
  }
}

/** Not what is wrong for good: a password, a table of another tool. */
function mayPass(error: Error): boolean {
  if (error instanceof SessionLostError) return true;
  if (error instanceof DatabaseRefusedError) {
    return error.cause instanceof DatabaseError && error.cause.code === '3D000';
  }
  return error instanceof CheckFailedError && (error.code !== 'schema-unreadable' || isClosed(error.cause));
}

async function ask(operation: Operation, need: Need): Promise<CheckResult> {
  const { settings } = operation;
  const session = await operation.connect();
  const { database } = session.parameters;
  const requirement = {
    service: settings.service ?? database,
    requiredVersion: need.version ?? 0n,
    table: spellTableName(settings.table),
  };
  const client = { query: async (text: string) => ({ rows: await session.query(text) }) };
  try {
    const { version } = await watched(operation, session, () => checkReceipt(client, requirement));
    return { database, version, required: need.version };
  } catch (error) {
    if (!(error instanceof SchemaNotReadyError)) throw error;
    const { evidence, hint } = await explain(session, settings, error, need);
    throw new CheckFailedError(error, need.version, evidence, hint);
  } finally {
    await session.close();
  }
}

/** What helps: not `make`, which a project of somebody else does not have. */
async function explain(
  session: Session,
  { table }: Settings,
  error: SchemaNotReadyError,
  need: Need,
): Promise<Explanation> {
  switch (error.code) {
    case 'schema-older':
      return {
        evidence: [
          ...(need.source === undefined ? [] : [need.source]),
          ...(await historyBeyond(session, table, error.version ?? -1n)),
        ],
        hint: 'migrate up',
      };
    case 'schema-dirty':
      return { evidence: [], hint: 'migrate status' };
    case 'schema-absent': {
      const elsewhere =
        error.cause === undefined
          ? await historyBeyond(session, table, -1n)
          : await findReceipts(session, table);
      if (error.cause === undefined) return { evidence: elsewhere, hint: 'migrate up' };
      return { evidence: elsewhere, hint: elsewhere.length > 0 ? undefined : 'migrate up' };
    }
    case 'schema-unreadable':
      return isClosed(error)
        ? explainClosed(session, table)
        : { evidence: ['another table can be named with MIGRATIONS_TABLE'], hint: undefined };
  }
}

/** What the history has as applied that the receipt does not say; nothing where this role may not read it. */
async function historyBeyond(session: Session, table: TableName, receipt: bigint): Promise<string[]> {
  const { schema, name } = historyTableOf(table);
  const history = [schema, name]
    .filter((part) => part !== undefined)
    .map(quoteIdentifier)
    .join('.');
  const [row] = await session
    .query(
      // Postgres leaves no page where golang-migrate emptied its table: then all was taken back.
      `select max(version)::text as top from ${history} where statements_applied is null
         and pg_relation_size(to_regclass($1)) > 0`,
      [spellTableName(table)],
    )
    .catch(() => []);
  const top = row?.['top'];
  if (typeof top !== 'string' || BigInt(top) <= receipt) return [];
  return [`the history has ${top} as applied: migrate status says more`];
}

async function explainClosed(session: Session, table: TableName): Promise<Explanation> {
  const [row] = await session
    .query(
      `select current_user::text as role, quote_ident(current_user) as grantee,
         (select has_schema_privilege(oid, 'usage') from pg_namespace where nspname = $1) as open`,
      [table.schema ?? null],
    )
    .catch(() => []);
  const {
    role = session.parameters.user,
    grantee = quoteIdentifier(session.parameters.user),
    open,
  } = row ?? {};
  const what =
    open === false
      ? `usage on schema ${quoteIdentifier(table.schema ?? '')}`
      : `select on ${spellTableName(table)}`;
  return { evidence: [`role: ${role}`], hint: `grant ${what} to ${grantee}, as the role that migrates` };
}

/** Tables of that name that this role does not see: a schema it may not use drops out of its search_path silently. */
async function findReceipts(session: Session, { schema: named, name }: TableName): Promise<string[]> {
  const rows = await session
    .query(
      `select format('%I.%I', n.nspname, c.relname) as receipt, n.nspname::text as schema, current_user::text as role,
         has_schema_privilege(n.oid, 'usage') as open
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relname = $1 and c.relkind in ('r', 'p', 'v') and n.nspname !~ '^pg_' and ($2 or not pg_table_is_visible(c.oid))
       order by n.nspname limit 3`,
      [name, named !== undefined],
    )
    .catch(() => []);
  return rows.map(({ receipt, schema, role, open }) =>
    open === true
      ? `there is ${receipt}; MIGRATIONS_TABLE can name it`
      : `there is ${receipt}, and the role ${role} has no USAGE on the schema ${schema}`,
  );
}

function isClosed(error: unknown): boolean {
  return (
    error instanceof SchemaNotReadyError &&
    error.cause instanceof DatabaseError &&
    error.cause.code === '42501'
  );
}
