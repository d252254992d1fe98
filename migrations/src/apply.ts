import { BlockWatch } from './block-watch.ts';
import { type Records, recordsIn, type TrackedStep } from './bookkeeping.ts';
import { LockLostError, withEvidence } from './errors.ts';
import type { Tables } from './history.ts';
import { type Direction, type Migration, titleOf } from './migration.ts';
import type { Operation } from './operation.ts';
import type { Step } from './plan.ts';
import { beginOwnWork } from './recreate/authorship.ts';
import { type Session, SessionLostError } from './session.ts';
import { StepError, StepRunner } from './step.ts';
import { describeSilence, describeStepFailure, describeStop, type StepSurroundings } from './step-failure.ts';
import { type GroupListener, GroupRunner, groupLength } from './step-group.ts';

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
  /** Whether neighbours may share a transaction, because the database may be recreated; see step-group.ts. */
  readonly grouped?: boolean;
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
  // A database that nobody else knows yet is marked as lockstep's own when it is made.
  const sign = options.lock === undefined ? '' : await beginOwnWork(session, options.tables);
  const bookkeeping = recordsIn(options.tables, options.lock, sign);
  const runner = new StepRunner(operation, session, bookkeeping, options.role);
  const watch = new BlockWatch(operation, session);
  operation.onLastMoment(() => watch.look());
  try {
    await new Application(operation, session, options, { bookkeeping, runner, watch }).run();
  } finally {
    operation.onLastMoment(undefined);
    await Promise.all([runner.end(), watch.close()]);
  }
}

/** What an application of steps works with. */
interface Tools {
  readonly bookkeeping: Records;
  readonly runner: StepRunner;
  readonly watch: BlockWatch;
}

class Application {
  readonly #operation: Operation;
  readonly #session: Session;
  readonly #options: ApplyOptions;
  readonly #tools: Tools;
  readonly #byVersion: ReadonlyMap<bigint, Migration>;
  /** The next step. */
  #index = 0;
  #from: bigint | undefined;
  /** The steps of a group that failed, by their places: they run alone. */
  #alone = { from: 0, until: 0 };

  constructor(operation: Operation, session: Session, options: ApplyOptions, tools: Tools) {
    this.#operation = operation;
    this.#session = session;
    this.#options = options;
    this.#tools = tools;
    this.#byVersion = new Map(options.migrations.map((migration) => [migration.version, migration]));
    this.#from = options.from;
  }

  async run(): Promise<void> {
    const { steps } = this.#options;
    while (this.#index < steps.length) {
      const length = this.#groupLength();
      if (length > 1) await this.#runGroup(steps.slice(this.#index, this.#index + length));
      else await this.#runOne();
    }
  }

  /** How many steps run now, in one transaction. */
  #groupLength(): number {
    const { steps, waits, grouped } = this.#options;
    const [index, { from, until }] = [this.#index, this.#alone];
    if (grouped !== true || (index >= from && index < until)) return 1;
    const length = groupLength(steps, index, index < from ? from : steps.length);
    const waiting = steps.slice(index, index + length).findIndex((step) => waits?.concerns(step));
    return waiting === -1 ? length : Math.max(1, waiting);
  }

  async #runOne(): Promise<void> {
    const { steps, waits } = this.#options;
    const step = steps[this.#index];
    if (step === undefined) return;
    if (this.#operation.signal.aborted) throw describeStop(this.#around(step));
    if (waits?.concerns(step) === true) await waits.await(this.#session, step);
    const following = steps[this.#index + 1];
    const followsAtOnce = following !== undefined && waits?.concerns(following) !== true;
    const startedAt = performance.now();
    await this.#watched(
      step,
      () => titleOf(step),
      () => this.#tools.runner.run(this.#track(step, this.#from), followsAtOnce),
    );
    this.#landed(step, performance.now() - startedAt);
  }

  async #runGroup(group: readonly Step[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    if (this.#operation.signal.aborted) throw describeStop(this.#around(first));
    const { bookkeeping, runner } = this.#tools;
    const start = this.#index;
    const tracked = group.map((step, index) =>
      this.#track(step, group[index - 1]?.resultVersion ?? this.#from),
    );
    let running = first;
    const listener: GroupListener = {
      running: (index) => {
        running = group[index] ?? running;
      },
      landed: (milliseconds) => {
        for (const [index, step] of group.slice(0, milliseconds.length).entries())
          this.#landed(step, milliseconds[index] ?? 0);
      },
    };
    const groups = new GroupRunner(this.#operation, this.#session, bookkeeping, runner);
    const isLast = start + group.length === this.#options.steps.length;
    const failed = await this.#watched(
      first,
      () => titleOf(running),
      () => groups.run(tracked, isLast, listener),
    );
    if (failed !== undefined) this.#alone = { from: start + failed.from, until: start + failed.until };
  }

  /** Runs what runs `step`, or a group of which it is the first, under the watch; explains how it failed. */
  async #watched<T>(step: Step, title: () => string, work: () => Promise<T>): Promise<T> {
    const { operation, watch } = { operation: this.#operation, watch: this.#tools.watch };
    try {
      return await operation.deadline.during('sql', () => watch.during(title, work));
    } catch (error) {
      const failed = error instanceof StepError ? error.tracked.step : step;
      const around = this.#around(failed);
      if (error instanceof SessionLostError && operation.signal.aborted) throw describeSilence(around, error);
      if (error instanceof LockLostError) throw withEvidence(error, failed.file.path);
      if (!(error instanceof StepError)) throw error;
      throw await describeStepFailure(error, { ...around, blockage: watch.seen });
    }
  }

  #track(step: Step, from: bigint | undefined): TrackedStep {
    return { step, migration: this.#byVersion.get(step.version), from };
  }

  #around(step: Step): StepSurroundings {
    const { steps, applied } = this.#options;
    const { database } = this.#session.parameters;
    // Steps of a group that were rolled back with this one are to be run as those behind it are.
    const rest = steps.slice(this.#index).filter((other) => other !== step);
    return { operation: this.#operation, session: this.#session, applied, rest, step, database };
  }

  #landed(step: Step, milliseconds: number): void {
    const { direction, version, label, description } = step;
    this.#options.applied.push({ direction, version, label, description, milliseconds });
    this.#operation.log.info(progressLine(step, milliseconds), {
      version: String(version),
      direction,
      milliseconds: Math.round(milliseconds),
    });
    if (direction === 'up' && step.file.statements.length === 0)
      this.#operation.log.warn(`${step.file.name} has no statement; ${titleOf(step)} counts as applied`);
    this.#from = step.resultVersion === -1n ? undefined : step.resultVersion;
    this.#index += 1;
  }
}

/** `000005 add_index … 12 ms` */
function progressLine({ label, description, direction }: Step, milliseconds: number): string {
  return `${titleOf({ label, description })}${direction === 'down' ? ' (down)' : ''} … ${Math.round(milliseconds)} ms`;
}
