import { type Failure, toFailure } from '@lockstep/foundation';
import type { Log } from '@lockstep/foundation/log';
import type { Settings } from '../config.ts';
import { ApprovalMissingError, InterruptedError } from '../errors.ts';
import { type MigrateResult, migrateTo } from '../migrate.ts';
import type { Migration } from '../migration.ts';
import { type Hooks, operate } from '../operation.ts';
import type { Target } from '../plan.ts';
import { type FleetMember, readFleet, type Shard } from './fleet-list.ts';

/** Which databases, and how. */
export interface FleetWishes {
  /** A file or a query; see {@link readFleet}. */
  readonly list: string;
  /** How many at once. */
  readonly concurrency: number;
  /** With more failures than these, no further database is begun. */
  readonly failures: number;
  readonly shard: Shard | undefined;
  /** Whether somebody said yes to all of it. */
  readonly yes: boolean;
}

/** What became of one database. */
export interface FleetEntry {
  readonly name: string;
  readonly outcome: MigrateResult['outcome'] | 'failed' | 'interrupted' | 'not run';
  readonly steps: number;
  readonly to: bigint | undefined;
  readonly milliseconds: number;
  readonly failure: Failure | undefined;
}

export interface FleetResult {
  readonly entries: readonly FleetEntry[];
  readonly milliseconds: number;
  /** What ended it before all had their turn. */
  readonly interrupted: InterruptedError | undefined;
}

const tellingMilliseconds = 1000;

/**
 * Migrates many databases to `target`, each in a run of its own: its lock, its history, its timeout. The files are read once. A database
 * that fails stops none of the others, until there are too many. Run again it passes over what is done.
 *
 * @throws {ApprovalMissingError} where the strategy would have somebody type yes for each
 * @throws {Failure} when the list cannot be read; nothing was changed then
 */
export async function migrateFleet(
  settings: Settings,
  target: Target,
  wishes: FleetWishes,
  hooks: Hooks = {},
): Promise<FleetResult> {
  requireConsent(settings, wishes);
  const startedAt = performance.now();
  const { members, migrations } = await operate(settings, hooks, async (operation) => ({
    migrations: await operation.load(),
    members: await readFleet(operation, wishes.list, wishes.shard),
  }));
  const fleet = new Fleet(settings, target, { wishes, hooks, migrations, members });
  const entries = await fleet.run();
  const reason = hooks.signal?.reason;
  return {
    entries,
    milliseconds: performance.now() - startedAt,
    interrupted: reason instanceof InterruptedError ? reason : undefined,
  };
}

function requireConsent({ strategy }: Settings, { yes }: FleetWishes): void {
  const { approval } = strategy;
  if (approval === 'none' || (approval === 'prompt' && yes)) return;
  throw new ApprovalMissingError(
    approval === 'prompt'
      ? 'nobody said yes to the whole fleet'
      : 'a plan that was signed off is one database’s',
    [
      `the ${strategy.name} strategy asks for approval (${approval}), and many databases are not asked for one by one`,
    ],
    approval === 'prompt'
      ? 'look at migrate plan of one, then --yes'
      : '--approval prompt --yes, once somebody agreed',
  );
}

interface FleetParts {
  readonly wishes: FleetWishes;
  readonly hooks: Hooks;
  readonly migrations: readonly Migration[];
  readonly members: readonly FleetMember[];
}

class Fleet {
  readonly #settings: Settings;
  readonly #target: Target;
  readonly #parts: FleetParts;
  readonly #entries: (FleetEntry | undefined)[];
  #next = 0;
  #done = 0;
  #failed = 0;

  constructor(settings: Settings, target: Target, parts: FleetParts) {
    this.#settings = settings;
    this.#target = target;
    this.#parts = parts;
    this.#entries = parts.members.map(() => undefined);
  }

  async run(): Promise<FleetEntry[]> {
    const { members, wishes } = this.#parts;
    const startedAt = performance.now();
    const telling = setInterval(() => this.#tell(startedAt), tellingMilliseconds);
    try {
      const workers = Math.min(wishes.concurrency, members.length);
      await Promise.all(Array.from({ length: workers }, () => this.#work()));
    } finally {
      clearInterval(telling);
    }
    return this.#entries.map((entry, index) => entry ?? notRun(members[index]?.name ?? ''));
  }

  get #stops(): boolean {
    return this.#failed > this.#parts.wishes.failures || this.#parts.hooks.signal?.aborted === true;
  }

  async #work(): Promise<void> {
    const { members } = this.#parts;
    while (!this.#stops && this.#next < members.length) {
      const index = this.#next++;
      const member = members[index];
      if (member === undefined) return;
      const entry = await this.#migrate(member);
      this.#entries[index] = entry;
      this.#done += 1;
      if (entry.outcome === 'failed') this.#failed += 1;
    }
  }

  async #migrate({ name, parameters }: FleetMember): Promise<FleetEntry> {
    const { hooks, migrations } = this.#parts;
    const startedAt = performance.now();
    try {
      // A template of each would double what they take.
      const settings: Settings = {
        ...this.#settings,
        connection: { kind: 'given', parameters },
        templateBytes: 0,
      };
      const own: Hooks = { ...hooks, wantsTables: false, migrations, log: prefixed(hooks.log, name) };
      const result = await migrateTo(settings, this.#target, own, { yes: true, approvedFile: undefined });
      const { outcome, steps, to } = result;
      return {
        name,
        outcome,
        steps: steps.length,
        to,
        milliseconds: performance.now() - startedAt,
        failure: undefined,
      };
    } catch (error) {
      const failure = toFailure(error);
      const outcome = failure instanceof InterruptedError ? 'interrupted' : 'failed';
      if (outcome === 'failed')
        hooks.log?.error(`${name}: ${failure.message}`, { database: name, code: failure.code });
      return { ...notRun(name), outcome, milliseconds: performance.now() - startedAt, failure };
    }
  }

  /** `312 of 1,000 databases, 3 failed, 41/s, 17 s left` */
  #tell(startedAt: number): void {
    const total = this.#parts.members.length;
    const seconds = (performance.now() - startedAt) / 1000;
    const rate = this.#done / seconds;
    const left = rate === 0 ? '' : `, ${Math.ceil((total - this.#done) / rate)} s left`;
    const failed = this.#failed === 0 ? '' : `, ${this.#failed} failed`;
    const words = `${this.#done.toLocaleString('en')} of ${total.toLocaleString('en')} databases${failed}`;
    this.#parts.hooks.log?.info(`${words}, ${rate.toFixed(rate < 10 ? 1 : 0)}/s${left}`, {
      done: this.#done,
      total,
      failed: this.#failed,
    });
  }
}

function notRun(name: string): FleetEntry {
  return { name, outcome: 'not run', steps: 0, to: undefined, milliseconds: 0, failure: undefined };
}

/** The lines of a thousand runs are nobody's to read: of each only what is wrong is shown. */
function prefixed(log: Log | undefined, name: string): Log {
  const debug: Log['debug'] = (message, fields) => log?.debug(`${name}: ${message}`, fields);
  return {
    debug,
    info: debug,
    warn: (message, fields) => log?.warn(`${name}: ${message}`, fields),
    error: (message, fields) => log?.error(`${name}: ${message}`, fields),
  };
}
