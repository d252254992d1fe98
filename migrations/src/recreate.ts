import { Failure } from '@lockstep/foundation';
import { type AppliedStep, applySteps } from './apply.ts';
import { prepareTables } from './bookkeeping.ts';
import type { DatabaseProperties } from './database-properties.ts';
import { createDatabase, reproduceInside, reproduceOutside } from './database-reproduction.ts';
import { RecreateRefusedError } from './errors.ts';
import { type DatabaseState, readState, type Tables } from './history.ts';
import { keepPrevious } from './kept.ts';
import type { MigrateResult } from './migrate.ts';
import type { Migration } from './migration.ts';
import type { Operation } from './operation.ts';
import { type Anomaly, computePlan } from './plan.ts';
import { writeMark } from './recreate/mark.ts';
import { describeAnomalies, refusal } from './refusal.ts';
import { type NewDatabase, replaceDatabase } from './replace-database.ts';
import type { Session } from './session.ts';
import { Templates } from './templates/templates.ts';

/** What is to be recreated, and why. */
export interface RecreateOptions {
  readonly state: DatabaseState;
  /** None when a recreate was asked for by name. */
  readonly anomalies: readonly Anomaly[];
  readonly migrations: readonly Migration[];
  /** Grows as steps land in the new database. */
  readonly applied: AppliedStep[];
  /** Told how many migrations came with a copy of a template, and what makes the next copy beforehand. */
  readonly origin: { copied: number; spare: readonly string[] };
}

/**
 * Builds a new database beside the old, migrates it fully, and swaps the two by name; the old one is kept. See
 * replace-database.ts for what holds meanwhile.
 *
 * `session` holds the lock in the old database and is closed by this.
 *
 * @throws {RefusedError} or {RecreateRefusedError} when this role or server does not allow it
 */
export async function recreate(
  operation: Operation,
  session: Session,
  options: RecreateOptions,
): Promise<MigrateResult> {
  const { state, anomalies } = options;
  const { database } = state;
  const fresh: NewDatabase = {
    state,
    refuse: (obstacle, cause) => refuse(operation, options, obstacle, cause),
    build: async (maintenance, name, properties) => {
      for (const line of describeAnomalies(anomalies, state)) operation.log.info(line);
      operation.log.info(`recreating ${database}: a new database is built beside it`);
      await buildFresh(operation, maintenance, name, properties, options);
    },
    replaced: async (maintenance, replaced) => {
      const { tables } = state;
      const keeping = await keepPrevious(operation, maintenance, { database, replaced, tables });
      return { ...keeping, left: [...keeping.left, ...options.origin.spare] };
    },
  };
  const previous = await replaceDatabase(operation, session, fresh).catch((error: unknown) => {
    // A lost connection is followed by a new attempt, which counts for itself.
    if (!(error instanceof Failure)) options.applied.length = 0;
    throw error;
  });
  return {
    outcome: 'recreated',
    database,
    from: state.history.current?.version,
    to: options.migrations.at(-1)?.version,
    copied: options.origin.copied,
    steps: options.applied,
    takenBack: [],
    anomalies,
    kept: previous.kept[0]?.database,
    previous,
    milliseconds: operation.deadline.elapsed(),
    affectedTables: undefined,
    safeguards: undefined,
  };
}

