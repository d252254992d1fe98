import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type FileMistake, MigrationFilesError, NoMigrationsError } from './file-errors.ts';
import { parseFileName } from './file-name.ts';
import { listFolder, showPath } from './folder.ts';
import type { Layout } from './layout.ts';
import type { Migration } from './migration.ts';
import { type NamedFile, pairFiles } from './pair.ts';
import { printable } from './printable.ts';
import { readSqlFile } from './sql-reading.ts';

/** Files read in one go, before timers, signals and the connection that is being made get their turn. */
const filesAtOnce = 64;

/**
 * Reads the migrations of a folder, ascending by version.
 *
 * A migration is `{version}_{description}.up.sql` and, when it can be taken back, the `.down.sql` of the same version
 * and description. Sub-folders, hidden files and files that do not end in `.sql` are passed over.
 *
 * @throws {MigrationFilesError} with every mistake of every file; exit status 3
 * @throws {NoMigrationsError} when there is no migration; exit status 3
 * @throws {MigrationsFolderError} when the folder cannot be listed; exit status 2
 */
export async function loadMigrations(folder: string): Promise<Migration[]> {
  const shown = showPath(folder);
  const { root, entries } = await listFolder(folder);
  const mistakes: FileMistake[] = [];
  const files: NamedFile[] = [];
  for (const [index, entry] of entries.entries()) {
    if (index % filesAtOnce === filesAtOnce - 1) await setImmediate();
    const path = join(shown, printable(entry.name));
    const name = parseFileName(entry.name);
    if (typeof name === 'string') {
      mistakes.push({ path, rule: name });
      continue;
    }
    const { file, mistakes: found } = readSqlFile(root, entry, path, name.direction);
    mistakes.push(...found.map((mistake) => ({ path, ...mistake })));
    files.push({ ...name, path, name: entry.name, file });
  }
  // Sorted, because a folder lists its files in no order.
  const migrations = pairFiles(files.sort(byPath), mistakes);
  if (mistakes.length > 0) throw new MigrationFilesError(shown, mistakes.sort(byPath));
  if (migrations.length === 0) throw new NoMigrationsError(shown);
  return migrations;
}

/** Reads the migrations of a folder in one of the two layouts. */
export async function loadLayout(folder: string, layout: Layout): Promise<Migration[]> {
  if (layout === 'versioned') return loadMigrations(folder);
  const { loadScripts } = await import('./load-scripts.ts');
  return loadScripts(folder);
}

function byPath(a: { path: string }, b: { path: string }): number {
  if (a.path === b.path) return 0;
  return a.path < b.path ? -1 : 1;
}
