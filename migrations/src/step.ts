import { DatabaseError } from 'pg';
import type { Records, TrackedStep } from './bookkeeping.ts';
import { LockLostError } from './errors.ts';
import { quoteIdentifier } from './identifiers.ts';
import { findInvalidIndexes } from './invalid-indexes.ts';
import { type Statement, titleOf } from './migration.ts';
import type { Operation } from './operation.ts';
import { lockLost } from './record-sql.ts';
import { markPartitioned } from './run/partitioned.ts';
import { groupStatements, isWhole, type StatementGroup } from './run/statement-groups.ts';
import type { Outcome, Session } from './session.ts';

/** How a step ended that did not end well. */
export class StepError extends Error {
  readonly tracked: TrackedStep;
  override readonly cause: DatabaseError;
  /** The statement that failed; undefined when Postgres refused the commit or the record. */
  readonly statement: Statement | undefined;
  /** `half-way` leaves the database dirty. */
  readonly left: 'rolled back' | 'withdrawn' | 'half-way';
  /** How many statements landed, when half-way. */
  readonly landed: number;

  constructor(
    tracked: TrackedStep,
    cause: DatabaseError,
    statement: Statement | undefined,
    left: StepError['left'],
    landed = 0,
  ) {
    super(cause.message);
    this.name = 'StepError';
    this.tracked = tracked;
    this.cause = cause;
    this.statement = statement;
    this.left = left;
    this.landed = landed;
  }
}

/** Undoes what a migration may have SET, so that neither our record nor the next step runs under it. */
export const reset = 'reset session authorization; reset role; reset all';
/**
 * Reported migrations survive a crash of the server: the app that starts on it may be told first. Other values
 * of the setting wait for at least as much as `on` does, or for the disk of this server.
 */
export const durable = `select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'`;
/** What RESET leaves. DISCARD ALL would let go of the lock. */
export const discard = 'discard temp; deallocate all; close all; unlisten *';
/** Clears up after one step and opens the transaction of the next. */
const opening = [discard, 'begin'];
/** Sent at once; after a failure Postgres refuses and logs each statement that is under way. */
const batchSize = 32;
/** Deadlock, serialization failure, a lock_timeout that the migration set itself. */
const passing = new Set(['40P01', '40001', '55P03']);
const firstPause = 50;
const longestPause = 1000;
/** Errors of the parser and the analysis: raised before the statement did anything. */
const unstarted = /^42/;

/** Runs steps one after the other on one session. */
export class StepRunner {
  readonly #operation: Operation;
  readonly #session: Session;
  readonly #bookkeeping: Records;
  /** For records between the statements of a step, whose own SETs must outlast them. */
  readonly #ownRole: string;
  #open = false;

  /** @param role who connected, or became by a setting of the login role */
  constructor(operation: Operation, session: Session, bookkeeping: Records, role: string) {
    this.#operation = operation;
    this.#session = session;
    this.#bookkeeping = bookkeeping;
    this.#ownRole = `set local role ${quoteIdentifier(role)}; ${durable}`;
  }

