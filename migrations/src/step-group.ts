import type { DatabaseError } from 'pg';
import type { Records, TrackedStep } from './bookkeeping.ts';
import { LockLostError } from './errors.ts';
import type { Statement } from './migration.ts';
import type { Operation } from './operation.ts';
import type { Step } from './plan.ts';
import { lockLost } from './record-sql.ts';
import type { Session } from './session.ts';
import { discard, durable, limitsOf, reset, StepError, type StepRunner } from './step.ts';

/** Steps that share a transaction: the locks of a few hundred new objects fit into every server's lock table. */
const mostSteps = 50;
/** After this long a transaction ends with the step that is running, so that what landed is told of. */
const longestMilliseconds = 250;
/** Sent at once; see step.ts. */
const batchSize = 64;
/** Takes no longer on a development database than its parsing, and behaves in company as it does alone. */
const quick = /^(create|alter|drop|comment|grant|revoke)\b/i;
const fewRows = /^insert\b(?!.*\b(select|returning)\b)/is;
const longestInsert = 10_000;
/** Settings and temporary tables are cleared away behind a group, not between its steps. */
const leavesTraces = /\bset_config\b|^create\s+((local|global)\s+)?temp/i;
/** CREATE TABLE … AS and a view that is filled read whole tables, and ADD VALUE counts from the next transaction on. */
const slow = /^create\b.*\b(as\s+(select|table|values|with|execute)|materialized)\b|^alter\s+type\b/is;

/** Whom a group tells of its steps. */
export interface GroupListener {
  /** Called with the place of the step that runs now. */
  running(index: number): void;
  /** Called once, with the milliseconds of each step that landed, the first ones of the group. */
  landed(milliseconds: readonly number[]): void;
}

/** How many steps from `from` on, and before `until`, share a transaction: 1 at least. */
export function groupLength(steps: readonly Step[], from: number, until: number): number {
  const most = Math.min(until - from, mostSteps);
  let length = 0;
  while (length < most && mayShare(steps[from + length])) length += 1;
  return Math.max(1, length);
}

function mayShare(step: Step | undefined): boolean {
  return (
    step?.direction === 'up' &&
    // Where nothing is sent, nothing answers: such a step ends by itself.
    step.file.statements.length > 0 &&
    step.file.statements.every(
      (statement) => statement.outsideTransaction === undefined && isQuick(statement),
    )
  );
}

function isQuick({ text }: Statement): boolean {
  if (leavesTraces.test(text)) return false;
  return quick.test(text) ? !slow.test(text) : text.length < longestInsert && fewRows.test(text);
}

/**
 * Runs neighbouring steps in one transaction, for databases that may be recreated: the disk is waited for once, Postgres is asked
 * once for many statements, and all steps are recorded at once. To whoever looks it is as if each had run alone: when one fails,
 * those before it run again without it, and then it by itself, which tells whether it only minded the company.
 */
export class GroupRunner {
  readonly #operation: Operation;
  readonly #session: Session;
  readonly #bookkeeping: Records;
  readonly #runner: StepRunner;

  constructor(operation: Operation, session: Session, bookkeeping: Records, runner: StepRunner) {
    this.#operation = operation;
    this.#session = session;
    this.#bookkeeping = bookkeeping;
    this.#runner = runner;
  }

  /**
   * @param last whether nothing of the run follows: then the disk is waited for, and with it for all that went before
   * @returns the steps that must run alone, by their places in the group, when none landed; undefined when all of them did, or as
   *   many as there was time for
   * @throws {StepError} when the run was cancelled meanwhile; nothing of the group remains
   * @throws {SessionLostError} when the connection went; only the history knows what landed
   */
  async run(
    group: readonly TrackedStep[],
    last: boolean,
    listener: GroupListener,
  ): Promise<Places | undefined> {
    await this.#runner.takeTransaction();
    const startedAt = performance.now();
    const ends: number[] = [];
    while (ends.length < group.length) {
      const from = ends.length;
      const failed = await this.#send(group.slice(from, from + batchLength(group, from)), from === 0, () => {
        ends.push(performance.now());
        listener.running(ends.length);
      });
      if (failed !== undefined) return this.#giveUp(group, from + failed.step, failed);
      if (performance.now() - startedAt > longestMilliseconds) break;
    }
    const now = performance.now();
    const timed = ends.map((end, index) => ({
      ...(group[index] as TrackedStep),
      milliseconds: end - (ends[index - 1] ?? startedAt),
      ago: now - end,
    }));
    const isLast = last && timed.length === group.length;
    const record = `${reset}; ${isLast ? durable : relaxed}; ${this.#bookkeeping.landedTogether(timed)}`;
    const [refused, notCommitted] = await this.#session.batch([record, 'commit']);
    if (refused?.code === lockLost) throw new LockLostError(refused);
    if (refused !== undefined || notCommitted !== undefined) {
      // A deferred constraint, say: which step it is about, each of them shows alone.
      return { from: 0, until: timed.length };
    }
    await this.#session.query(discard);
    listener.landed(timed.map(({ milliseconds }) => milliseconds));
    return undefined;
  }

  /** Sends the statements of some steps at once; returns the first failure. */
  async #send(steps: readonly TrackedStep[], first: boolean, done: () => void): Promise<Failed | undefined> {
    const places = steps.flatMap(({ step: { file } }, step) =>
      file.statements.map((statement, index) => ({
        step,
        statement,
        last: index === file.statements.length - 1,
      })),
    );
    const texts = places.map(({ statement }) => statement.text);
    const before = first ? [limitsOf(this.#operation, 'local')] : [];
    const outcomes = await this.#session.batch([...before, ...texts], (index) => {
      if (places[index - before.length]?.last === true) done();
    });
    const index = outcomes.findIndex((outcome) => outcome !== undefined);
    const error = outcomes[index];
    if (error === undefined) return undefined;
    const place = places[Math.max(0, index - before.length)];
    return { error, step: place?.step ?? 0, statement: index < before.length ? undefined : place?.statement };
  }

  async #giveUp(group: readonly TrackedStep[], step: number, { error, statement }: Failed): Promise<Places> {
    const { aborted } = this.#operation.signal;
    // A cancel request that is still under way must not hit this.
    if (aborted) this.#session.settle();
    await this.#session.query('rollback');
    const tracked = group[step];
    if (aborted && tracked !== undefined) throw new StepError(tracked, error, statement, 'rolled back');
    return { from: step, until: step + 1 };
  }
}

interface Places {
  readonly from: number;
  readonly until: number;
}

interface Failed {
  readonly error: DatabaseError;
  /** Which of the steps that were sent. */
  readonly step: number;
  readonly statement: Statement | undefined;
}

/** How many steps from `from` on are sent at once: one at least, and no more statements than a batch has. */
function batchLength(group: readonly TrackedStep[], from: number): number {
  let statements = 0;
  const end = group.findIndex(({ step }, index) => {
    if (index < from) return false;
    statements += step.file.statements.length;
    return statements > batchSize && index > from;
  });
  return (end === -1 ? group.length : end) - from;
}

/** The next commit waits for the disk, and with it for this one. */
const relaxed = `select set_config('synchronous_commit', 'off', true) where current_setting('synchronous_commit') = 'on'`;
