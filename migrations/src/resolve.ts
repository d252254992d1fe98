import { Failure } from '@lockstep/foundation';
import { prepareTables, recordsIn, type TrackedStep } from './bookkeeping.ts';
import { runInScratch, stepUp } from './catalog/build-schema.ts';
import type { Catalog } from './catalog/catalog.ts';
import { tableOf } from './catalog/compliance.ts';
import { standingOf } from './catalog/landing.ts';
import { readCatalog } from './catalog/read-catalog.ts';
import { withScratch } from './catalog/scratch.ts';
import type { Settings } from './config.ts';
import { ResolveRefusedError } from './errors.ts';
import type { DatabaseState } from './history.ts';
import { withFilesAndState } from './inspect.ts';
import { withLock } from './lock.ts';
import { lockOptions } from './lock-options.ts';
import type { Direction, Migration, SqlFile } from './migration.ts';
import type { Hooks, Operation } from './operation.ts';
import type { Step } from './plan.ts';
import type { Session } from './session.ts';
import { readStandings } from './standing.ts';
import { readWatched } from './watched-read.ts';

/** Where one object stands that the step makes, changes or drops. */
export interface ResolvedObject {
  /** As in `index public.users_email`. */
  readonly name: string;
  readonly standing: 'landed' | 'not landed' | 'otherwise';
}

/** What the live schema tells of a step that began and did not finish. */
export interface DirtyState {
  readonly database: string;
  readonly version: bigint;
  readonly direction: Direction;
  readonly label: string;
  readonly description: string;
  /** Statements that landed for certain; undefined when another tool ran it. */
  readonly statements: number | undefined;
  readonly of: number;
  readonly objects: readonly ResolvedObject[];
  /** Why the step does not even run in a scratch database. */
  readonly failure: string | undefined;
  readonly verdict: 'landed' | 'not landed' | 'partly' | 'unknown';
}

/** What is to be recorded of it. */
export type Resolution = 'applied' | 'pending';

export interface ResolveResult {
  readonly database: string;
  /** Undefined when nothing was dirty. */
  readonly dirty: DirtyState | undefined;
  /** Undefined when nothing was recorded. */
  readonly recorded: Resolution | undefined;
  readonly isDryRun: boolean;
}

/**
 * Compares the live schema with what it was before the step that left the database dirty, and with what that step makes of it; both
 * are built in a scratch database. Undefined when the database is clean. Changes nothing.
 */
export function examineDirty(settings: Settings, hooks: Hooks = {}): Promise<DirtyState | string> {
  return withFilesAndState(settings, hooks, async (operation, session, state, migrations) => {
    if (state.history.current?.dirty !== true) return state.database;
    const course = courseOf(state, migrations);
    const live = await operation.deadline.during('database', () => readCatalog(session, state.tables));
    const built = await buildBoth(operation, session, state, migrations, course);
    return describe(state, course, live, built);
  });
}

/**
 * Records that the step is applied or pending, as a person decided or the schema told; runs nothing.
 *
 * @throws {ResolveRefusedError} when the database is no longer dirty in that way
 */
export function recordResolution(
  settings: Settings,
  known: DirtyState,
  resolution: Resolution,
  hooks: Hooks = {},
): Promise<void> {
  return withFilesAndState(settings, hooks, async (operation, session, glance, migrations) => {
    await withLock(session, lockOptions(operation, glance), async () => {
      const state = await readWatched(operation, session, { downSql: true });
      const dirty = state.history.current?.dirty === true ? courseOf(state, migrations) : undefined;
      if (
        dirty === undefined ||
        dirty.step.version !== known.version ||
        dirty.step.direction !== known.direction
      ) {
        throw new ResolveRefusedError(state.database, 'its state changed meanwhile');
      }
      await operation.begins(resolution === 'applied' ? dirty.step.resultVersion : dirty.from);
      await record(operation, session, state, dirty, resolution);
    });
  });
}

/** The step that left it dirty, and what was there before. */
interface Course {
  readonly step: Step;
  readonly migration: Migration | undefined;
  /** Migrations that were applied before the step began, ascending. */
  readonly before: readonly Migration[];
  /** What golang-migrate's row held before it; undefined for none. */
  readonly from: bigint | undefined;
  /** Whether our own history knows of it. */
  readonly tracked: boolean;
  readonly statements: number | undefined;
}