  /**
   * Runs a step and records it.
   *
   * @param next whether another step follows; its transaction is then opened in the same round trip
   * @throws {StepError} when Postgres refused a statement
   * @throws {SessionLostError} when the connection went; only the history knows whether the step landed
   */
  async run(tracked: TrackedStep, next: boolean): Promise<void> {
    const written = tracked.step.file.statements;
    const statements = await markPartitioned(this.#session, written, () => this.end());
    const isOwn = statements.every(
      ({ outsideTransaction, control }) => outsideTransaction === undefined && control === undefined,
    );
    if (isOwn) await this.#runInTransaction(tracked, next);
    else await this.#runOutside(tracked, groupStatements(statements));
  }

  /** Begins the transaction of what runs outside of this, unless it is open already. */
  async takeTransaction(): Promise<void> {
    if (!this.#open) await this.#session.query('begin');
    this.#open = false;
  }

  /** Ends a transaction that was opened for a step that never came. */
  async end(): Promise<void> {
    if (this.#open) await this.#session.query('rollback').catch(() => {});
    this.#open = false;
  }

  async #runInTransaction(tracked: TrackedStep, next: boolean): Promise<void> {
    const { statements } = tracked.step.file;
    const record = `${reset}; ${durable}; ${this.#bookkeeping.landed(tracked)}`;
    await this.#retry(async () => {
      const limits = { text: limitsOf(this.#operation, 'local') };
      const texts = [limits, ...statements.map(toSent), { text: record }];
      const failed = await this.#transact(
        { texts, record: true, end: { text: 'commit' }, chain: false },
        next,
      );
      return failed && new StepError(tracked, failed.error, failed.statement, 'rolled back');
    });
  }

  /**
   * Dirty from the first statement to the last; each transaction of the file that ended is counted, also for a run that is
   * killed.
   */
  async #runOutside(tracked: TrackedStep, groups: readonly StatementGroup[]): Promise<void> {
    const startedAt = performance.now();
    await this.end();
    // Once: a lower lock_timeout that the migration sets must hold for the statements after it.
    const isRepeatable = groups.every(({ alone }) => alone === undefined);
    await this.#session.query(limitsOf(this.#operation, 'session', isRepeatable));
    await this.#commit(this.#bookkeeping.begun(tracked));
    let landed = 0;
    let remains = false;
    for (const group of groups) {
      const advanced = this.#bookkeeping.advanced(tracked, landed + group.statements.length);
      // A transaction that begins as the one before ended, with its modes, cannot be begun anew.
      const mayRetry = !group.alone && !this.#open;
      await this.#retry(async () => {
        const failed = await this.#runPart(group, advanced);
        if (failed === undefined) return undefined;
        const nothing = !remains && (await this.#changedNothing(group, failed.error));
        if (!nothing) return new StepError(tracked, failed.error, failed.statement, 'half-way', landed);
        return new StepError(tracked, failed.error, failed.statement, 'withdrawn');
      }, mayRetry).catch(async (error) => {
        if (error instanceof StepError && error.left === 'withdrawn') {
          this.#session.settle();
          await this.#commit(this.#bookkeeping.withdrawn(tracked));
        }
        throw error;
      });
      landed += group.statements.length;
      remains ||= !group.isTakenBack;
    }
    await this.end();
    await this.#warnOfInvalidIndexes(tracked);
    await this.#commit(this.#bookkeeping.finished(tracked, performance.now() - startedAt));
    await this.#session.query(`${reset}; ${discard}`);
  }

  /** Runs one transaction of a file, and records that it ended: in it where that can be. */
  async #runPart(group: StatementGroup, advanced: string): Promise<Failed | undefined> {
    const { alone, isRecordedApart, end } = group;
    if (alone !== undefined) return this.#runAlone(alone, advanced);
    const texts = group.statements.flatMap(sentInside);
    const record = isRecordedApart ? [] : [{ text: `${this.#ownRole}; ${advanced}` }];
    const chain = end?.control?.chain === true;
    const transaction = {
      texts: [...texts, ...record],
      record: record.length > 0,
      end: end === undefined ? { text: 'commit' } : toSent(end),
      chain,
    };
    const failed = await this.#transact(transaction, false);
    // Chained, the next transaction is open already; it counts what of this one left nothing.
    if (failed === undefined && isRecordedApart && !chain) await this.#commit(advanced);
    return failed;
  }

  /**
   * Runs the texts of one transaction in one round trip, or a few. Returns the first failure; nothing of it remains then.
   *
   * The BEGIN is never sent together with what follows it: if a cancel request hit just that, the rest would run
   * without a transaction. It travels at the end of the batch before instead.
   */
  async #transact({ texts, record, end, chain }: Transaction, next: boolean): Promise<Failed | undefined> {
    await this.takeTransaction();
    for (let from = 0; from === 0 || from < texts.length; from += batchSize) {
      const some = texts.slice(from, from + batchSize).map(({ text }) => text);
      const last = from + batchSize >= texts.length;
      const outcomes = await this.#session.batch(last ? [...some, end.text, ...(next ? opening : [])] : some);
      const index = outcomes.findIndex((outcome) => outcome !== undefined);
      this.#open = last && (next ? outcomes.at(-1) === undefined : chain && index === -1);
      const error = outcomes[index];
      // What comes after the commit belongs to the next step, and is seen to there.
      if (error === undefined || index > some.length) continue;
      // A transaction that failed is chained to another one all the same.
      if (!last || (chain && index < some.length)) await this.#session.query('rollback');
      const isRecord = record && last && index === some.length - 1;
      if (error.code === lockLost && isRecord) throw new LockLostError(error);
      return { error, statement: index === some.length ? end.statement : texts[from + index]?.statement };
    }
    return undefined;
  }

  async #runAlone(statement: Statement, advanced: string): Promise<Failed | undefined> {
    const [error]: Outcome[] = await this.#session.batch([statement.text]);
    if (error !== undefined) return { error, statement };
    await this.#commit(advanced);
    return undefined;
  }

  /**
   * A build that fails leaves an invalid index, a detach that fails a partition half detached, a procedure what it
   * committed. Everything else is one transaction.
   */
  async #changedNothing({ alone }: StatementGroup, error: DatabaseError): Promise<boolean> {
    if (alone === undefined || isWhole(alone)) return true;
    // Raised in a routine: it may have committed before.
    if (!unstarted.test(error.code ?? '') || error.where !== undefined) return false;
    const [row] = await this.#session.query(
      `select exists (select from pg_index i join pg_class c on c.oid = i.indexrelid where not i.indisvalid and c.relkind = 'i')
         or exists (select from pg_inherits where inhdetachpending) as remains`,
    );
    return row?.['remains'] === false;
  }

  /** CREATE INDEX CONCURRENTLY IF NOT EXISTS is content with what an earlier attempt left. */
  async #warnOfInvalidIndexes({ step }: TrackedStep): Promise<void> {
    if (!step.file.statements.some(({ outsideTransaction }) => /INDEX/.test(outsideTransaction ?? '')))
      return;
    for (const name of await findInvalidIndexes(this.#session)) {
      this.#operation.log.warn(
        `${titleOf(step)}: the index ${name} is invalid and not used; REINDEX INDEX CONCURRENTLY repairs it`,
      );
    }
  }

  async #commit(texts: string): Promise<void> {
    await this.#session.query('begin');
    try {
      await this.#session.query(`${this.#ownRole}; ${texts}`);
    } catch (error) {
      await this.#session.query('rollback').catch(() => {});
      throw error instanceof DatabaseError && error.code === lockLost ? new LockLostError(error) : error;
    }
    await this.#session.query('commit');
  }

  /** Tries again what only met another transaction at the wrong moment, until the deadline. */
  async #retry(attempt: () => Promise<StepError | undefined>, allowed = true): Promise<void> {
    const { deadline, signal, log } = this.#operation;
    for (let pause = firstPause; ; pause = Math.min(longestPause, pause * 2)) {
      const failed = await attempt();
      if (failed === undefined) return;
      const { code, message } = failed.cause;
      if (!allowed || !passing.has(code ?? '') || signal.aborted || deadline.remaining() < pause)
        throw failed;
      log.warn(`${titleOf(failed.tracked.step)}: ${message} (${code}); trying again`, { code });
      await deadline.sleep(pause * (0.5 + Math.random()), signal);
      if (signal.aborted) throw failed;
    }
  }
}

