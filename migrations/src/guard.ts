import { Failure } from '@lockstep/foundation';
import type { AppliedStep } from './apply.ts';
import { type PlannedRun, planRun, requireApproved } from './approval/plan-file.ts';
import type { Backup } from './backup/store.ts';
import type { Rehearse } from './backup/verify-backup.ts';
import { runInScratch } from './catalog/build-schema.ts';
import {
  appliedMigrations,
  type Comparison,
  compareWithFiles,
  compareWithSpecification,
  scopeOf,
  tableOf,
} from './catalog/compliance.ts';
import { describeDifferences } from './catalog/differences.ts';
import { NotCompliantError, RollbackUnprovenError } from './catalog/errors.ts';
import { describeNotes, mergeNotes } from './catalog/notes.ts';
import { readCatalog } from './catalog/read-catalog.ts';
import { rehearseDown } from './catalog/rehearsal.ts';
import { judge, type Scope } from './catalog/scope.ts';
import { unfinished } from './catalog/unfinished.ts';
import { type DataCheck, readChecks, runChecks } from './data-checks.ts';
import { describeDependents, findDependents } from './dependents.ts';
import { DataCheckError, withEvidence } from './errors.ts';
import type { DatabaseState } from './history.ts';
import type { Migration } from './migration.ts';
import type { Operation } from './operation.ts';
import type { Plan, Target } from './plan.ts';
import type { Session } from './session.ts';
import { type Decision, includes } from './strategy.ts';
import { readWatched } from './watched-read.ts';

/** What the safeguards of a run did. */
export interface GuardRecord {
  backup: Backup | undefined;
  /** What the schema was compared with after the last step, and equals. */
  compliantWith: readonly string[];
  /** How many notes there were: what is there besides, and is no failure. */
  notes: number;
}

/** A plan made under the lock, about to be run. */
export interface GuardedRun {
  readonly session: Session;
  readonly state: DatabaseState;
  readonly plan: Plan;
  readonly target: Target;
  readonly decision: Decision;
  readonly migrations: readonly Migration[];
  /** Steps that landed before a connection was lost. */
  readonly landed: readonly AppliedStep[];
}

/** What the strategy promises around the steps of one run: only what was approved runs, from a backup, to a schema that is right. */
export class Guard {
  readonly #approved: PlannedRun;
  readonly #record: GuardRecord = { backup: undefined, compliantWith: [], notes: 0 };
  #checks: readonly DataCheck[] = [];
  #ready = false;
  #done = false;

  constructor(approved: PlannedRun) {
    this.#approved = approved;
  }

  /** Whether steps were begun and what comes after them was not looked at: the connection was lost between. */
  get unfinished(): boolean {
    return this.#ready && !this.#done;
  }

  get record(): GuardRecord {
    return this.#record;
  }

