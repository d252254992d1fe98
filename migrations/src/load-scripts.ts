import { join } from 'node:path';
import { type FileMistake, MigrationFilesError, NoScriptsError } from './file-errors.ts';
import { listFolder, showPath } from './folder.ts';
import type { FolderReading } from './load.ts';
import type { Migration } from './migration.ts';
import { printable } from './printable.ts';
import { readSqlFile } from './sql-reading.ts';

/**
 * Reads the scripts of a folder in the layout `alphabetical`: each `.sql` file is a migration of its own, in the order of the
 * names, and is recorded by its name. Its version is its place in that order, from 1; none can be taken back.
 *
 * @throws {MigrationFilesError} with every mistake of every file; exit status 3
 * @throws {NoScriptsError} when there is none; exit status 3
 */
export async function loadScripts(folder: string): Promise<Migration[]> {
  const { migrations, mistakes } = await readScripts(folder);
  const shown = showPath(folder);
  if (mistakes.length > 0) throw new MigrationFilesError(shown, mistakes);
  if (migrations.length === 0) throw new NoScriptsError(shown);
  return [...migrations];
}

/** The same without an end at the first mistake. */
export async function readScripts(folder: string): Promise<FolderReading> {
  const shown = showPath(folder);
  const { root, entries } = listFolder(folder);
  const mistakes: FileMistake[] = [];
  const migrations = entries.flatMap((entry, index): readonly Migration[] => {
    const path = join(shown, printable(entry.name));
    if (/\.(?:up|down)\.sql$/i.test(entry.name)) {
      const rule =
        'is named as in the layout versioned; in the layout alphabetical each .sql file stands alone';
      mistakes.push({ path, rule });
      return [];
    }
    if (/\p{C}/u.test(entry.name)) {
      mistakes.push({ path, rule: 'its name holds a control character, and the name is recorded' });
      return [];
    }
    const { file, mistakes: found } = readSqlFile(root, entry, path, 'up');
    mistakes.push(...found.map((mistake) => ({ path, ...mistake })));
    if (file === undefined) return [];
    return [{ version: BigInt(index + 1), label: entry.name, description: '', up: file, down: undefined }];
  });
  return { migrations, mistakes };
}

/** The place of each script by its name. */
export function placesOf(migrations: readonly Migration[]): ReadonlyMap<string, bigint> {
  return new Map(migrations.map(({ label, version }) => [label, version]));
}
