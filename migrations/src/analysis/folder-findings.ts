import { join } from 'node:path';
import { dependencyFileName, readDependencyFile } from '../dependencies/dependency-file.ts';
import { ConfigFileError } from '../errors.ts';
import { showPath } from '../folder.ts';
import type { Migration } from '../migration.ts';
import type { Located } from './analyse.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import { LineIndex } from './line-index.ts';
import { offsetOfByte } from './parser.ts';

/** From this many digits on a version is a time. */
const shortestTimestamp = 12;

/** What is odd about the migrations of a folder as a row: gaps, paddings, names. Scripts of the layout alphabetical have none. */
export function folderFindings(migrations: readonly Migration[]): Finding[] {
  const numbered = migrations.filter(({ label }) => label.length < shortestTimestamp);
  const width = usualWidth(numbered);
  return migrations.flatMap((migration, index) => [
    ...namingOf(migration),
    ...(numbered.includes(migration)
      ? [...paddingOf(migration, width), ...gapBefore(migration, migrations[index - 1])]
      : []),
  ]);
}

function namingOf({ description, up }: Migration): Finding[] {
  // Other characters are a warning of their own.
  if (!/^[A-Za-z0-9_-]+$/.test(description) || /^[a-z0-9]+(_[a-z0-9]+)*$/.test(description)) return [];
  const better = description
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
  const message = `the description ${description} is not in lower_snake_case, as tools and shells expect`;
  return [
    {
      code: 'naming',
      severity: 'notice',
      path: up.path,
      place: undefined,
      message,
      fix: `${better}; rename both files before it is applied anywhere`,
    },
  ];
}

function paddingOf({ label, version, up }: Migration, width: number): Finding[] {
  if (label.length === width || String(version).length > width) return [];
  const message = `${label} is padded otherwise than most, so listings do not show it where it runs`;
  const fix = String(version).padStart(width, '0');
  return [{ code: 'padding', severity: 'warning', path: up.path, place: undefined, message, fix }];
}

function gapBefore({ version, up, overlay }: Migration, before: Migration | undefined): Finding[] {
  if (before === undefined || overlay !== undefined || version - before.version <= 1n) return [];
  const message = `version ${version} follows ${before.version}: what lies between may be missing`;
  return [
    {
      code: 'version-gap',
      severity: 'notice',
      path: up.path,
      place: undefined,
      message,
      fix: 'nothing, if nothing is; whoever adds the version between later must run it out of order',
    },
  ];
}

/** Foreign keys that no index serves, judged when all files are read: the index may come in a later one. */
export function unindexedFindings(facts: Facts): Located[] {
  return facts.unindexedForeignKeys().map(({ table, columns, origin, location }) => {
    const { file, statement } = origin;
    const within = location === undefined ? 0 : offsetOfByte(statement.text, location);
    const listed = columns.join(', ');
    return {
      code: 'foreign-key-unindexed',
      severity: 'notice',
      path: file.path,
      place: new LineIndex(file.text).place(statement.offset + within),
      message: `no index of ${table} begins with ${listed}: each delete in the table it refers to reads all of ${table}`,
      fix: `create index concurrently … on ${table} (${listed}), alone in its file`,
      statement,
    };
  });
}

/** What is wrong with the dependencies.json of the folder, as far as it can be told without the other services; see `deps`. */
export function dependencyFindings(folder: string, migrations: readonly Migration[]): Finding[] {
  const path = showPath(join(folder, dependencyFileName));
  const found = (message: string): Finding => {
    return { code: 'file', severity: 'error', path, place: undefined, message, fix: undefined };
  };
  try {
    const file = readDependencyFile(folder);
    const known = new Set(migrations.map(({ version }) => version));
    const without = [...(file?.needs.keys() ?? [])].filter((version) => !known.has(version));
    return without.map((version) =>
      found(`there is no migration ${version}, of which it says what it needs`),
    );
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    return [error.message, ...error.evidence].map(found);
  }
}

/** The number of digits most versions are written with. */
function usualWidth(migrations: readonly Migration[]): number {
  const counts = new Map<number, number>();
  for (const { label } of migrations) counts.set(label.length, (counts.get(label.length) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [0, 0] as [
    number,
    number,
  ])[0];
}
