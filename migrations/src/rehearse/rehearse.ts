import { readFile } from 'node:fs/promises';
import { Failure } from '@lockstep/foundation';
import { DatabaseError } from 'pg';
import { runInScratch, stepUp } from '../catalog/build-schema.ts';
import { appliedMigrations, tableOf } from '../catalog/compliance.ts';
import { withScratch } from '../catalog/scratch.ts';
import type { Settings } from '../config.ts';
import { UsageError } from '../errors.ts';
import { showPath } from '../folder.ts';
import { spellTableName } from '../identifiers.ts';
import { withFilesAndState } from '../inspect.ts';
import { type Migration, type Statement, titleOf } from '../migration.ts';
import type { Hooks, Operation } from '../operation.ts';
import { markPartitioned } from '../run/partitioned.ts';
import { groupStatements, type StatementGroup } from '../run/statement-groups.ts';
import type { Session } from '../session.ts';
import { markerHint } from '../sql/marker-hint.ts';
import { describeSqlError } from '../sql-evidence.ts';
import { discard, reset } from '../step.ts';
import { fillTable, type RowWish } from './fill.ts';
import { type Measurement, measure, type Relations, readRelations } from './measure.ts';

/** A statement failed on the scratch copy. */
export class RehearsalFailedError extends Failure {
  constructor(migration: string, evidence: readonly string[], cause: unknown, hint: string | undefined) {
    super(`${migration} failed in the rehearsal`, {
      ...(hint === undefined ? {} : { hint }),
      code: 'rehearsal-failed',
      exitStatus: 1,
      evidence: [...evidence, 'it ran in a scratch database; nothing else was touched'],
      cause,
    });
  }
}

/** What to rehearse, and on how much. */
export interface RehearsalWishes {
  readonly rows: readonly RowWish[];
  /** SQL to run before the plan. */
  readonly fillFile: string | undefined;
  /** Every migration from nothing, also those that are applied. */
  readonly all: boolean;
}

export interface RehearsedMigration {
  readonly migration: Migration;
  readonly measurements: readonly Measurement[];
  readonly milliseconds: number;
}

export interface RehearsalResult {
  readonly database: string;
  readonly server: string;
  readonly rehearsed: readonly RehearsedMigration[];
  /** Tables that were filled, in the order they were. */
  readonly filled: readonly RowWish[];
}

/**
 * Runs the pending migrations in a scratch database that has what is applied, statement by statement, and measures each: time,
 * bytes of the log, locks, rewrites. Tables hold no rows but those asked for. The database itself is not touched.
 *
 * @throws {RehearsalFailedError} when a statement fails; exit status 1
 * @throws {FillFailedError} when rows cannot be made up; exit status 3
 */
export function rehearse(
  settings: Settings,
  wishes: RehearsalWishes,
  hooks: Hooks = {},
): Promise<RehearsalResult> {
  return withFilesAndState(settings, hooks, async (operation, session, state, migrations) => {
    const fill = wishes.fillFile === undefined ? undefined : await readFillFile(wishes.fillFile);
    const applied = wishes.all ? [] : appliedMigrations(migrations, state);
    const known = new Set(applied.map(({ version }) => version));
    const pending = migrations.filter(({ version }) => !known.has(version));
    return withScratch(operation, session, state.tables.schema, async (scratch) => {
      const scratched = await scratch.connect();
      const observer = await scratch.connect();
      try {
        const steps = applied.map(stepUp);
        await runInScratch(operation, scratched, tableOf(state), { steps, migrations, from: undefined });
        const [row] = await observer.query("select current_setting('server_version') as version");
        const run = new Rehearsing(operation, scratched, observer, [...wishes.rows], fill);
        const rehearsed: RehearsedMigration[] = [];
        for (const migration of pending) rehearsed.push(await run.rehearse(migration));
        await run.finish();
        return { database: state.database, server: String(row?.['version']), rehearsed, filled: run.filled };
      } finally {
        await Promise.all([scratched.close(), observer.close()]);
      }
    });
  });
}

