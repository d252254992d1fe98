import { readFile } from 'node:fs/promises';
import { DatabaseError } from 'pg';
import type { Settings } from '../config.ts';
import { judgeMarkers } from '../files/directions.ts';
import type { DatabaseState } from '../history.ts';
import { withFilesAndState } from '../inspect.ts';
import { withLock } from '../lock.ts';
import { lockOptions } from '../lock-options.ts';
import type { Statement } from '../migration.ts';
import type { Hooks, Operation } from '../operation.ts';
import { computePlan } from '../plan.ts';
import { beginOwnWork } from '../recreate/authorship.ts';
import type { Session } from '../session.ts';
import { askedByFile, noTransactionMarker } from '../sql/no-transaction.ts';
import { describeSqlError } from '../sql-evidence.ts';
import { toSqlFile } from '../sql-file.ts';
import { decodeSql } from '../sql-text.ts';
import { parseSql } from '../statements.ts';
import { reset } from '../step.ts';
import { readWatched } from '../watched-read.ts';
import { SeedFileError, SeedRefusedError } from './errors.ts';
import { type LoadedRows, loadTable } from './load-table.ts';
import { findSeeds, type SeedFile, type Seeds } from './seed-files.ts';

/** What became of one file; without rows for SQL, which says nothing of what it did. */
export interface SeededFile {
  readonly file: SeedFile;
  readonly rows: LoadedRows | undefined;
  readonly milliseconds: number;
}

export interface SeedResult {
  readonly database: string;
  readonly environment: string;
  readonly files: readonly SeededFile[];
  readonly dryRun: boolean;
}

export interface SeedWishes {
  readonly allowProduction: boolean;
  readonly dryRun: boolean;
}

/**
 * Loads the seeds of the settings' environment, all in one transaction, under the migration lock: again and again with the same result.
 *
 * @throws {SeedRefusedError} exit status 7 in production, 3 or 5 while migrations are pending or dirty
 * @throws {SeedFileError} nothing was changed
 */
export function seed(
  settings: Settings,
  { allowProduction, dryRun }: SeedWishes,
  hooks: Hooks = {},
): Promise<SeedResult> {
  const { environment } = settings;
  if (environment === undefined) {
    throw new SeedRefusedError(
      'seeds are for an environment, and none was stated',
      3,
      ['MIGRATION_ENVIRONMENT or --environment states it'],
      'migrate seed --environment development',
    );
  }
  if (environment === 'production' && !allowProduction) {
    throw new SeedRefusedError(
      'production is not seeded',
      7,
      [],
      '--allow-production, when that is what you want',
    );
  }
  return withFilesAndState(settings, hooks, async (operation, session, glance, migrations) => {
    const seeds = await findSeeds(settings.path, environment);
    const result = { database: glance.database, environment, dryRun };
    if (seeds.files.length === 0) return { ...result, files: [] };
    return withLock(session, lockOptions(operation, glance), async () => {
      const state = await readWatched(operation, session, { downSql: false });
      const { steps, anomalies } = computePlan(migrations, state.history, { kind: 'latest' });
      if (state.history.current?.dirty === true) {
        throw new SeedRefusedError(`${state.database} is dirty`, 5, [], operation.command('status'));
      }
      if (steps.length > 0 || anomalies.length > 0) {
        throw new SeedRefusedError(
          `${state.database} is not at the version of the files, which the seeds are for`,
          3,
          [],
          operation.command('up'),
        );
      }
      if (!dryRun) await operation.begins(state.history.current?.version);
      const files = await operation.deadline.during('sql', () =>
        loadAll(operation, session, state, seeds, dryRun),
      );
      return { ...result, files };
    });
  });
}

async function loadAll(
  operation: Operation,
  session: Session,
  { tables }: DatabaseState,
  seeds: Seeds,
  dryRun: boolean,
): Promise<SeededFile[]> {
  const sign = dryRun ? '' : await beginOwnWork(session, tables);
  await session.query('begin');
  try {
    const seeded: SeededFile[] = [];
    for (const file of seeds.files) {
      const startedAt = performance.now();
      const rows =
        file.table === undefined
          ? await runSql(session, file)
          : await loadTable(session, file, file.table, seeds);
      const milliseconds = performance.now() - startedAt;
      seeded.push({ file, rows, milliseconds });
      operation.log.info(`${file.path} … ${Math.round(milliseconds)} ms`);
    }
    if (sign !== '') await session.query(`${reset}; ${sign}`);
    await session.query(dryRun ? 'rollback' : 'commit').catch((error: unknown) => {
      if (!(error instanceof DatabaseError)) throw error;
      throw new SeedFileError('the seeds', 'at the commit', `${error.message} (${error.code})`, [], error);
    });
    return seeded;
  } catch (error) {
    await session.query('rollback').catch(() => {});
    throw error;
  }
}

async function runSql(session: Session, file: SeedFile): Promise<undefined> {
  const text = decodeSql(await readFile(file.real));
  if (typeof text !== 'string') throw new SeedFileError(file.path, `line ${text.place.line}`, text.rule);
  const { statements, mistakes } = parseSql(text);
  const sql = toSqlFile(file.path, text, statements);
  const [mistake] = [...judgeMarkers(text, 'up').mistakes, ...mistakes];
  if (mistake !== undefined) throw new SeedFileError(file.path, undefined, mistake.rule);
  const rule = statements.map(againstOneTransaction).find((found) => found !== undefined);
  if (rule !== undefined) throw new SeedFileError(file.path, undefined, rule);
  for (const statement of statements) {
    try {
      await session.query(statement.text);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      throw new SeedFileError(file.path, undefined, 'failed', describeSqlError(sql, statement, error), error);
    }
  }
  return undefined;
}

/** All seeds share a transaction: why a statement cannot stand in it. */
function againstOneTransaction({ outsideTransaction, control, text }: Statement): string | undefined {
  if (control !== undefined) return `${text} ends or opens a transaction: all seeds share one`;
  if (outsideTransaction === askedByFile)
    return `it asks for no transaction (${noTransactionMarker}): all seeds share one`;
  return outsideTransaction === undefined
    ? undefined
    : `${outsideTransaction} cannot run in the transaction of the seeds`;
}
