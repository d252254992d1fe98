import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { PgToolMissingError } from './errors.ts';

export type PgToolName = 'pg_dump' | 'pg_restore';

/** One of Postgres' own programs, of the server's major version. */
export interface PgTool {
  readonly path: string;
  /** As it tells, as in `15.20`. */
  readonly version: string;
}

const run = promisify(execFile);

/**
 * Finds Postgres' own program of exactly the server's major version: an older one refuses the server, and what a newer one
 * writes an older server need not understand.
 *
 * @param folder where the setting `pgBin` says that it is; nowhere else is then looked
 * @throws {PgToolMissingError} that names every program that was found instead
 */
export async function findPgTool(
  name: PgToolName,
  major: number,
  folder: string | undefined,
): Promise<PgTool> {
  const found: string[] = [];
  for (const path of placesOf(name, major, folder)) {
    const version = await versionOf(path);
    if (version === undefined) continue;
    if (Number.parseInt(version, 10) === major) return { path, version };
    const line = `${path} is ${version}`;
    if (!found.includes(line)) found.push(line);
  }
  const fact = `no ${name} for Postgres ${major} was found`;
  const remedy = [
    `Debian's package is postgresql-client-${major}`,
    '--pg-bin (MIGRATION_PG_BIN) names the folder of another one',
  ];
  throw new PgToolMissingError(fact, [...found, ...remedy]);
}

function placesOf(name: string, major: number, folder: string | undefined): string[] {
  if (folder !== undefined) return [join(folder, name)];
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((place) => place !== '');
  const usual = [
    `/usr/lib/postgresql/${major}/bin`,
    `/usr/pgsql-${major}/bin`,
    `/opt/homebrew/opt/postgresql@${major}/bin`,
    `/usr/local/opt/postgresql@${major}/bin`,
  ];
  return [...usual, ...onPath].map((place) => join(place, name));
}

/** `pg_dump (PostgreSQL) 15.20 (Debian …)` */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 10_000 });
    return /\(PostgreSQL\) (\S+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
