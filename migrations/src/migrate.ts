import { watchTables } from './affected-tables.ts';
import { type AppliedStep, applySteps } from './apply.ts';
import type { Consent } from './approval/approve.ts';
import { prepareTables } from './bookkeeping.ts';
import { catchUp } from './catch-up.ts';
import type { Settings } from './config.ts';
import type { DatabaseProperties } from './database-properties.ts';
import { openGate, tellOthers } from './dependencies/open-gate.ts';
import { warnDependents } from './dependents.ts';
import { ConnectionLostError, ReceiptDisagreesError } from './errors.ts';
import type { Guard, GuardRecord } from './guard.ts';
import { describeDisagreement, healReceipt } from './history/agreement.ts';
import type { DatabaseState } from './history.ts';
import type { PlanResult } from './inspect.ts';
import { withLock } from './lock.ts';
import { lockOptions } from './lock-options.ts';
import { type Migration, titleOf } from './migration.ts';
import { type Hooks, type Operation, operate } from './operation.ts';
import { type Anomaly, computePlan, type Plan, type Target } from './plan.ts';
import type { PreviousDatabases } from './recreate/previous.ts';
import { refusal } from './refusal.ts';
import { type Session, SessionLostError } from './session.ts';
import { decide, isGuarded, judge, mayRecreate, requireDevelopment } from './strategy.ts';
import { readWatched } from './watched-read.ts';

/** What a command that changes the database did. */
export interface MigrateResult {
  readonly outcome: 'nothing to do' | 'migrated' | 'recreated' | 'undone';
  readonly database: string;
  /** What golang-migrate's row held before, and holds now; undefined for none. */
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
  readonly steps: readonly AppliedStep[];
  /** Migrations without a file that were taken back first, by the SQL in the history. */
  readonly takenBack: readonly AppliedStep[];
  /** How many migrations came with the copy of a template that a recreate began with. */
  readonly copied?: number;
  /** Why the database was recreated. */
  readonly anomalies: readonly Anomaly[];
  /** The previous database that `undo` brings back after a recreate or undo. */
  readonly kept: string | undefined;
  /** After a recreate or undo: every database that is kept now, the newest (`kept`) first, and those that are dropped, each with why. */
  readonly previous?: PreviousDatabases;
  readonly milliseconds: number;
  /** Tables that the run made, changed or dropped, by the catalogs; undefined where nobody wanted to know. */
  readonly affectedTables: readonly string[] | undefined;
  /** What the strategy's safeguards did; undefined where it has none. */
  readonly safeguards: GuardRecord | undefined;
}

/** A connection that is lost while the same step runs, this often, is no accident. */
const mostLosses = 3;

/** Nobody said yes beforehand. */
const noConsent: Consent = { yes: false, approvedFile: undefined };

/**
 * Migrates to `target`, with the settings' strategy. Where that promises safeguards (backup, validation, approval), the run begins
 * once everything that can be looked at before is right and somebody agreed.
 *
 * When nothing is to be done it takes no lock. Otherwise it takes it, reads again, and decides: racing migrators apply
 * each step once. A lost connection is opened again within the timeout, and what landed is read from the history.
 *
 * @throws {Failure} see errors.ts
 */
export async function migrateTo(
  settings: Settings,
  target: Target,
  hooks: Hooks = {},
  consent: Consent = noConsent,
): Promise<MigrateResult> {
  return begin(settings, target, { anew: false, consent }, hooks);
}

/**
 * Builds the database anew beside the old whether or not anything is wrong with it; see recreate.ts.
 *
 * @throws {RecreateRefusedError} where the environment is not development or the role may not
 */
export async function recreateDatabase(settings: Settings, hooks: Hooks = {}): Promise<MigrateResult> {
  requireDevelopment(settings, 'recreate');
  return begin(settings, { kind: 'latest' }, { anew: true, consent: noConsent }, hooks);
}

/** How a run is begun. */
interface Beginning {
  /** Whether the database is built anew whatever its state. */
  readonly anew: boolean;
  readonly consent: Consent;
}

