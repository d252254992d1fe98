import { join } from 'node:path';
import { type FileMistake, MigrationFilesError, NoMigrationsError } from './file-errors.ts';
import { parseFileName } from './file-name.ts';
import { listFolder, showPath } from './folder.ts';
import type { Migration } from './migration.ts';
import { type NamedFile, pairFiles } from './pair.ts';
import { printable } from './printable.ts';
import { readSqlFile } from './sql-reading.ts';

/** Files read at once. */
const readers = 16;

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
  await inParallel(entries, async (entry) => {
    const path = join(shown, printable(entry.name));
    const name = parseFileName(entry.name);
    if (typeof name === 'string') {
      mistakes.push({ path, rule: name });
      return;
    }
    const { file, mistakes: found } = await readSqlFile(root, entry, path, name.direction);
    mistakes.push(...found.map((mistake) => ({ path, ...mistake })));
    files.push({ ...name, path, name: entry.name, file });
  });
  // Sorted, because what is reported must not depend on which file was read first.
  const migrations = pairFiles(files.sort(byPath), mistakes);
  if (mistakes.length > 0) throw new MigrationFilesError(shown, mistakes.sort(byPath));
  if (migrations.length === 0) throw new NoMigrationsError(shown);
  return migrations;
}

function byPath(a: { path: string }, b: { path: string }): number {
  if (a.path === b.path) return 0;
  return a.path < b.path ? -1 : 1;
}

/** Runs `work` for each item, at most {@link readers} at once. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const reader = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: readers }, reader));
}
