import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  type FileMistake,
  MigrationFilesError,
  MigrationsFolderError,
  NoMigrationsError,
} from './file-errors.ts';
import { isFileName, type OtherName, parseFileName } from './file-name.ts';
import type { FileWarning } from './files/file-warning.ts';
import { nameWarnings } from './files/name-warnings.ts';
import { describeOtherLayouts } from './files/other-layouts.ts';
import { type Folder, listFolder, showPath } from './folder.ts';
import type { Layout } from './layout.ts';
import type { Migration } from './migration.ts';
import { type NamedFile, pairFiles } from './pair.ts';
import { printable } from './printable.ts';
import { readSqlFile } from './sql-reading.ts';
import type { Environment } from './strategy.ts';

/** Files read in one go, before timers, signals and the connection that is being made get their turn. */
const filesAtOnce = 8;

/** What a folder holds: its migrations, ascending by version, and every mistake in it. */
export interface FolderReading {
  readonly migrations: readonly Migration[];
  /** What is refused, by path. */
  readonly mistakes: readonly FileMistake[];
  /** What is odd and stops nothing, by path. */
  readonly warnings: readonly FileWarning[];
  /** Of a folder without migrations: which other layouts it looks like, a line each. */
  readonly otherLayouts: readonly string[];
}

/** Takes the warnings of a folder that is run. */
export type Warn = (warnings: readonly FileWarning[]) => void;

/** What is read besides the folder's own files. */
export interface LoadOptions {
  /** The environment whose overlay applies: the migrations of the sub-folder of its name. */
  readonly environment?: Environment | undefined;
}

/**
 * Reads the migrations of a folder and of the environment's overlay.
 *
 * A migration is `{version}_{description}.up.sql` and, when it can be taken back, the `.down.sql` of the same version. Other
 * sub-folders, hidden files and files that do not end in `.sql` are passed over, and so is, with a warning, an `.sql` file
 * without a version. A version of the overlay may not be one of the base, which it cannot change.
 *
 * @throws {MigrationsFolderError} when a folder cannot be listed; exit status 2
 */
export async function readMigrations(
  folder: string,
  { environment }: LoadOptions = {},
): Promise<FolderReading> {
  const base = await readFolder(folder, undefined);
  const overlay = environment === undefined ? undefined : await readOverlay(folder, environment);
  const mistakes = [...base.mistakes, ...(overlay?.mistakes ?? [])];
  const warnings = [...base.warnings, ...(overlay?.warnings ?? [])];
  // Sorted, because a folder lists its files in no order.
  const files = [...base.files.sort(byPath), ...(overlay?.files ?? []).sort(byPath)];
  const migrations = pairFiles(files, { mistakes, warnings });
  const plain = [...base.plain, ...(overlay?.plain ?? [])];
  const none = files.length === 0 && mistakes.length === 0;
  if (!none) judgePlain(plain, files, { mistakes, warnings });
  return {
    migrations,
    mistakes: mistakes.sort(byPath),
    warnings: warnings.sort(byPath),
    otherLayouts: none
      ? describeOtherLayouts(
          base.listed,
          plain.map(({ name }) => name),
        )
      : [],
  };
}

/** A plain file beside versioned ones would never run: loud, unless its version has its migration, and it is a copy or a note. */
function judgePlain(
  plain: readonly PlainFile[],
  files: readonly NamedFile[],
  { mistakes, warnings }: { mistakes: FileMistake[]; warnings: FileWarning[] },
): void {
  const ups = new Map(files.flatMap((file) => (file.direction === 'up' ? [[file.version, file.name]] : [])));
  for (const { path, name, version, rule } of plain) {
    const taken = ups.get(version);
    if (taken === undefined) {
      const mixed =
        'is named as in the layout alphabetical, between files of the layout versioned, and would not run';
      const fix =
        'one layout for all files, or what is no migration in a sub-folder; docs/coming-from.md has both layouts';
      mistakes.push({ path, rule: `${mixed}; ${rule}`, fix });
    } else {
      const passed = `is passed over: version ${version} is ${taken}`;
      warnings.push({
        path,
        name,
        code: 'passed-over',
        rule: passed,
        fix: 'a sub-folder, or a name without a version',
      });
    }
  }
}

