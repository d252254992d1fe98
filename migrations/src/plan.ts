import { downFile } from './down-file.ts';
import { UnknownVersionError } from './file-errors.ts';
import type { Direction, Migration, SqlFile } from './migration.ts';
import { currentVersion, readStandings, type Standing, type Standings } from './standing.ts';
import type { Environment } from './strategy.ts';

/** One row of our history table. */
export interface AppliedMigration {
  readonly version: bigint;
  readonly description: string;
  /** Of the up file when it was applied; undefined when golang-migrate applied it. */
  readonly checksum: string | undefined;
  readonly downSql: string | undefined;
  readonly appliedAt: Date | undefined;
  readonly durationMilliseconds: number | undefined;
}

/** What the database says was applied, by golang-migrate's table and by ours. */
export interface History {
  /** golang-migrate's row; undefined when its table is absent or empty. */
  readonly current: { readonly version: bigint; readonly dirty: boolean } | undefined;
  /** Our rows, ascending by version; empty when our table is absent. */
  readonly applied: readonly AppliedMigration[];
  /**
   * Set in the layout alphabetical: each migration is recorded by its name, so what has no row is not applied, and none is out of
   * order. `dirty` is the place of the one that did not finish.
   */
  readonly byName?: { readonly dirty?: bigint };
}

/** Where a plan goes. Steps beyond the last or the first migration are no mistake. */
export type Target =
  | { readonly kind: 'latest' }
  | { readonly kind: 'up'; readonly steps: number }
  | { readonly kind: 'down'; readonly steps: number }
  /** Up or down to exactly this version, or `downOnly`: to it when it is above; it must have a file or be applied. */
  | { readonly kind: 'goto'; readonly version: bigint; readonly downOnly?: true };

/** One migration in one direction. */
export interface Step {
  readonly direction: Direction;
  readonly version: bigint;
  readonly label: string;
  readonly description: string;
  readonly file: SqlFile;
  /** The version golang-migrate's row holds after the step: the highest applied one, -1n when none is left. */
  readonly resultVersion: bigint;
  /** The environment in whose overlay its migration lies. */
  readonly overlay?: Environment;
}

/** What a plan finds that a strategy must decide about. */
export type Anomaly =
  | { readonly kind: 'dirty'; readonly version: bigint }
  | { readonly kind: 'edited'; readonly migration: Migration; readonly appliedChecksum: string }
  | { readonly kind: 'missing'; readonly version: bigint; readonly description: string }
  /** `appliedAfter` is the highest applied version. */
  | { readonly kind: 'out of order'; readonly migration: Migration; readonly appliedAfter: bigint };

export interface Plan {
  readonly steps: readonly Step[];
  readonly anomalies: readonly Anomaly[];
  /**
   * Files that count as applied but have no row of ours, because golang-migrate applied them. Whoever writes a row
   * must first write theirs (checksum unknown), or they would read as out of order from then on.
   */
  readonly adopted: readonly Migration[];
  /** The version golang-migrate's row holds now; undefined when none. */
  readonly from: bigint | undefined;
  /** The version it holds after the last step; undefined when none. */
  readonly to: bigint | undefined;
}

/** One line of `status`. */
export interface MigrationState {
  readonly version: bigint;
  readonly label: string;
  readonly description: string;
  readonly state: 'applied' | 'pending' | 'missing' | 'edited' | 'out of order' | 'dirty';
  readonly appliedAt: Date | undefined;
  readonly durationMilliseconds: number | undefined;
}

/**
 * Computes the steps from what is applied to `target`, and what a strategy must decide about first. Does no policy: a
 * plan with anomalies has the steps it would have without them.
 *
 * What counts as applied, as golang-migrate may have written the history since we did: only what its row covers. Rows
 * of ours above that version were rolled back by it. Files above our highest row, up to that version, were applied by
 * it, as is every file up to it when we have no row at all. A dirty version is not applied.
 *
 * A plan that goes down reports what is wrong with the migrations it touches; one that goes up, with any.
 *
 * @param migrations ascending by version
 * @throws {IrreversibleError} when a down step has neither a down file nor down SQL in the history
 * @throws {UnknownVersionError} when `goto` names a version that nobody knows
 */