async function readFillFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(
      `--fill: ${showPath(path)} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      'migrate rehearse --help',
    );
  }
}

class Rehearsing {
  readonly filled: RowWish[] = [];
  readonly #operation: Operation;
  readonly #session: Session;
  readonly #observer: Session;
  #waiting: RowWish[];
  #fill: string | undefined;

  constructor(
    operation: Operation,
    session: Session,
    observer: Session,
    rows: RowWish[],
    fill: string | undefined,
  ) {
    this.#operation = operation;
    this.#session = session;
    this.#observer = observer;
    this.#waiting = rows;
    this.#fill = fill;
  }

  async rehearse(migration: Migration): Promise<RehearsedMigration> {
    await this.#fillWhatIsThere();
    const known = await readRelations(this.#session);
    const statements = await markPartitioned(this.#session, migration.up.statements);
    const startedAt = performance.now();
    const measurements: Measurement[] = [];
    let chained = false;
    for (const group of groupStatements(statements)) {
      measurements.push(...(await this.#runGroup(migration, group, known, chained)));
      chained = group.end?.control?.chain === true;
    }
    const run = (sql: string) => this.#run(migration, undefined, () => this.#session.query(sql));
    if (chained) await run('rollback');
    // As between the steps of a real run.
    await run(`${reset}; ${discard}`);
    const milliseconds = performance.now() - startedAt;
    this.#operation.log.info(`${titleOf(migration)} … ${Math.round(milliseconds)} ms in the rehearsal`);
    return { migration, measurements, milliseconds };
  }

  /** @param open whether its transaction is open already, chained to the one before */
  async #runGroup(
    migration: Migration,
    { statements, alone, end }: StatementGroup,
    known: Relations,
    open: boolean,
  ): Promise<Measurement[]> {
    const run = (sql: string, statement?: Statement) =>
      this.#run(migration, statement, () => this.#session.query(sql));
    const measurements: Measurement[] = [];
    if (alone === undefined && !open) await run('begin');
    // First: to measure asks the catalog, and after that no transaction takes another isolation level.
    for (const statement of statements) {
      const modes = modesOf(statement);
      if (modes !== undefined) await run(modes, statement);
    }
    for (const statement of statements) {
      if (statement.control !== undefined || modesOf(statement) !== undefined) continue;
      const measured = await this.#run(migration, statement, () =>
        measure(this.#session, this.#observer, statement, known),
      );
      measurements.push(measured);
      this.#operation.log.debug(`${titleOf(migration)}: ${Math.round(measured.milliseconds)} ms`);
    }
    if (alone === undefined) await run(end?.text ?? 'commit', end);
    return measurements;
  }

  /** Whatever is asked for and never was there. */
  async finish(): Promise<void> {
    await this.#fillWhatIsThere();
    const [never] = this.#waiting;
    if (never === undefined) return;
    throw new UsageError(
      `--rows: there is no table ${spellTableName(never.table)}`,
      'migrate rehearse --help',
    );
  }

  async #fillWhatIsThere(): Promise<void> {
    const { deadline, log } = this.#operation;
    const left: RowWish[] = [];
    for (const wish of this.#waiting) {
      const startedAt = performance.now();
      const done = await deadline.during('sql', () => fillTable(this.#session, wish));
      if (!done) left.push(wish);
      else {
        this.filled.push(wish);
        log.info(
          `${spellTableName(wish.table)} filled with ${wish.rows.toLocaleString('en')} rows … ${Math.round(performance.now() - startedAt)} ms`,
        );
      }
    }
    this.#waiting = left;
    const fill = this.#fill;
    if (fill === undefined) return;
    this.#fill = undefined;
    await deadline
      .during('sql', () => this.#session.query(fill))
      .catch((error: unknown) => {
        if (!(error instanceof DatabaseError)) throw error;
        throw new UsageError(`--fill: ${error.message} (${error.code})`, 'migrate rehearse --help');
      });
  }

  async #run<T>(migration: Migration, statement: Statement | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#operation.deadline.during('sql', work);
    } catch (error) {
      if (!(error instanceof DatabaseError) || this.#operation.signal.aborted) throw error;
      throw new RehearsalFailedError(
        titleOf(migration),
        describeSqlError(migration.up, statement, error),
        error,
        markerHint({ cause: error, statement }, migration.up),
      );
    }
  }
}

/** What a statement asks of its transaction, where it does that alone. */
function modesOf({ text, control }: Statement): string | undefined {
  if (control?.kind === 'begin' && control.modes !== '') return `set transaction ${control.modes}`;
  return control === undefined && /^set\s+transaction\b/i.test(text) ? text : undefined;
}
