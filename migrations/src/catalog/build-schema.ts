import { applySteps } from '../apply.ts';
import { prepareTables } from '../bookkeeping.ts';
import { readState } from '../history.ts';
import type { TableName } from '../identifiers.ts';
import type { Migration } from '../migration.ts';
import type { Operation } from '../operation.ts';
import type { Step } from '../plan.ts';
import type { Session } from '../session.ts';

/** What a run in a scratch database is told: nothing that a person follows. */
export function quietly(operation: Operation): Operation {
  const { log } = operation;
  const quiet: Operation['log'] = { ...log, info: log.debug };
  return { ...operation, log: quiet, onLastMoment: () => {} };
}

/** The step up of a migration whose versions below are all applied. */
export function stepUp({ version, label, description, up }: Migration): Step {
  return { direction: 'up', version, label, description, file: up, resultVersion: version };
}

/** The step down of a migration; undefined when it has no down file. `before` is the version that remains. */
export function stepDown(
  { version, label, description, down }: Migration,
  before: bigint | undefined,
): Step | undefined {
  if (down === undefined) return undefined;
  return { direction: 'down', version, label, description, file: down, resultVersion: before ?? -1n };
}

/**
 * Runs `steps` in a scratch database as a real run would, but without telling anybody.
 *
 * @param from the version before them; undefined for none
 * @throws {MigrationFailedError} as a real run
 */
export async function runInScratch(
  operation: Operation,
  session: Session,
  table: TableName,
  run: {
    readonly steps: readonly Step[];
    readonly migrations: readonly Migration[];
    readonly from: bigint | undefined;
  },
): Promise<void> {
  const state = await readState(session, table, { downSql: false, scripts: operation.scripts });
  await prepareTables(session, state, []);
  await applySteps(quietly(operation), session, {
    ...run,
    tables: state.tables,
    role: state.role,
    applied: [],
    grouped: true,
  });
}
