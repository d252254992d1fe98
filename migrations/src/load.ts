import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  type FileMistake,
  MigrationFilesError,
  MigrationsFolderError,
  NoMigrationsError,
} from './file-errors.ts';
import { parseFileName } from './file-name.ts';
import { listFolder, showPath } from './folder.ts';
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
  /** By path. */
  readonly mistakes: readonly FileMistake[];
}

/** What is read besides the folder's own files. */
export interface LoadOptions {
  /** The environment whose overlay applies: the migrations of the sub-folder of its name. */
  readonly environment?: Environment | undefined;
}

/**
 * Reads the migrations of a folder and of the environment's overlay.
 *
 * A migration is `{version}_{description}.up.sql` and, when it can be taken back, the `.down.sql` of the same version
 * and description. Other sub-folders, hidden files and files that do not end in `.sql` are passed over. A version of the overlay
 * may not be one of the base, which it cannot change.
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
  // Sorted, because a folder lists its files in no order.
  const files = [...base.files.sort(byPath), ...(overlay?.files ?? []).sort(byPath)];
  return { migrations: pairFiles(files, mistakes), mistakes: mistakes.sort(byPath) };
}

/**
 * The same for whoever runs them, so that one mistake stops all.
 *
 * @throws {MigrationFilesError} with every mistake of every file; exit status 3
 * @throws {NoMigrationsError} when there is no migration; exit status 3
 * @throws {MigrationsFolderError} when a folder cannot be listed; exit status 2
 */
export async function loadMigrations(folder: string, options: LoadOptions = {}): Promise<Migration[]> {
  const { migrations, mistakes } = await readMigrations(folder, options);
  const shown = showPath(folder);
  if (mistakes.length > 0) throw new MigrationFilesError(shown, mistakes);
  if (migrations.length === 0) throw new NoMigrationsError(shown);
  return [...migrations];
}

/** Reads the migrations of a folder in one of the two layouts; only the layout versioned has overlays. */
export async function loadLayout(
  folder: string,
  layout: Layout,
  environment: Environment | undefined,
): Promise<Migration[]> {
  if (layout === 'versioned') return loadMigrations(folder, { environment });
  const { loadScripts } = await import('./load-scripts.ts');
  return loadScripts(folder);
}

async function readOverlay(folder: string, environment: Environment) {
  try {
    return await readFolder(join(folder, environment), environment);
  } catch (error) {
    if (error instanceof MigrationsFolderError && error.absent) return undefined;
    throw error;
  }
}

async function readFolder(folder: string, overlay: Environment | undefined) {
  const shown = showPath(folder);
  const { root, entries } = listFolder(folder);
  const mistakes: FileMistake[] = [];
  const files: NamedFile[] = [];
  for (const [index, entry] of entries.entries()) {
    if (index % filesAtOnce === 0) await setImmediate();
    const path = join(shown, printable(entry.name));
    const name = parseFileName(entry.name);
    if (typeof name === 'string') {
      mistakes.push({ path, rule: name });
      continue;
    }
    const { file, mistakes: found } = readSqlFile(root, entry, path, name.direction);
    mistakes.push(...found.map((mistake) => ({ path, ...mistake })));
    files.push({ ...name, path, name: entry.name, file, overlay });
  }
  return { files, mistakes };
}

function byPath(a: { path: string }, b: { path: string }): number {
  if (a.path === b.path) return 0;
  return a.path < b.path ? -1 : 1;
}
