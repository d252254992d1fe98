import type { Migration } from './migration.ts';
import type { AppliedMigration, History } from './plan.ts';

/** Where one version stands between the files and the history. */
export interface Standing {
  readonly version: bigint;
  /** As the file spells it; padded like the files when there is none. */
  readonly label: string;
  readonly description: string;
  readonly migration: Migration | undefined;
  /** Our row; undefined when there is none or it no longer counts. */
  readonly row: AppliedMigration | undefined;
  readonly applied: boolean;
}

/** Every version that has a file or is in the history. */
export interface Standings {
  /** Ascending by version. */
  readonly versions: readonly Standing[];
  /** The highest applied version; -1n when none is. */
  readonly highest: bigint;
  /** The version golang-migrate's row holds as dirty; -1n when a down step to none did not finish. */
  readonly dirty: bigint | undefined;
  /** Whether migrations are recorded by name; see {@link History}. */
  readonly byName: boolean;
}

/** The version that golang-migrate's row holds; undefined when there is no row, or it says none (-1). */
export function currentVersion({ current }: History): bigint | undefined {
  return current === undefined || current.version < 0n ? undefined : current.version;
}

/** Brings files and history together; {@link computePlan} has the rules. */
export function readStandings(migrations: readonly Migration[], history: History): Standings {
  const current = currentVersion(history) ?? -1n;
  const byName = history.byName !== undefined;
  const dirty =
    history.byName?.dirty ?? (history.current?.dirty === true ? history.current.version : undefined);
  const covered = history.applied.filter(({ version }) => version <= current);
  const highestRow = covered.at(-1)?.version ?? -1n;
  const rows = new Map(covered.filter(({ version }) => version !== dirty).map((row) => [row.version, row]));
  const files = new Map(migrations.map((migration) => [migration.version, migration]));

  const versions = [
    ...new Set([...files.keys(), ...rows.keys(), ...(current < 0n || byName ? [] : [current])]),
  ];
  const standings = versions
    .sort((a, b) => (a < b ? -1 : 1))
    .map((version): Standing => {
      const migration = files.get(version);
      const row = rows.get(version);
      const adopted = !byName && version <= current && (version > highestRow || version === current);
      return {
        version,
        label: migration?.label ?? pad(version, migrations),
        description: migration?.description ?? row?.description ?? '',
        migration,
        row,
        applied: version !== dirty && (row !== undefined || adopted),
      };
    });
  return {
    versions: standings,
    highest: standings.findLast(({ applied }) => applied)?.version ?? -1n,
    dirty,
    byName,
  };
}

/** golang-migrate's own width is six digits. */
function pad(version: bigint, migrations: readonly Migration[]): string {
  return String(version).padStart(migrations.at(-1)?.label.length ?? 6, '0');
}
