import { BlockWatch } from './block-watch.ts';
import { recordsIn, type TrackedStep } from './bookkeeping.ts';
import { LockLostError, withEvidence } from './errors.ts';
import type { Tables } from './history.ts';
import { type Direction, type Migration, titleOf } from './migration.ts';
import type { Operation } from './operation.ts';
import type { Step } from './plan.ts';
import { type Session, SessionLostError } from './session.ts';
import { StepError, StepRunner } from './step.ts';
import { describeSilence, describeStepFailure, describeStop } from './step-failure.ts';

/** A step that landed. */
export interface AppliedStep {
  readonly direction: Direction;
  readonly version: bigint;
  readonly label: string;
  readonly description: string;
  readonly milliseconds: number;
}

/** What to run, where. */
export interface ApplyOptions {
  readonly steps: readonly Step[];
  readonly migrations: readonly Migration[];
  readonly tables: Tables;
  readonly role: string;
  /** What golang-migrate's row holds before the first step. */
  readonly from: bigint | undefined;
  /** Grows as steps land, so that it is right also when this throws. */
  readonly applied: AppliedStep[];
  /** The key of the lock that `session` holds; undefined in a database that nobody else knows yet. */
  readonly lock?: bigint;
  /** What steps wait for, outside any transaction. */
  readonly waits?: Waits | undefined;
}

/** What a step waits for before it begins. */
export interface Waits {
  concerns(step: Step): boolean;
  await(session: Session, step: Step): Promise<void>;
}

/**
 * Runs `steps` in order and stops at the first that fails, at the deadline, or when interrupted.
 *
 * @throws {MigrationFailedError} {DeadlinePassedError} {InterruptedError} with what was applied and what was not run
 * @throws {SessionLostError} when the connection went
 */
export async function applySteps(
  operation: Operation,
  session: Session,
  options: ApplyOptions,
): Promise<void> {
  const { steps, applied } = options;
  const byVersion = new Map(options.migrations.map((migration) => [migration.version, migration]));
  const bookkeeping = recordsIn(options.tables, options.lock);
  const runner = new StepRunner(operation, session, bookkeeping, options.role);
  const watch = new BlockWatch(operation, session);
  operation.onLastMoment(() => watch.look());
  let from = options.from;
  try {
    for (const [index, step] of steps.entries()) {
      const rest = steps.slice(index + 1);
      const failure = { operation, session, applied, rest, step, database: session.parameters.database };
      if (operation.signal.aborted) throw describeStop(failure);
      if (options.waits?.concerns(step) === true) await options.waits.await(session, step);
      const [following] = rest;
      const followsAtOnce = following !== undefined && options.waits?.concerns(following) !== true;
      const tracked: TrackedStep = { step, migration: byVersion.get(step.version), from };
      const startedAt = performance.now();
      try {
        await operation.deadline.during('sql', () =>
          watch.during(titleOf(step), () => runner.run(tracked, followsAtOnce)),
        );
      } catch (error) {
        if (error instanceof SessionLostError && operation.signal.aborted)
          throw describeSilence(failure, error);
        if (error instanceof LockLostError) throw withEvidence(error, step.file.path);
        if (!(error instanceof StepError)) throw error;
        throw await describeStepFailure(error, { ...failure, blockage: watch.seen });
      }
      const milliseconds = performance.now() - startedAt;
      const { direction, version, label, description } = step;
      applied.push({ direction, version, label, description, milliseconds });
      operation.log.info(progressLine(step, milliseconds), {
        version: String(version),
        direction,
        milliseconds: Math.round(milliseconds),
      });
      from = step.resultVersion === -1n ? undefined : step.resultVersion;
    }
  } finally {
    operation.onLastMoment(undefined);
    await Promise.all([runner.end(), watch.close()]);
  }
}

/** `000005 add_index … 12 ms` */
function progressLine({ label, description, direction }: Step, milliseconds: number): string {
  return `${titleOf({ label, description })}${direction === 'down' ? ' (down)' : ''} … ${Math.round(milliseconds)} ms`;
}
