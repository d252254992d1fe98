import { DatabaseError } from 'pg';
import type { Settings } from './config.ts';
import { ConnectionLostError, DatabaseRefusedError, RecreateRefusedError } from './errors.ts';
import { type DatabaseState, readState } from './history.ts';
import { freeNames } from './kept.ts';
import { withLock } from './lock.ts';
import { lockOptions, replacementLock } from './lock-options.ts';
import { connectMaintenance, swapDatabases } from './maintenance.ts';
import type { MigrateResult } from './migrate.ts';
import { type Hooks, type Operation, operate } from './operation.ts';
import { readAuthorship } from './recreate/authorship.ts';
import { chooseUndo, type Judged } from './recreate/keep-rule.ts';
import { eraseMark, readMark, writeMark } from './recreate/mark.ts';
import { findPrevious, stampOf } from './recreate/previous.ts';
import { type Session, SessionLostError } from './session.ts';
import { requireDevelopment } from './strategy.ts';
import { readWatched } from './watched-read.ts';

/**
 * Brings back the database that the last recreate kept, and keeps the present one in its place: undone twice, all is
 * as before.
 *
 * @throws {RecreateRefusedError} when none is kept, or the environment is not development
 */
export async function undo(settings: Settings, hooks: Hooks = {}): Promise<MigrateResult> {
  requireDevelopment(settings, 'undo');
  return operate(settings, hooks, async (operation) => {
    const session = await operation.connect();
    let before: DatabaseState | undefined;
    try {
      const state = await readWatched(operation, session, { downSql: false });
      before = state;
      return await withLock(session, lockOptions(operation, state), async () => {
        const maintenance = await connectMaintenance(operation, state.database);
        try {
          return await withLock(maintenance, replacementLock(operation, state), async () => {
            const mark = await readMark(session, state.tables.history);
            await session.close();
            return await swapBack(operation, maintenance, state, mark?.from);
          });
        } finally {
          await maintenance.close();
        }
      });
    } catch (error) {
      throw error instanceof SessionLostError ? await describeLoss(operation, before, error) : error;
    } finally {
      await session.close();
    }
  });
}

/** Whether the swap landed, or another one ended our session, only Postgres knows. */
async function describeLoss(
  operation: Operation,
  before: DatabaseState | undefined,
  lost: SessionLostError,
): Promise<Error> {
  if (before === undefined || operation.signal.aborted) return lost;
  const session = await operation.connect();
  try {
    const { database, oid } = await readWatched(operation, session, { downSql: false });
    const now = oid === before.oid ? 'is still the same database' : 'is another database now';
    const fact = `the connection to Postgres was lost; ${database} ${now}`;
    return new ConnectionLostError(fact, [lost.message], lost);
  } finally {
    await session.close();
  }
}

async function swapBack(
  operation: Operation,
  maintenance: Session,
  state: DatabaseState,
  from: string | undefined,
): Promise<MigrateResult> {
  const { database } = state;
  const previous = await look(operation, await findPrevious(maintenance, database), state.tables);
  const chosen = chooseUndo(previous, from);
  if (chosen === undefined) throw noneKept(database);
  const { kept } = await freeNames(maintenance, database);
  await operation.begins(undefined);
  await markChosen(operation, chosen, state.tables.history);
  const killer = await operation.connect(maintenance.parameters.database);
  try {
    await swapDatabases(operation, maintenance, killer, [
      { from: database, to: kept },
      { from: chosen.database, to: database },
    ]);
  } finally {
    await killer.close();
  }
  const session = await operation.connect();
  try {
    const now = await readState(session, operation.settings.table, {
      downSql: false,
      scripts: operation.scripts,
    });
    return {
      outcome: 'undone',
      database,
      from: state.history.current?.version,
      to: now.history.current?.version,
      steps: [],
      takenBack: [],
      anomalies: [],
      kept,
      previous: {
        kept: [
          { database: kept, why: 'it was replaced just now' },
          ...previous
            .filter((one) => one !== chosen)
            .map((one) => ({ database: one.database, why: 'it is kept as before' })),
        ],
        dropped: [],
      },
      milliseconds: operation.deadline.elapsed(),
      affectedTables: undefined,
      safeguards: undefined,
    };
  } finally {
    await session.close();
  }
}

/** The failure when there is nothing to bring back. */
export function noneKept(database: string): RecreateRefusedError {
  return new RecreateRefusedError(`no earlier database of ${database} is kept`, [
    'a recreate keeps one, as <database>__before_<time>',
  ]);
}

/** Those that a session can be opened in, and whose work they hold: one of them is about to serve an app. */
async function look(
  operation: Operation,
  names: readonly string[],
  tables: DatabaseState['tables'],
): Promise<Judged[]> {
  const open: Judged[] = [];
  for (const database of names) {
    try {
      const session = await operation.connect(database);
      const holds = await readAuthorship(session, tables).finally(() => session.close());
      open.push({ database, at: stampOf(database), holds });
    } catch (error) {
      if (!(error instanceof DatabaseRefusedError)) throw error;
      operation.log.warn(`${database} is passed over: ${error.evidence.join('; ')}`);
    }
  }
  return open;
}

/**
 * Notes in the database that gets the name when somebody last changed it, before it does: whether somebody changes it from now on is
 * seen by that. Without the note it counts as changed.
 */
async function markChosen(
  operation: Operation,
  { database, at, holds }: Judged,
  history: string,
): Promise<void> {
  const session = await operation.connect(database);
  try {
    const [row] = await session.query(
      `select exists (select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
         and usesysid is not null) as shared, to_regclass($1) is not null as present`,
      [history],
    );
    if (row?.['present'] !== true) return;
    // What somebody who is in it writes at this moment could pass for older than the note.
    if (row['shared'] === true) return await eraseMark(session, history);
    const held = holds.kind === 'held' ? holds.until : holds.kind === 'changed' ? at : undefined;
    await writeMark(session, history, { held, from: at });
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    operation.log.debug(`${database} was not marked: ${error.message}`);
  } finally {
    await session.close();
  }
}
