import { count } from '@lockstep/foundation';
import { addressOf } from '@lockstep/postgres';
import { requireOwnBackend } from '../connection/own-backend.ts';
import { SharedSessionError } from '../errors.ts';
import { showPath } from '../folder.ts';
import { TokenReader } from '../tokens.ts';
import { type Check, failed, note, type Outlook, ok } from './check.ts';

/** What a run itself opens: its own session, the one that watches it, one for scratch databases and one inside. */
const sessionsNeeded = 4;
/** A transaction open for longer than this will make a table lock wait. */
const longTransactionSeconds = 60;

export const serverCheck: Check = {
  name: 'server',
  level: 'minimal',
  look: async ({ session }) => {
    const [row] = await session.query(`select current_setting('server_version') as version`);
    return ok(`Postgres ${String(row?.['version']).split(' ')[0]} at ${addressOf(session.parameters)}`);
  },
};

export const filesCheck: Check = {
  name: 'files',
  level: 'minimal',
  look: async ({ migrations, operation }) =>
    ok(
      `${count(migrations.length, 'migration')} in ${showPath(operation.settings.path)}, names and pairs valid`,
    ),
};

export const writableCheck: Check = {
  name: 'writable',
  level: 'moderate',
  look: async ({ session }) => {
    const [row] = await session.query(
      `select pg_is_in_recovery() as standby, current_setting('transaction_read_only') as read_only`,
    );
    if (row?.['standby'] === true) return failed('the server is a standby: it takes no changes');
    if (row?.['read_only'] === 'on')
      return failed('transactions are read-only here (default_transaction_read_only)');
    return ok('the server takes changes');
  },
};

/** A proxy that hands each transaction to another server session would lose the lock. */
export const directCheck: Check = {
  name: 'connection',
  level: 'moderate',
  look: async ({ session }) => {
    try {
      await requireOwnBackend(session);
    } catch (error) {
      if (!(error instanceof SharedSessionError)) throw error;
      const [found] = error.evidence;
      return failed(`a proxy shares its sessions (${found}): connect to the server itself`);
    }
    const isDirect = session.backend === session.toldProcessId;
    return ok(isDirect ? 'goes to the server itself' : 'a proxy is between, and shares no session');
  },
};

export const roleCheck: Check = {
  name: 'role',
  level: 'moderate',
  look: async ({ session, state, plan }) => {
    const [row] = await session.query(
      `select has_database_privilege(current_database(), 'create') as database,
         coalesce(has_schema_privilege(to_regnamespace(quote_ident($1))::oid, 'create'), false) as schema`,
      [state.tables.schema],
    );
    const wrong = [];
    const makesSchema = plan.steps.some(({ file }) =>
      file.statements.some(({ text }) => /^\s*create\s+(schema|extension)\b/i.test(text)),
    );
    if (row?.['database'] !== true && (makesSchema || !state.present.schema)) {
      wrong.push(`${state.role} may not create schemas or extensions in ${state.database}`);
    }
    if (row?.['schema'] !== true && state.present.schema) {
      wrong.push(`${state.role} may not create in the schema ${state.tables.schema}`);
    }
    if (wrong.length > 0) return wrong.flatMap((words) => failed(words));
    return ok(`${state.role} may create in ${state.tables.schema}`);
  },
};

export const connectionsCheck: Check = {
  name: 'connections',
  level: 'moderate',
  look: async ({ session }) => {
    const [row] = await session.query(
      `select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as free`,
    );
    const free = Number(row?.['free']);
    const words = `${free} free, ${sessionsNeeded} needed`;
    return free < sessionsNeeded ? failed(words) : ok(words);
  },
};

export const extensionsCheck: Check = {
  name: 'extensions',
  level: 'moderate',
  concerns: (outlook) => wantedExtensions(outlook).length > 0,
  look: async (outlook) => {
    const wanted = wantedExtensions(outlook);
    const rows = await outlook.session.query(
      'select name::text as name from pg_available_extensions where name = any($1)',
      [wanted],
    );
    const available = new Set(rows.map(({ name }) => String(name)));
    const missing = wanted.filter((name) => !available.has(name));
    if (missing.length > 0) return failed(`not installed on the server: ${missing.join(', ')}`);
    return ok(`available: ${wanted.join(', ')}`);
  },
};

/** Whoever holds a table for long makes the migration wait, and everybody else behind it. */
export const transactionsCheck: Check = {
  name: 'transactions',
  level: 'extensive',
  look: async ({ session }) => {
    const rows = await session.query(
      `select pid, usename::text as role, extract(epoch from now() - xact_start)::int as seconds from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and xact_start < now() - make_interval(secs => $1)
       order by xact_start limit 3`,
      [longTransactionSeconds],
    );
    if (rows.length === 0) return ok(`none is open for longer than ${longTransactionSeconds} s`);
    const sessions = rows.map(({ pid, role, seconds }) => `pid ${pid} (${role}) for ${seconds} s`);
    return note(`open for long, and may make table locks wait: ${sessions.join(', ')}`);
  },
};

/** Names behind CREATE EXTENSION in the steps up. */
function wantedExtensions({ plan }: Outlook): string[] {
  const names = plan.steps.flatMap(({ direction, file }) =>
    direction === 'up' ? file.statements.flatMap(({ text }) => extensionOf(text) ?? []) : [],
  );
  return [...new Set(names)];
}

function extensionOf(text: string): string | undefined {
  const words: string[] = [];
  const reader = new TokenReader(text);
  for (let more = reader.next(); more && words.length < 6; more = reader.next()) {
    words.push(text.slice(reader.start, reader.end));
  }
  const [create = '', extension = '', ...rest] = words;
  if (`${create} ${extension}`.toLowerCase() !== 'create extension') return undefined;
  const conditional = rest.slice(0, 3).join(' ').toLowerCase() === 'if not exists';
  const name = rest[conditional ? 3 : 0];
  return name?.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name?.toLowerCase();
}