function courseOf(state: DatabaseState, migrations: readonly Migration[]): Course {
  const { history, interrupted } = state;
  const dirty = history.current?.version ?? -1n;
  const standings = readStandings(migrations, history);
  const applied = standings.versions.filter(
    (standing) => standing.applied && standing.migration !== undefined,
  );
  const direction = interrupted?.direction ?? 'up';
  const version = interrupted?.version ?? dirty;
  const migration = migrations.find((one) => one.version === version);
  const row = history.applied.find((one) => one.version === version);
  const label = migration?.label ?? String(version);
  const description = migration?.description ?? row?.description ?? '';
  const file = direction === 'up' ? migration?.up : migration?.down;
  const versions = new Set(applied.map((standing) => standing.version));
  if (direction === 'down') {
    versions.add(version);
    if (dirty >= 0n) versions.add(dirty);
  }
  const before = migrations.filter((one) => versions.has(one.version));
  const others = [...versions].filter((one) => one !== version).sort((a, b) => (a < b ? -1 : 1));
  return {
    step: { direction, version, label, description, file: file ?? noFile(label), resultVersion: dirty },
    migration,
    before,
    from: direction === 'down' ? highestOf([...others, version]) : highestOf(others),
    tracked: interrupted !== undefined,
    statements: interrupted?.statements,
  };
}

function highestOf(versions: readonly bigint[]): bigint | undefined {
  return versions.reduce<bigint | undefined>(
    (highest, version) => (highest === undefined || version > highest ? version : highest),
    undefined,
  );
}

function noFile(label: string): SqlFile {
  return { path: `${label} (no file)`, name: label, text: '', statements: [], checksum: '' };
}

interface Built {
  readonly start: Catalog;
  readonly end: Catalog;
  readonly failure: string | undefined;
}

function buildBoth(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  migrations: readonly Migration[],
  { step, before }: Course,
): Promise<Built> {
  return withScratch(operation, session, state.tables.schema, async (scratch) => {
    const scratched = await scratch.connect();
    const from = before.at(-1)?.version;
    try {
      const steps = before.map(stepUp);
      await runInScratch(operation, scratched, tableOf(state), { steps, migrations, from: undefined });
      const start = await readCatalog(scratched, state.tables);
      let failure: string | undefined;
      try {
        await runInScratch(operation, scratched, tableOf(state), { steps: [step], migrations, from });
      } catch (error) {
        // What the file does before it fails tells as much.
        if (!(error instanceof Failure) || error.exitStatus !== 1) throw error;
        failure = [error.message, ...error.evidence.slice(0, 2)].join('; ');
      }
      return { start, end: await readCatalog(scratched, state.tables), failure };
    } finally {
      await scratched.close();
    }
  });
}

function describe(
  { database }: DatabaseState,
  { step, statements }: Course,
  live: Catalog,
  { start, end, failure }: Built,
): DirtyState {
  const keys = [...new Set([...start.objects.keys(), ...end.objects.keys()])].sort();
  const objects = keys.flatMap((name): readonly ResolvedObject[] => {
    const [before, after, now] = [start, end, live].map(({ objects: all }) => all.get(name));
    const standing = standingOf(before, after, now);
    return standing === undefined ? [] : [{ name, standing }];
  });
  const { direction, version, label, description, file } = step;
  return {
    database,
    version,
    direction,
    label,
    description,
    statements,
    of: file.statements.length,
    objects,
    failure,
    verdict: verdictOf(objects, failure, file),
  };
}

/** Only a schema tells; rows do not. A file that fails half-way cannot have landed. */
function verdictOf(
  objects: readonly ResolvedObject[],
  failure: string | undefined,
  file: SqlFile,
): DirtyState['verdict'] {
  if (objects.length === 0) return 'unknown';
  if (objects.every(({ standing }) => standing === 'not landed'))
    return changesRows(file) ? 'unknown' : 'not landed';
  if (objects.some(({ standing }) => standing !== 'landed')) return 'partly';
  if (failure !== undefined) return 'partly';
  return changesRows(file) ? 'unknown' : 'landed';
}

function changesRows({ statements }: SqlFile): boolean {
  return statements.some(({ text }) =>
    /^\s*(?:insert|update|delete|merge|copy|truncate|do|call|select|with)\b/i.test(text),
  );
}

/** In our own words where the history knows the step; else as `force` would. */
async function record(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  { step, migration, from, tracked }: Course,
  resolution: Resolution,
): Promise<void> {
  const bookkeeping = recordsIn(state.tables, lockOptions(operation, state).key);
  const trackedStep: TrackedStep = { step, migration, from };
  const untracked = resolution === 'applied' ? step.version : (from ?? -1n);
  const text = !tracked
    ? bookkeeping.forced(untracked)
    : resolution === 'applied'
      ? bookkeeping.finished(trackedStep, 0)
      : bookkeeping.withdrawn(trackedStep);
  await operation.deadline.during('sql', async () => {
    await prepareTables(session, { ...state, stale: false }, []);
    await session.query('begin');
    try {
      await session.query(text);
      await session.query('commit');
    } catch (error) {
      await session.query('rollback').catch(() => {});
      throw error;
    }
  });
}