async function begin(
  settings: Settings,
  target: Target,
  { anew, consent }: Beginning,
  hooks: Hooks,
): Promise<MigrateResult> {
  let watch: Guard | undefined;
  // A recreate that was asked for by name keeps the database as it was.
  if (!anew && (isGuarded(settings.strategy) || consent.approvedFile !== undefined)) {
    const { askFor } = await import('./guarded.ts');
    const startedAt = performance.now();
    const permission = await askFor(settings, target, consent, hooks);
    if ('nothing' in permission) return nothingToDo(permission.nothing, performance.now() - startedAt);
    watch = permission.guard;
  }
  return operate(settings, hooks, async (operation) => {
    const result = await run(operation);
    await tellOthers(operation);
    return result;
  });

  async function run(operation: Operation): Promise<MigrateResult> {
    // First, so that Postgres starts its process while the files are read.
    const connecting = operation.connect();
    connecting.catch(() => {});
    // A wrong file ends the run at once, so nobody waits for a database that will not be used.
    const reading = operation.load();
    let migrations: readonly Migration[];
    try {
      migrations = await reading;
    } catch (error) {
      void connecting.then((session) => session.close()).catch(() => {});
      throw error;
    }
    const run = new Run(operation, migrations, target, anew, watch);
    const result = await run.finish(connecting);
    await run.keepTemplate();
    return result;
  }
}

function nothingToDo({ database, version }: PlanResult, milliseconds: number): MigrateResult {
  return {
    outcome: 'nothing to do',
    database,
    from: version,
    to: version,
    steps: [],
    takenBack: [],
    anomalies: [],
    kept: undefined,
    milliseconds,
    affectedTables: undefined,
    safeguards: undefined,
  };
}

/** One `up` or `down`, across lost connections. */
class Run {
  readonly #operation: Operation;
  readonly #migrations: readonly Migration[];
  readonly #applied: AppliedStep[] = [];
  #anew: boolean;
  /** Which database had the name when this run began. */
  #oid: number | undefined;
  /** What is still to be done of it. */
  #target: Target;
  readonly #asked: Target;
  /** The first plan, made under the lock or without when there was nothing to do. */
  #first: Plan | undefined;
  #waiting: Plan | undefined;
  readonly #guard: Guard | undefined;
  #affected: readonly string[] | undefined;
  readonly #takenBack: AppliedStep[] = [];
  /** What the database was before the first migration ever, when this run began with that. */
  #beginning: { readonly properties: DatabaseProperties; readonly state: DatabaseState } | undefined;

  constructor(
    operation: Operation,
    migrations: readonly Migration[],
    target: Target,
    anew: boolean,
    watch: Guard | undefined,
  ) {
    this.#guard = watch;
    this.#anew = anew;
    this.#operation = operation;
    this.#migrations = migrations;
    this.#target = target;
    this.#asked = target;
  }