/**
 * What is set before the first statement of a step. The strategy's limit for table locks holds where every transaction can be begun
 * anew: whoever queues for a lock makes all others queue behind it. CREATE INDEX CONCURRENTLY and its like block nobody,
 * and would leave half of their work.
 */
export function limitsOf(
  { deadline, settings }: Operation,
  scope: 'local' | 'session',
  isRepeatable = scope === 'local',
): string {
  const left = Math.max(1, Math.ceil(deadline.remaining()));
  const most = isRepeatable ? settings.strategy.lockTimeoutMilliseconds : undefined;
  return `set ${scope} statement_timeout = ${left}; set ${scope} lock_timeout = ${Math.min(left, most ?? left)}`;
}

interface Failed {
  readonly error: DatabaseError;
  readonly statement: Statement | undefined;
}

/** A text that is sent, and the statement it is of. */
interface Sent {
  readonly text: string;
  readonly statement?: Statement;
}

/** What runs between a BEGIN and the end of its transaction. */
interface Transaction {
  readonly texts: readonly Sent[];
  /** Whether the last of them is the record. */
  readonly record: boolean;
  readonly end: Sent;
  /** Whether the end begins another one. */
  readonly chain: boolean;
}

function toSent(statement: Statement): Sent {
  return { text: statement.text, statement };
}

/** The transaction is begun already: of a BEGIN what it asks for is left. */
function sentInside(statement: Statement): Sent[] {
  const { control } = statement;
  if (control === undefined) return [toSent(statement)];
  return control.kind === 'begin' && control.modes !== ''
    ? [{ text: `set transaction ${control.modes}`, statement }]
    : [];
}
