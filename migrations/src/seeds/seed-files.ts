import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { showPath } from '../folder.ts';
import { parseTableName, type TableName } from '../identifiers.ts';
import { isRecord, readJsonFile } from '../json-file.ts';
import type { Environment } from '../strategy.ts';
import { SeedFileError } from './errors.ts';

export const keysFileName = 'keys.json';

/** One file of seeds. */
export interface SeedFile {
  /** As shown to a person. */
  readonly path: string;
  /** Its real path, inside the folder of migrations. */
  readonly real: string;
  readonly kind: 'sql' | 'csv' | 'json';
  /** Of csv and json: what it is for. */
  readonly table: TableName | undefined;
}

export interface Seeds {
  /** In the order in which they are loaded. */
  readonly files: readonly SeedFile[];
  /** By table as spelled: the columns by which a row is known. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

const largest = 512 * 1024 * 1024;

/**
 * Finds the seeds of an environment below a folder of migrations: `seeds/common/` and then `seeds/<environment>/`, each in the order of the
 * names: `10_users.csv`, `20_sales.orders.json`, `30_anything.sql`.
 *
 * @throws {SeedFileError} for a file that is none, or that leads out of the folder; exit status 3
 * @throws {ConfigFileError} when keys.json is wrong; exit status 2
 */
export async function findSeeds(migrations: string, environment: Environment): Promise<Seeds> {
  const root = await realpath(migrations).catch(() => migrations);
  const files: SeedFile[] = [];
  for (const part of ['common', environment]) {
    const folder = join(migrations, 'seeds', part);
    for (const name of (await readdir(folder).catch(() => [])).sort()) {
      if (name.startsWith('.')) continue;
      files.push(await readOne(root, join(folder, name), name));
    }
  }
  return { files, keys: readKeys(migrations) };
}

async function readOne(root: string, path: string, name: string): Promise<SeedFile> {
  const shown = showPath(path);
  const [, table = '', kind] = /^\d+_(.+)\.(sql|csv|json)$/.exec(name) ?? [];
  if (kind !== 'sql' && kind !== 'csv' && kind !== 'json') {
    throw new SeedFileError(
      shown,
      undefined,
      'expected a name such as 10_users.csv, 20_sales.orders.json or 30_anything.sql',
    );
  }
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) throw new SeedFileError(shown, undefined, 'is a symbolic link to nothing');
  if (!real.startsWith(root + sep))
    throw new SeedFileError(shown, undefined, 'leads out of the folder of migrations');
  const found = (await lstat(path)).isSymbolicLink() ? await stat(real) : await lstat(path);
  if (!found.isFile()) throw new SeedFileError(shown, undefined, 'is not a regular file');
  if (found.size > largest) throw new SeedFileError(shown, undefined, `is over ${largest / 1024 / 1024} MiB`);
  if (kind === 'sql') return { path: shown, real, kind, table: undefined };
  const parsed = parseTableName(table);
  if ('rule' in parsed)
    throw new SeedFileError(shown, undefined, `its name is that of no table: ${parsed.rule}`);
  return { path: shown, real, kind, table: parsed };
}

function readKeys(migrations: string): ReadonlyMap<string, readonly string[]> {
  const file = readJsonFile(join(migrations, 'seeds', keysFileName));
  if (file === undefined) return new Map();
  const wrong = (place: string): never => {
    throw new SeedFileError(
      place,
      undefined,
      'expected { "users": ["email"] }: by table the columns by which a row is known',
    );
  };
  if (!isRecord(file.value)) return wrong(file.name);
  return new Map(
    Object.entries(file.value).map(([table, columns]): [string, readonly string[]] => {
      const names = Array.isArray(columns)
        ? columns.filter((name) => typeof name === 'string' && name !== '')
        : [];
      if (!Array.isArray(columns) || names.length === 0 || names.length < columns.length)
        return wrong(file.placeOf(table));
      return [table, names];
    }),
  );
}
