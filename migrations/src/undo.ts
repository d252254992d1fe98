import type { Settings } from './config.ts';
import { ConnectionLostError, DatabaseRefusedError, RecreateRefusedError } from './errors.ts';
import { type DatabaseState, readState } from './history.ts';
import { freeNames } from './kept.ts';
import { withLock } from './lock.ts';
import { lockOptions, replacementLock } from './lock-options.ts';
import { connectMaintenance, swapDatabases } from './maintenance.ts';
import type { MigrateResult } from './migrate.ts';
import { type Hooks, type Operation, operate } from './operation.ts';
import { findPrevious } from './recreate/previous.ts';
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
            await session.query('select 1');
            await session.close();
            return await swapBack(operation, maintenance, state);
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
): Promise<MigrateResult> {
  const { database } = state;
  const [newest, ...others] = await usable(operation, await findPrevious(maintenance, database));
  if (newest === undefined) throw noneKept(database);
  const { kept } = await freeNames(maintenance, database);
  await operation.begins(undefined);
  const killer = await operation.connect(maintenance.parameters.database);
  try {
    await swapDatabases(operation, maintenance, killer, [
      { from: database, to: kept },
      { from: newest, to: database },
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
          ...others.map((name) => ({ database: name, why: 'it is kept as before' })),
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

/** Those that a session can be opened in: the newest of them is about to serve an app. */
async function usable(operation: Operation, names: readonly string[]): Promise<string[]> {
  const open: string[] = [];
  for (const name of names) {
    try {
      await (await operation.connect(name)).close();
      open.push(name);
    } catch (error) {
      if (!(error instanceof DatabaseRefusedError)) throw error;
      operation.log.warn(`${name} is passed over: ${error.evidence.join('; ')}`);
    }
  }
  return open;
}
