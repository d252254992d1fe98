import type { Settings } from './config.ts';
import { keptPattern } from './database-names.ts';
import { RecreateRefusedError } from './errors.ts';
import { type DatabaseState, readState } from './history.ts';
import { withLock } from './lock.ts';
import { connectMaintenance, findDatabases, swapDatabases } from './maintenance.ts';
import { lockOptions, type MigrateResult } from './migrate.ts';
import { type Hooks, type Operation, operate } from './operation.ts';
import { dropOlder, freeNames } from './recreate.ts';
import type { Session } from './session.ts';
import { requireDevelopment } from './strategy.ts';

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
    try {
      const state = await readState(session, settings.table, { downSql: false });
      return await withLock(session, lockOptions(operation, state), async () => {
        const maintenance = await connectMaintenance(operation, state.database);
        try {
          return await withLock(maintenance, lockOptions(operation, state), async () => {
            await session.query('select 1');
            await session.close();
            return swapBack(operation, maintenance, state);
          });
        } finally {
          await maintenance.close();
        }
      });
    } finally {
      await session.close();
    }
  });
}

async function swapBack(
  operation: Operation,
  maintenance: Session,
  state: DatabaseState,
): Promise<MigrateResult> {
  const { database } = state;
  const [newest] = await findDatabases(maintenance, keptPattern(database));
  if (newest === undefined) {
    throw new RecreateRefusedError(`no earlier database of ${database} is kept`, [
      'a recreate keeps one, as <database>__before_<time>',
    ]);
  }
  const { kept } = await freeNames(maintenance, database);
  await swapDatabases(operation, maintenance, [
    { from: database, to: kept },
    { from: newest, to: database },
  ]);
  await dropOlder(operation, maintenance, database, kept);
  const session = await operation.connect();
  try {
    const now = await readState(session, operation.settings.table, { downSql: false });
    return {
      outcome: 'undone',
      database,
      from: state.history.current?.version,
      to: now.history.current?.version,
      steps: [],
      anomalies: [],
      kept,
      milliseconds: operation.deadline.elapsed(),
    };
  } finally {
    await session.close();
  }
}
