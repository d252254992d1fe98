import { prepareTables, recordsIn } from './bookkeeping.ts';
import type { Settings } from './config.ts';
import { BaselineRefusedError, UsageError } from './errors.ts';
import { UnknownVersionError } from './file-errors.ts';
import type { DatabaseState } from './history.ts';
import { withFilesAndState } from './inspect.ts';
import { withLock } from './lock.ts';
import { lockOptions } from './lock-options.ts';
import type { Migration } from './migration.ts';
import type { Hooks, Operation } from './operation.ts';
import { describeStates } from './plan.ts';
import type { Session } from './session.ts';
import { readWatched } from './watched-read.ts';

/** What the history says after `force` or `baseline`, or would say. */
export interface AdoptResult {
  readonly database: string;
  readonly from: { readonly version: bigint; readonly dirty: boolean } | undefined;
  /** Undefined for none. */
  readonly to: bigint | undefined;
  /** Migrations that were recorded as applied without having been run. */
  readonly recorded: readonly Migration[];
  readonly isDryRun: boolean;
}

/** What both commands are told. */
export interface AdoptRequest {
  /** Undefined for none, which only `force` takes. */
  readonly version: bigint | undefined;
  /** Tells what would change, and changes nothing. */
  readonly isDryRun: boolean;
}

/**
 * Says that the schema is at a version, and clean; runs nothing. As golang-migrate's `force`, so for a database that somebody
 * has put right by hand.
 *
 * @throws {UnknownVersionError} when the version has no file and is not in the history
 */
export function forceVersion(
  settings: Settings,
  request: AdoptRequest,
  hooks: Hooks = {},
): Promise<AdoptResult> {
  if (settings.layout === 'alphabetical') {
    throw new UsageError('force is for the layout versioned: names are in no order that one could stand for');
  }
  const wanted = request.version ?? -1n;
  return adopt(settings, request, hooks, (state, migrations) => {
    const versions = describeStates(migrations, state.history).map(({ version }) => version);
    if (wanted >= 0n && !versions.includes(wanted)) throw new UnknownVersionError(wanted, versions);
    return { wanted, recorded: [] };
  });
}

/**
 * Records every file up to a version as applied, in a database that has its tables already and no history.
 *
 * @throws {BaselineRefusedError} when there is a history
 * @throws {UnknownVersionError} when the version has no file
 */
export function baselineDatabase(
  settings: Settings,
  request: AdoptRequest & { readonly version: bigint },
  hooks: Hooks = {},
): Promise<AdoptResult> {
  const wanted = request.version;
  return adopt(settings, request, hooks, (state, migrations) => {
    const { current, applied } = state.history;
    if (current !== undefined || applied.length > 0) {
      throw new BaselineRefusedError(state.database, current?.version);
    }
    if (!migrations.some(({ version }) => version === wanted)) {
      throw new UnknownVersionError(
        wanted,
        migrations.map(({ version }) => version),
      );
    }
    return { wanted, recorded: migrations.filter(({ version }) => version <= wanted) };
  });
}

interface Intent {
  readonly wanted: bigint;
  readonly recorded: readonly Migration[];
}

function adopt(
  settings: Settings,
  { isDryRun }: AdoptRequest,
  hooks: Hooks,
  intend: (state: DatabaseState, migrations: readonly Migration[]) => Intent,
): Promise<AdoptResult> {
  return withFilesAndState(settings, hooks, async (operation, session, glance, migrations) => {
    if (isDryRun) return resultOf(glance, intend(glance, migrations), true);
    return withLock(session, lockOptions(operation, glance), async () => {
      const state = await readWatched(operation, session, { downSql: false });
      const intent = intend(state, migrations);
      await record(operation, session, state, intent);
      return resultOf(state, intent, false);
    });
  });
}

/** The rows of the history first, then the one that makes them count, in one transaction. */
async function record(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  { wanted, recorded }: Intent,
): Promise<void> {
  await operation.begins(wanted);
  await operation.deadline.during('sql', async () => {
    await prepareTables(session, { ...state, stale: false }, []);
    const bookkeeping = recordsIn(state.tables, lockOptions(operation, state).key);
    await session.query('begin');
    try {
      for (const migration of recorded) await session.query(bookkeeping.adopted(migration));
      await session.query(bookkeeping.forced(wanted));
      await session.query('commit');
    } catch (error) {
      await session.query('rollback').catch(() => {});
      throw error;
    }
  });
}

function resultOf(state: DatabaseState, { wanted, recorded }: Intent, isDryRun: boolean): AdoptResult {
  return {
    database: state.database,
    from: receiptOf(state),
    to: wanted < 0n ? undefined : wanted,
    recorded,
    isDryRun,
  };
}

/** What golang-migrate's row says, also where somebody changed it by hand. */
function receiptOf({ history, disagreement }: DatabaseState): AdoptResult['from'] {
  if (disagreement === undefined) return history.current;
  const { receipt } = disagreement;
  return receipt === undefined ? undefined : { version: receipt, dirty: false };
}