/**
 * The same for whoever runs them, so that one mistake stops all.
 *
 * @throws {MigrationFilesError} with every mistake of every file; exit status 3
 * @throws {NoMigrationsError} when there is no migration; exit status 3
 * @throws {MigrationsFolderError} when a folder cannot be listed; exit status 2
 */
export async function loadMigrations(
  folder: string,
  options: LoadOptions = {},
  warn: Warn = () => {},
): Promise<Migration[]> {
  const { migrations, mistakes, warnings, otherLayouts } = await readMigrations(folder, options);
  const shown = showPath(folder);
  if (mistakes.length > 0) throw new MigrationFilesError(shown, mistakes);
  warn(warnings);
  if (migrations.length === 0) throw new NoMigrationsError(shown, otherLayouts);
  return [...migrations];
}

/** Reads the migrations of a folder in one of the two layouts; only the layout versioned has overlays. */
export async function loadLayout(
  folder: string,
  layout: Layout,
  environment: Environment | undefined,
  warn: Warn,
): Promise<Migration[]> {
  if (layout === 'versioned') return loadMigrations(folder, { environment }, warn);
  const { loadScripts } = await import('./load-scripts.ts');
  return loadScripts(folder, warn);
}

async function readOverlay(folder: string, environment: Environment) {
  try {
    return await readFolder(join(folder, environment), environment);
  } catch (error) {
    if (error instanceof MigrationsFolderError && error.absent) return undefined;
    throw error;
  }
}

/** A numbered file of another layout. */
interface PlainFile {
  readonly path: string;
  readonly name: string;
  readonly version: bigint;
  readonly rule: string;
}

/** What a folder holds, before its files are brought together. */
interface Found {
  readonly files: NamedFile[];
  readonly plain: PlainFile[];
  readonly mistakes: FileMistake[];
  readonly warnings: FileWarning[];
  readonly listed: Folder;
}

async function readFolder(folder: string, overlay: Environment | undefined): Promise<Found> {
  const shown = showPath(folder);
  const listed = listFolder(folder);
  const found: Found = { files: [], plain: [], mistakes: [], warnings: [], listed };
  const pathOf = (name: string) => join(shown, printable(name));
  for (const [index, entry] of listed.entries.entries()) {
    if (index % filesAtOnce === 0) await setImmediate();
    const path = pathOf(entry.name);
    const name = parseFileName(entry.name);
    if (!isFileName(name)) {
      noteOther({ path, name: entry.name, ...name }, found);
      continue;
    }
    const { file, mistakes, warnings } = readSqlFile(listed.root, entry, path, name.direction);
    found.mistakes.push(...mistakes);
    found.warnings.push(...warnings, ...nameWarnings(path, entry.name, name.description));
    found.files.push({ ...name, path, name: entry.name, file, overlay });
  }
  for (const name of listed.strays) {
    const rule = 'is passed over: golang-migrate takes any ending, here it is .sql';
    found.warnings.push({
      path: pathOf(name),
      name,
      code: 'passed-over',
      rule,
      fix: 'the ending .sql, if it is a migration',
    });
  }
  return found;
}

function noteOther(
  { path, name, verdict, version, rule }: { path: string; name: string } & OtherName,
  { plain, mistakes, warnings }: Found,
): void {
  if (verdict === 'plain' && version !== undefined) plain.push({ path, name, version, rule });
  else if (verdict === 'stray')
    warnings.push({
      path,
      name,
      code: 'passed-over',
      rule,
      fix: 'nothing, if it is none; else a version and a direction',
    });
  else mistakes.push({ path, rule });
}

function byPath(a: { path: string }, b: { path: string }): number {
  if (a.path === b.path) return 0;
  return a.path < b.path ? -1 : 1;
}