  async finish(connecting: Promise<Session>): Promise<MigrateResult> {
    const { log, deadline, signal } = this.#operation;
    let next: Promise<Session> | undefined = connecting;
    for (let losses = 0, landed = 0; ; ) {
      const session: Session = await (next ?? this.#operation.connect());
      next = undefined;
      try {
        return await this.#attempt(session);
      } catch (error) {
        if (!(error instanceof SessionLostError) || signal.aborted || deadline.passed) throw error;
        losses = this.#applied.length > landed ? 1 : losses + 1;
        landed = this.#applied.length;
        if (losses >= mostLosses) throw this.#lostForGood(error, losses);
        log.warn(`the connection to Postgres was lost (${error.message}); connecting again`);
        await deadline.sleep(50, signal);
      } finally {
        await session.close();
      }
    }
  }

  /** After the run: of a database that it migrated from nothing, where that took long enough. */
  async keepTemplate(): Promise<void> {
    const took = this.#applied.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    if (this.#beginning === undefined || this.#applied.length !== this.#migrations.length) return;
    const { Templates } = await import('./templates/templates.ts');
    if (!Templates.isWorth(took, true)) return;
    const { properties, state } = this.#beginning;
    const { keepFirst } = await import('./templates/first-run.ts');
    const { database, tables } = state;
    await keepFirst(this.#operation, { database, properties, tables, migrations: this.#migrations });
  }

  async #attempt(session: Session): Promise<MigrateResult> {
    const { settings } = this.#operation;
    const glance = await this.#read(session);
    this.#oid ??= glance.oid;
    if (glance.oid !== this.#oid) {
      // By us, unseen, or by another recreate. Doing it again would drop the database that was kept.
      const undo = this.#operation.command('undo');
      this.#operation.log.warn(
        `${glance.database} was replaced by a new database meanwhile; ${undo} brings the old one back`,
      );
      this.#oid = glance.oid;
      this.#anew = false;
      this.#waiting = undefined;
      this.#applied.length = 0;
    }
    const early = this.#plan(glance);
    // What looks dirty without the lock may be a migrator at work.
    const open = this.#anew || this.#guard?.unfinished === true || glance.disagreement !== undefined;
    if (!open && early.steps.length === 0 && early.anomalies.length === 0) {
      return this.#result(glance, early);
    }
    return withLock(session, lockOptions(this.#operation, glance), async () => {
      let state = await this.#agree(session, await this.#read(session));
      let plan = this.#plan(state);
      if (await this.#takeBack(session, plan)) {
        state = await this.#read(session);
        plan = this.#plan(state);
      }
      const decision = this.#anew
        ? 'recreate'
        : decide(settings.strategy, plan, this.#target, settings.environment, (anomalies, reason) =>
            refusal(this.#operation, state, anomalies, reason),
          );
      if (decision !== 'rest' && this.#guard !== undefined) {
        const landed = this.#applied;
        const target = this.#asked;
        const run = { session, state, plan, target, decision, migrations: this.#migrations, landed };
        await this.#guard.before(this.#operation, run);
      }
      if (decision !== 'rest') await this.#operation.begins(plan.to);
      if (decision === 'recreate') {
        const { recreate } = await import('./recreate.ts');
        return recreate(this.#operation, session, {
          state,
          anomalies: plan.anomalies,
          migrations: this.#migrations,
          applied: this.#applied,
          origin: { copied: 0, spare: [] },
        });
      }
      if (decision === 'apply') {
        const { wantsTables, log } = this.#operation;
        const goesDown = plan.steps.some(({ direction }) => direction === 'down');
        // A guard has refused it before.
        if (goesDown && this.#guard === undefined) await warnDependents(log, session, plan.to);
        const tables = wantsTables ? await watchTables(session, state) : undefined;
        await this.#apply(session, state, plan);
        this.#affected = await tables?.();
      }
      if (this.#guard?.unfinished === true) {
        await this.#guard.after(this.#operation, { session, migrations: this.#migrations });
      }
      return this.#result(state, plan);
    });
  }

  /** Puts right a receipt that somebody changed by hand, in development; else says so. What is built anew needs none. */
  async #agree(session: Session, state: DatabaseState): Promise<DatabaseState> {
    const { disagreement } = state;
    if (disagreement === undefined || this.#anew) return state;
    const { settings, log, deadline } = this.#operation;
    const name = settings.service ?? state.database;
    if (settings.environment !== 'development') throw new ReceiptDisagreesError(name, disagreement);
    await this.#operation.begins(disagreement.history);
    await deadline.during('sql', async () => {
      await prepareTables(session, state, []);
      await healReceipt(session, state.tables, disagreement, lockOptions(this.#operation, state).key);
    });
    log.info(`${describeDisagreement(disagreement)}: it says ${disagreement.history} again`);
    return this.#read(session);
  }

  /** Another branch's migrations are taken back where that deletes nothing; see phantoms.ts. True when they are. */
  async #takeBack(session: Session, plan: Plan): Promise<boolean> {
    const { settings, log } = this.#operation;
    const missing = plan.anomalies.some(({ kind }) => kind === 'missing');
    if (this.#anew || this.#guard !== undefined || !missing) return false;
    if (judge(settings.strategy, plan, this.#target, settings.environment) !== 'recreate') return false;
    const { takeBackPhantoms } = await import('./phantoms.ts');
    const state = await readWatched(this.#operation, session, { downSql: true });
    await this.#operation.begins(plan.to);
    const back = await takeBackPhantoms(this.#operation, session, state, this.#migrations);
    if ('reason' in back) {
      log.info(`not taken back by down SQL, as that may delete something: ${back.reason}`);
      return false;
    }
    this.#takenBack.push(...back.steps);
    const names = back.steps.map((step) => titleOf(step)).join(', ');
    log.info(`taken back, as the file is gone and nothing was in it: ${names}`);
    return true;
  }

  async #apply(session: Session, state: DatabaseState, plan: Plan): Promise<void> {
    const { strategy, environment, templateBytes } = this.#operation.settings;
    const grouped = this.#guard === undefined && mayRecreate(strategy, this.#asked, environment);
    if (grouped && templateBytes > 0 && plan.from === undefined) {
      const { readBeforeFirst } = await import('./templates/first-run.ts');
      const properties = await readBeforeFirst(session, state);
      this.#beginning = properties && { properties, state };
    }
    await this.#operation.deadline.during('sql', () => prepareTables(session, state, plan.adopted));
    this.#waiting = plan;
    const gate = await openGate(this.#operation);
    const [lowest] = plan.steps.filter(({ direction }) => direction === 'down').slice(-1);
    if (lowest !== undefined) await gate?.mayGoDown(session, lowest.resultVersion);
    await applySteps(this.#operation, session, {
      steps: plan.steps,
      migrations: this.#migrations,
      tables: state.tables,
      role: state.role,
      from: plan.from,
      applied: this.#applied,
      lock: lockOptions(this.#operation, state).key,
      waits: gate,
      grouped,
    });
    this.#waiting = undefined;
  }

  #read(session: Session): Promise<DatabaseState> {
    return readWatched(this.#operation, session, {
      downSql: this.#target.kind === 'down' || this.#target.kind === 'goto',
    });
  }

  /** Plans; after a lost connection, first finds out which steps of the plan before it landed. */
  #plan(state: DatabaseState): Plan {
    const before = this.#waiting;
    if (before !== undefined) {
      this.#waiting = undefined;
      this.#catchUp(before, state);
    }
    // Nothing goes down from a dirty version: that, not a step without SQL, is then the trouble.
    const { kind } = this.#target;
    const stuck = state.history.current?.dirty === true && (kind === 'down' || kind === 'goto');
    const target: Target = stuck ? { kind: 'down', steps: 0 } : this.#target;
    const plan = computePlan(this.#migrations, state.history, target);
    this.#first ??= plan;
    return plan;
  }

  #catchUp(before: Plan, { history }: DatabaseState): void {
    const { landed, lost } = catchUp(this.#applied, before, history);
    if (lost.length > 0) {
      const labels = lost.map(({ label }) => label).join(', ');
      this.#operation.log.warn(`Postgres lost what it had confirmed: ${labels}; running it again`);
    }
    const target = this.#target;
    if ('steps' in target) this.#target = { ...target, steps: Math.max(0, target.steps - landed) };
  }

  #result(state: DatabaseState, plan: Plan): MigrateResult {
    return {
      outcome: this.#applied.length + this.#takenBack.length === 0 ? 'nothing to do' : 'migrated',
      database: state.database,
      from: this.#first?.from,
      to: plan.to,
      steps: this.#applied,
      takenBack: this.#takenBack,
      anomalies: [],
      kept: undefined,
      milliseconds: this.#operation.deadline.elapsed(),
      affectedTables: this.#affected,
      safeguards: this.#guard?.record,
    };
  }

  #lostForGood(error: SessionLostError, losses: number): ConnectionLostError {
    const step = this.#waiting?.steps[this.#applied.length];
    const during = step === undefined ? '' : ` while ${step.file.name} ran`;
    const fact = `the connection to Postgres was lost ${losses} times${during}`;
    return new ConnectionLostError(fact, [error.message], error);
  }
}