export function computePlan(migrations: readonly Migration[], history: History, target: Target): Plan {
  const standings = readStandings(migrations, history);
  if (target.kind === 'goto' && !isBeforeAll(standings.versions, target.version)) {
    requireKnown(standings.versions, target.version);
  }
  const goesDown =
    target.kind === 'down' ||
    (target.kind === 'goto' && (target.downOnly === true || target.version < standings.highest));
  const steps = goesDown ? downSteps(standings, target) : upSteps(standings, target);
  const touched = new Set(steps.map(({ version }) => version));
  const looked = ({ version }: Standing) => !goesDown || touched.has(version);
  const from = currentVersion(history);
  const result = steps.at(-1)?.resultVersion;
  return {
    steps,
    anomalies: [
      ...(standings.dirty === undefined ? [] : [{ kind: 'dirty', version: standings.dirty } as const]),
      ...standings.versions.filter(looked).flatMap((standing) => anomalyOf(standing, standings) ?? []),
    ],
    adopted: standings.versions.flatMap(({ applied, row, migration }) => {
      return applied && row === undefined && migration !== undefined ? [migration] : [];
    }),
    from,
    to: result === undefined ? from : result === -1n ? undefined : result,
  };
}

/** Describes every version that has a file or is in the history, ascending, for `status`. */
export function describeStates(migrations: readonly Migration[], history: History): MigrationState[] {
  const standings = readStandings(migrations, history);
  return standings.versions.map((standing) => {
    const { version, label, description, row, applied } = standing;
    const plain = applied ? 'applied' : 'pending';
    return {
      version,
      label,
      description,
      state: version === standings.dirty ? 'dirty' : (anomalyOf(standing, standings)?.kind ?? plain),
      appliedAt: row?.appliedAt,
      durationMilliseconds: row?.durationMilliseconds,
    };
  });
}

/** Pending files, lowest first. One below an applied version leaves golang-migrate's row where it is. */
function upSteps({ versions, highest }: Standings, target: Target): Step[] {
  const pending = versions.filter(({ applied, version }) => {
    return !applied && (target.kind !== 'goto' || version <= target.version);
  });
  const steps = pending.flatMap(({ version, label, description, migration }): Step[] => {
    if (migration === undefined) return [];
    const resultVersion = version > highest ? version : highest;
    const step = { direction: 'up', version, label, description, file: migration.up, resultVersion } as const;
    return [{ ...step, ...overlayOf(migration) }];
  });
  return 'steps' in target ? steps.slice(0, Math.max(0, target.steps)) : steps;
}

/** Applied versions, highest first. */
function downSteps({ versions }: Standings, target: Target): Step[] {
  const applied = versions.filter((standing) => standing.applied).reverse();
  const wanted =
    target.kind === 'goto'
      ? applied.filter(({ version }) => version > target.version).length
      : 'steps' in target
        ? Math.max(0, target.steps)
        : 0;
  return applied.slice(0, wanted).map((standing, index): Step => {
    const { version, label, description } = standing;
    const resultVersion = applied[index + 1]?.version ?? -1n;
    const step = { direction: 'down', version, label, description, resultVersion } as const;
    return { ...step, file: downFile(standing), ...overlayOf(standing.migration) };
  });
}

function overlayOf(migration: Migration | undefined): Pick<Step, 'overlay'> {
  return migration?.overlay === undefined ? {} : { overlay: migration.overlay };
}

/** golang-migrate goes to 0, where no migration has it, by taking back all. */
function isBeforeAll(versions: readonly Standing[], wanted: bigint): boolean {
  return wanted === 0n && versions.every(({ version }) => version > 0n);
}

function requireKnown(versions: readonly Standing[], wanted: bigint): void {
  const known = versions.map(({ version }) => version);
  if (!known.includes(wanted)) throw new UnknownVersionError(wanted, known);
}

/** A dirty version has none of its own: it is not applied, and its file is pending. */
function anomalyOf({ version, description, migration, row, applied }: Standing, standings: Standings) {
  if (migration === undefined)
    return applied ? ({ kind: 'missing', version, description } as const) : undefined;
  if (!applied) {
    const behind = !standings.byName && version < standings.highest;
    return behind
      ? ({ kind: 'out of order', migration, appliedAfter: standings.highest } as const)
      : undefined;
  }
  const appliedChecksum = row?.checksum;
  const edited = appliedChecksum !== undefined && appliedChecksum !== migration.up.checksum;
  return edited ? ({ kind: 'edited', migration, appliedChecksum } as const) : undefined;
}
