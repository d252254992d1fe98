import type { FileMistake } from './file-errors.ts';
import type { FileName } from './file-name.ts';
import type { FileWarning } from './files/file-warning.ts';
import type { Direction, Migration, SqlFile } from './migration.ts';
import type { Environment } from './strategy.ts';

/** A file with a right name; without `file` when reading it found a mistake. */
export interface NamedFile extends FileName {
  readonly path: string;
  readonly name: string;
  readonly file: SqlFile | undefined;
  /** The environment in whose overlay it lies. */
  readonly overlay?: Environment | undefined;
}

/** Where what is found goes: what stops all, and what is only odd. */
interface Findings {
  readonly mistakes: FileMistake[];
  readonly warnings: FileWarning[];
}

/**
 * Brings up and down files together by their versions, ascending. A version has one up file and at most one down file, whatever
 * their descriptions and paddings; a further one of a direction is a mistake.
 */
export function pairFiles(files: readonly NamedFile[], findings: Findings): Migration[] {
  const versions = new Map<bigint, NamedFile[]>();
  for (const file of files) {
    const others = versions.get(file.version);
    if (others === undefined) versions.set(file.version, [file]);
    else others.push(file);
  }
  const migrations = [...versions.values()].flatMap((same) => pair(same, findings) ?? []);
  return migrations.sort((a, b) => (a.version < b.version ? -1 : 1));
}

function pair(same: readonly NamedFile[], { mistakes, warnings }: Findings): Migration | undefined {
  const up = only('up', same, mistakes);
  const down = only('down', same, mistakes);
  if (up === undefined) {
    if (down !== undefined) warnings.push(alone(down));
    return undefined;
  }
  if (down !== undefined && stem(down) !== stem(up)) warnings.push(otherName(down, up));
  if (down !== undefined && down.overlay !== up.overlay) {
    mistakes.push({ path: down.path, rule: `its up file is ${up.path}, and both belong in one folder` });
  }
  const { version, label, description, overlay } = up;
  if (up.file === undefined) return undefined;
  const migration = { version, label, description, up: up.file, down: down?.file };
  return overlay === undefined ? migration : { ...migration, overlay };
}

/** To record it as applied would be untrue: nobody knows what it takes back. */
function alone({ path, name, version }: NamedFile): FileWarning {
  const rule = `version ${version} has no up file, so this one is passed over`;
  return {
    path,
    name,
    code: 'down-without-up',
    rule,
    fix: 'bring back its up file, or move this one out of the folder',
  };
}

function otherName({ path, name }: NamedFile, up: NamedFile): FileWarning {
  const rule = `its up file is ${up.name}: the version makes them a pair, their names do not`;
  return { path, name, code: 'pair-name', rule, fix: `${stem(up)}.down.sql` };
}

/** The first file of a direction; each further one is a mistake. */
function only(
  direction: Direction,
  same: readonly NamedFile[],
  mistakes: FileMistake[],
): NamedFile | undefined {
  const [first, ...others] = same.filter((file) => file.direction === direction);
  for (const { path, version, overlay } of others) {
    const taken = `version ${version} is already that of ${first?.name}`;
    const rule =
      overlay === first?.overlay
        ? taken
        : `${taken} outside this overlay, which adds to it and changes nothing of it`;
    mistakes.push({ path, rule });
  }
  return first;
}

function stem({ label, description }: NamedFile): string {
  return `${label}_${description}`;
}