/** The new database, as the old one was before its first migration, then fully migrated: from a template as far as one reaches. */
export async function buildFresh(
  operation: Operation,
  maintenance: Session,
  fresh: string,
  properties: DatabaseProperties,
  { state, anomalies, migrations, applied, origin }: RecreateOptions,
): Promise<void> {
  const { database, tables } = state;
  const templates = Templates.wanted(operation)
    ? new Templates(operation, maintenance, { database, properties, tables, migrations })
    : undefined;
  const beganAt = performance.now();
  origin.copied = 0;
  origin.copied = await operation.deadline.during(
    'sql',
    async () => (await templates?.copyLongest(fresh)) ?? 0,
  );
  applied.length = 0;
  const total = migrations.length;
  if (origin.copied === total) {
    await finishCopy(operation, fresh, properties, tables);
    origin.spare = (await templates?.spareTexts()) ?? [];
    return;
  }
  await prepare(operation, maintenance, fresh, properties, { state, copied: origin.copied });
  // Whoever writes a migration runs the last one again and again: what is before it is worth a template of its own.
  const stages = templates !== undefined && total - origin.copied > 1 ? [total - 1, total] : [total];
  // Milliseconds of migrations that no template holds.
  let unkept = 0;
  for (const count of stages) {
    const startedAt = performance.now();
    const missing = await migrateFresh(operation, fresh, {
      state,
      migrations: migrations.slice(0, count),
      applied,
    });
    for (const extension of count === total ? properties.extensions.filter((name) => missing(name)) : [])
      operation.log.warn(`the new database lacks the extension ${extension}`);
    unkept += performance.now() - startedAt;
    // What was asked for by name is asked for again, and then all of it is saved; what follows an edit is about to be edited again.
    const isForAll = count === total && origin.copied === 0 && anomalies.length === 0;
    const saved = isForAll ? performance.now() - beganAt : unkept;
    await operation.deadline.during('sql', async () => {
      if (!Templates.isWorth(saved) && !(count === total && (await templates?.wasWished(count)))) return;
      await templates?.keep(fresh, count);
      unkept = 0;
    });
  }
  origin.spare = (await templates?.spareTexts()) ?? [];
}

/** A copy that needs no migration, on one connection. */
async function finishCopy(
  operation: Operation,
  fresh: string,
  properties: DatabaseProperties,
  tables: Tables,
): Promise<void> {
  const session = await operation.connect(fresh);
  try {
    const missed = await operation.deadline.during('sql', () => reproduceOutside(session, properties));
    for (const line of missed) operation.log.warn(`not reproduced in the new database: ${line}`);
    await writeMark(session, tables.history, { held: undefined, from: undefined });
  } finally {
    await session.close();
  }
}

/** Makes what is not there yet of what the old database had besides its migrations. */
async function prepare(
  operation: Operation,
  maintenance: Session,
  fresh: string,
  properties: DatabaseProperties,
  { state, copied }: { state: DatabaseState; copied: number },
): Promise<void> {
  if (copied === 0)
    await operation.deadline.during('sql', () => createDatabase(maintenance, fresh, properties));
  const session = await operation.connect(fresh);
  const missed = await operation.deadline
    .during('sql', () =>
      copied === 0
        ? reproduceInside(session, properties, state.tables.schema)
        : reproduceOutside(session, properties),
    )
    .finally(() => session.close());
  for (const line of missed) operation.log.warn(`not reproduced in the new database: ${line}`);
}

/** Applies what the new database lacks of `migrations`; returns which extensions it lacks then. */
async function migrateFresh(
  operation: Operation,
  fresh: string,
  { state, migrations, applied }: Pick<RecreateOptions, 'state' | 'migrations' | 'applied'>,
): Promise<(extension: string) => boolean> {
  // A session of its own, so that the settings just made hold for it.
  const session = await operation.connect(fresh);
  try {
    const { schema, name } = state.tables;
    const now = await readState(session, { schema, name }, { downSql: false, scripts: operation.scripts });
    const plan = computePlan(migrations, now.history, { kind: 'latest' });
    await operation.deadline.during('sql', () => prepareTables(session, now, []));
    await applySteps(operation, session, {
      steps: plan.steps,
      migrations,
      tables: now.tables,
      role: now.role,
      from: plan.from,
      applied,
      grouped: true,
    });
    await writeMark(session, now.tables.history, { held: undefined, from: undefined });
    const extensions = await session.query('select extname from pg_extension');
    const present = new Set(extensions.map(({ extname }) => String(extname)));
    return (extension) => !present.has(extension);
  } finally {
    await session.close();
  }
}

function refuse(
  operation: Operation,
  options: RecreateOptions,
  obstacle: readonly string[],
  cause?: unknown,
) {
  const { state, anomalies } = options;
  if (anomalies.length === 0)
    return new RecreateRefusedError(`${state.database} cannot be recreated`, obstacle, cause);
  return refusal(operation, state, anomalies, `not recreated: ${obstacle.join('; ')}`, cause);
}
