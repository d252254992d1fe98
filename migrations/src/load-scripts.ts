import { join } from 'node:path';
import { type FileMistake, MigrationFilesError, NoScriptsError } from './file-errors.ts';
import { controlRule } from './file-name.ts';
import type { FileWarning } from './files/file-warning.ts';
import { nameInvisible } from './files/invisible.ts';
import { numberOrder } from './files/number-order.ts';
import { wayDownRule } from './files/way-down.ts';
import { listFolder, showPath } from './folder.ts';
import type { FolderReading, Warn } from './load.ts';
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
export async function loadScripts(folder: string, warn: Warn): Promise<Migration[]> {
  const { migrations, mistakes, warnings } = await readScripts(folder);
  const shown = showPath(folder);
  if (mistakes.length > 0) throw new MigrationFilesError(shown, mistakes);
  warn(warnings);
  if (migrations.length === 0) throw new NoScriptsError(shown);
  return [...migrations];
}

/** The same without an end at the first mistake. */
export async function readScripts(folder: string): Promise<FolderReading> {
  const shown = showPath(folder);
  const { root, entries } = listFolder(folder);
  const mistakes: FileMistake[] = [];
  const warnings: FileWarning[] = [];
  const listed = entries.map(({ name }) => ({ path: join(shown, printable(name)), name }));
  const names = new Set(entries.map(({ name }) => name));
  const migrations = entries.flatMap((entry, index): readonly Migration[] => {
    const { name } = entry;
    const path = join(shown, printable(name));
    const rule = refuse(name);
    const down = wayDownRule(name, names);
    if (rule !== undefined) mistakes.push({ path, rule });
    else if (down !== undefined) mistakes.push({ path, rule: down, code: 'both-directions', fix: upOnly });
    if (rule !== undefined || down !== undefined) return [];
    const unseen = nameInvisible(name);
    if (unseen !== undefined) {
      const odd = `its name holds ${unseen}, which nobody sees`;
      warnings.push({
        path,
        name,
        code: 'name-characters',
        rule: odd,
        fix: 'another name, before it is applied anywhere',
      });
    }
    const reading = readSqlFile(root, entry, path, 'up');
    mistakes.push(...reading.mistakes);
    warnings.push(...reading.warnings);
    if (reading.file === undefined) return [];
    return [{ version: BigInt(index + 1), label: name, description: '', up: reading.file, down: undefined }];
  });
  warnings.push(...numberOrder(listed));
  return { migrations, mistakes, warnings, otherLayouts: [] };
}

const upOnly = 'the layout alphabetical goes up only: keep ways down in another folder';

function refuse(name: string): string | undefined {
  if (!/\.(?:up|down)\.sql$/i.test(name)) return controlRule(name);
  return 'is named as in the layout versioned; in the layout alphabetical each .sql file stands alone';
}

/** The place of each script by its name. */
export function placesOf(migrations: readonly Migration[]): ReadonlyMap<string, bigint> {
  return new Map(migrations.map(({ label, version }) => [label, version]));
}
