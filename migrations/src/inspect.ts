import type { Settings } from './config.ts';
import type { Dependent } from './dependents.ts';
import type { Disagreement } from './history/agreement.ts';
import type { DatabaseState } from './history.ts';
import { describeHolder, findLockHolder } from './holder.ts';
import { lockKey } from './lock.ts';
import type { Migration } from './migration.ts';
import { type Hooks, type Operation, operate } from './operation.ts';
import {
  type Anomaly,
  type AppliedMigration,
  computePlan,
  describeStates,
  type MigrationState,
  type Plan,
  type Step,
  type Target,
} from './plan.ts';
import type { Session } from './session.ts';
import { type Decision, judge } from './strategy.ts';
import { readWatched } from './watched-read.ts';

/** Where a database stands. */
export interface VersionResult {
  readonly database: string;
  /** Undefined when nothing is applied. */
  readonly version: bigint | undefined;
  readonly dirty: boolean;
  /** Who holds the migration lock; only asked for when dirty, which is then no accident. */
  readonly holder: string | undefined;
  /** Set when somebody changed the receipt by hand; `version` is then what the history says. */
  readonly disagreement?: Disagreement | undefined;
}

export interface StatusResult extends VersionResult {
  readonly migrations: readonly MigrationState[];
  readonly anomalies: readonly Anomaly[];
}

export interface HistoryResult extends VersionResult {
  readonly applied: readonly AppliedMigration[];
}

export interface PlanResult extends VersionResult {
  readonly to: bigint | undefined;
  readonly steps: readonly Step[];
  readonly anomalies: readonly Anomaly[];
  readonly strategy: string;
  readonly decision: Decision | 'refuse';
  /** Running apps that the steps leave without the version they need; only where the plan goes down. */
  readonly dependents?: readonly Dependent[];
}

/** Reads the version from golang-migrate's row; takes no lock. */
export function readVersion(settings: Settings, hooks: Hooks = {}): Promise<VersionResult> {
  return inspect(settings, hooks, false, async (state, holder) => versionOf(state, holder));
}

/** Reads which migrations are applied, pending, missing, edited, out of order or dirty; takes no lock. */
export function readStatus(settings: Settings, hooks: Hooks = {}): Promise<StatusResult> {
  return inspect(settings, hooks, true, async (state, holder, migrations) => ({
    ...versionOf(state, holder),
    migrations: describeStates(migrations, state.history),
    anomalies: computePlan(migrations, state.history, { kind: 'latest' }).anomalies,
  }));
}

/** Reads what the history says was applied, ascending; takes no lock and no files. */
export function readHistory(settings: Settings, hooks: Hooks = {}): Promise<HistoryResult> {
  return inspect(settings, hooks, false, async (state, holder) => ({
    ...versionOf(state, holder),
    applied: state.history.applied,
  }));
}

/** Computes what {@link migrateTo} would do now, and what the strategy would decide; takes no lock, changes nothing. */
export function readPlan(
  settings: Settings,
  target: Target = { kind: 'latest' },
  hooks: Hooks = {},
): Promise<PlanResult> {
  const { strategy } = settings;
  return inspect(settings, hooks, true, async (state, holder, migrations) => {
    const plan = computePlan(migrations, state.history, target);
    const decision = judge(strategy, plan, target, settings.environment);
    return { ...planOf(settings, state, plan, decision), holder };
  });
}

/** What a plan shows of itself. */
export function planOf(
  { strategy }: Settings,
  state: DatabaseState,
  plan: Plan,
  decision: PlanResult['decision'],
): PlanResult {
  return {
    ...versionOf(state, undefined),
    to: plan.to,
    steps: plan.steps,
    anomalies: plan.anomalies,
    strategy: strategy.name,
    decision,
  };
}

function inspect<T>(
  settings: Settings,
  hooks: Hooks,
  withFiles: boolean,
  work: (state: DatabaseState, holder: string | undefined, migrations: readonly Migration[]) => Promise<T>,
): Promise<T> {
  return withState(settings, hooks, withFiles, async (_operation, session, state, migrations) =>
    work(state, await holderWhenDirty(session, state), migrations),
  );
}

/** What looks at a database and its files, without the lock, does here. */
export type Look<T> = (
  operation: Operation,
  session: Session,
  state: DatabaseState,
  migrations: readonly Migration[],
) => Promise<T>;

/** Reads files and state, and runs `look` with a session that is closed after it. */
export function withFilesAndState<T>(settings: Settings, hooks: Hooks, look: Look<T>): Promise<T> {
  return withState(settings, hooks, true, look);
}

function withState<T>(settings: Settings, hooks: Hooks, withFiles: boolean, look: Look<T>): Promise<T> {
  return operate(settings, hooks, async (operation) => {
    const migrations = withFiles || settings.layout === 'alphabetical' ? await operation.load() : [];
    const session = await operation.connect();
    try {
      const state = await readWatched(operation, session, { downSql: true });
      return await look(operation, session, state, migrations);
    } finally {
      await session.close();
    }
  });
}

async function holderWhenDirty(session: Session, { history, database, tables }: DatabaseState) {
  if (history.current?.dirty !== true) return undefined;
  const holder = await findLockHolder(session, lockKey(database, tables.schema, tables.name));
  return holder && describeHolder(holder);
}

function versionOf(
  { database, history, disagreement }: DatabaseState,
  holder: string | undefined,
): VersionResult {
  const { current } = history;
  const version = current === undefined || current.version < 0n ? undefined : current.version;
  return { database, version, dirty: current?.dirty === true, holder, disagreement };
}
