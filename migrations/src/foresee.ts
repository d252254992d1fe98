import type { Settings } from './config.ts';
import { readProperties } from './database-properties.ts';
import { RecreateRefusedError } from './errors.ts';
import { withFilesAndState } from './inspect.ts';
import { connectMaintenance, findStaying } from './maintenance.ts';
import type { Hooks } from './operation.ts';
import { chooseUndo } from './recreate/keep-rule.ts';
import { readMark } from './recreate/mark.ts';
import { findPrevious, stampOf } from './recreate/previous.ts';
import { obstacleTo } from './replace-database.ts';
import { requireDevelopment } from './strategy.ts';
import { noneKept } from './undo.ts';

/** What `recreate` or `undo` would do. */
export interface Foresight {
  readonly database: string;
  /** Migrations that the new database would get. */
  readonly migrations: number;
  /** The database that `undo` would bring back; undefined when none is kept. */
  readonly kept: string | undefined;
}

/**
 * Looks whether a recreate or an undo could be done; changes nothing.
 *
 * @throws {RecreateRefusedError} with what stands in the way
 */
export function foresee(
  settings: Settings,
  command: 'recreate' | 'undo',
  hooks: Hooks = {},
): Promise<Foresight> {
  requireDevelopment(settings, command);
  return withFilesAndState(settings, hooks, async (operation, session, state, migrations) => {
    const { database } = state;
    const obstacle = obstacleTo(state, await readProperties(session));
    if (obstacle !== undefined) throw new RecreateRefusedError(`${database} cannot be replaced`, obstacle);
    const maintenance = await connectMaintenance(operation, database);
    try {
      const staying = await findStaying(maintenance, [database]);
      if (staying.length > 0) throw new RecreateRefusedError(`${database} cannot be replaced`, staying);
      const previous = await findPrevious(maintenance, database);
      const mark = await readMark(session, state.tables.history);
      const chosen = chooseUndo(
        previous.map((name) => ({ name, at: stampOf(name) })),
        mark?.from,
      );
      const kept = chosen?.name;
      if (command === 'undo' && kept === undefined) throw noneKept(database);
      return { database, migrations: migrations.length, kept };
    } finally {
      await maintenance.close();
    }
  });
}
