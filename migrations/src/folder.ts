import { type Dirent, readdirSync, realpathSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { MigrationsFolderError } from './file-errors.ts';
import { printable } from './printable.ts';

/** The folder of migrations as found. */
export interface Folder {
  /** Its real path. */
  readonly root: string;
  /** What ends in `.sql`, in any case, by name. Sub-folders, and hidden files, which no person wrote, are left out. */
  readonly entries: readonly Dirent[];
  /** Names without `.sql` at their end that golang-migrate takes all the same; backups of editors are left out. */
  readonly strays: readonly string[];
  /** Names of sub-folders. */
  readonly folders: readonly string[];
}

/** golang-migrate minds no extension. */
const numbered = /^[0-9]+_.*\.(?:down|up)\./;
const backup = /(?:~|\.(?:bak|orig|rej|sw[a-z]|old|tmp|save))$/i;

/** @throws {MigrationsFolderError} when it is absent, no folder, or closed to this user */
export function listFolder(folder: string): Folder {
  try {
    const root = realpathSync(folder);
    const entries = readdirSync(root, { withFileTypes: true });
    const files = entries.filter((entry) => isSql(entry.name) && !entry.isDirectory());
    return {
      root,
      entries: files.sort((a, b) => (a.name < b.name ? -1 : 1)),
      strays: entries
        .flatMap((entry) => (!entry.isDirectory() && isStray(entry.name) ? [entry.name] : []))
        .sort(),
      folders: entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort(),
    };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const reasons: Record<string, string> = {
      ENOENT: 'does not exist',
      ENOTDIR: 'is not a folder',
      EACCES: 'cannot be read by this user',
    };
    const reason = reasons[code] ?? `cannot be read (${code})`;
    throw new MigrationsFolderError(showPath(folder), reason, error);
  }
}

function isSql(name: string): boolean {
  return /^[^.].*\.sql$/is.test(name);
}

function isStray(name: string): boolean {
  return numbered.test(name) && !isSql(name) && !backup.test(name);
}

/** A path as shown to a person: relative to the working directory when under it. */
export function showPath(path: string): string {
  const local = relative(process.cwd(), resolve(path));
  const under = local !== '' && !isAbsolute(local) && !/^\.\.(?:[/\\]|$)/.test(local);
  return printable(under ? local : path);
}