  /**
   * Under the lock, before the first step. After a lost connection only the rest of the plan is compared: what was saved is saved.
   *
   * @throws {ApprovalMissingError} {BackupFailedError} {RollbackUnprovenError}; nothing was changed then
   */
  async before(operation: Operation, run: GuardedRun): Promise<void> {
    requireApproved(this.#approved, await planRun(operation, run.session, run), run.landed.length);
    if (this.#ready) return;
    const { validation } = operation.settings.strategy;
    const { steps } = run.plan;
    if (includes(validation, 'moderate')) {
      this.#checks = steps.flatMap(({ file }) => readChecks(file));
    }
    if (steps.some(({ direction }) => direction === 'down') && includes(validation, 'moderate')) {
      await this.#beforeRollback(operation, run);
    } else {
      this.#record.backup = await backUp(operation, run, undefined);
    }
    this.#ready = true;
  }

  /**
   * Under the lock, after the last step.
   *
   * @throws {NotCompliantError} {DataCheckError} exit status 6; the steps are applied
   */
  async after(operation: Operation, { session, migrations }: Pick<GuardedRun, 'session' | 'migrations'>) {
    const { validation } = operation.settings.strategy;
    if (includes(validation, 'moderate')) await this.#validate(operation, session, migrations);
    this.#done = true;
  }

  async #validate(operation: Operation, session: Session, migrations: readonly Migration[]): Promise<void> {
    const { validation } = operation.settings.strategy;
    const state = await readWatched(operation, session, { downSql: false });
    const { service } = operation.settings;
    const name = service ?? state.database;
    const { comparisons, scope } = await compareAfter(operation, session, state, migrations);
    for (const comparison of comparisons) {
      if (comparison.differences.length === 0) continue;
      const fact = `the steps are applied, and the schema of ${name} differs from ${comparison.expectation}`;
      throw new NotCompliantError(fact, comparison, this.#backupNote());
    }
    this.#record.compliantWith = comparisons.map(({ expectation }) => expectation);
    this.#record.notes = describeNotes(mergeNotes(comparisons.map(({ notes }) => notes)), 10_000).length;
    const wrong = await runChecks(session, this.#checks);
    if (includes(validation, 'extensive')) wrong.push(...unfinished(scope));
    if (wrong.length === 0) return;
    const error = new DataCheckError(name, wrong);
    const backup = this.#backupNote();
    throw backup === undefined ? error : withEvidence(error, backup);
  }

  #backupNote(): string | undefined {
    const { backup } = this.#record;
    return backup === undefined ? undefined : `the database before is in ${backup.path}`;
  }

  /** The first two steps of a rollback that is validated in five; see docs/safeguards.md. */
  async #beforeRollback(operation: Operation, run: GuardedRun): Promise<void> {
    const { session, state, plan, migrations } = run;
    const { log } = operation;
    const name = operation.settings.service ?? state.database;
    const dependents = await findDependents(session, plan.to);
    if (dependents.length > 0) throw describeDependents(name, plan.to, dependents);
    log.info(`rehearsing the rollback of ${name}: down and up again in a scratch database`);
    const { findings, expected } = await operation.deadline.during('rehearsal', () =>
      rehearseDown(operation, session, state, migrations, plan.steps),
    );
    if (findings.length > 0) throw unproven(name, findings);
    this.#record.backup = await backUp(operation, run, async (copy, comparable) => {
      log.info(`rehearsing the rollback of ${name} on the restored backup, with its rows`);
      const before = await countRows(copy);
      const down = { steps: plan.steps, migrations, from: plan.from };
      await runInScratch(operation, copy, tableOf(state), down).catch((error: unknown) => {
        // It failed in the copy, which its own words do not say.
        if (!(error instanceof Failure) || error.exitStatus !== 1) throw error;
        throw unproven(name, [error.message, ...error.evidence]);
      });
      const found = await readCatalog(copy, state.tables);
      const { wrong: left } = judge(scopeOf(operation, state, comparable(expected), comparable(found)));
      const after = await countRows(copy);
      const touched = await this.#touched(run);
      const lost = [...before].flatMap(([table, rows]) => {
        const now = after.get(table);
        return touched.has(table) || now === rows
          ? []
          : [`${table}: ${rows} rows before, ${now ?? 'no table'} after`];
      });
      // An incremental copy lacks rows that a check may ask for.
      const checks = operation.settings.strategy.backup === 'full' ? this.#checks : [];
      const wrong = [...describeDifferences(left, 10), ...lost, ...(await runChecks(copy, checks))];
      if (wrong.length > 0) throw unproven(name, wrong);
    });
  }

  async #touched({ session, state, plan }: GuardedRun): Promise<ReadonlySet<string>> {
    const { findTouched } = await import('./backup/touched.ts');
    return (await findTouched(session, state, plan.steps)).changed;
  }
}

function unproven(name: string, findings: readonly string[]): RollbackUnprovenError {
  const fact = `the rollback of ${name} does not do in a scratch database what it should`;
  return new RollbackUnprovenError(fact, [...findings, 'nothing was changed'], { findings });
}

async function countRows(session: Session): Promise<ReadonlyMap<string, number>> {
  const { readRows } = await import('./backup/contents.ts');
  return readRows(session);
}

/** Takes the backup that the strategy promises; with `rehearse` it is restored, and that runs in the copy. */
async function backUp(
  operation: Operation,
  { session, state, plan }: GuardedRun,
  rehearse: Rehearse | undefined,
): Promise<Backup | undefined> {
  const { backup, insists } = operation.settings.strategy;
  if (backup === 'none') return undefined;
  const { takeBackup } = await import('./backup/take.ts');
  const { findTouched } = await import('./backup/touched.ts');
  const incremental = backup === 'incremental';
  return takeBackup(operation, session, state, {
    kind: backup,
    verified: insists || rehearse !== undefined,
    ...(incremental ? { touched: (await findTouched(session, state, plan.steps)).needed } : {}),
    ...(rehearse === undefined ? {} : { rehearse }),
  });
}

/** The files always; the specification once nothing is pending, which is what it describes. */
async function compareAfter(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  migrations: readonly Migration[],
): Promise<{ readonly comparisons: readonly Comparison[]; readonly scope: Scope }> {
  const { specification } = operation.settings;
  return operation.deadline.during('compliance', async () => {
    const live = await readCatalog(session, state.tables);
    const files = await compareWithFiles(operation, session, state, migrations, live);
    const complete = appliedMigrations(migrations, state).length === migrations.length;
    const { scope } = files;
    if (specification === undefined || !complete) return { comparisons: [files], scope };
    const specified = await compareWithSpecification(operation, session, state, specification, files);
    return { comparisons: [files, specified], scope };
  });
}
