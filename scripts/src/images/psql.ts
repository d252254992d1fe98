import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { environment, inheritedEnvironment } from '../environment.ts';
import { PreflightError } from '../errors.ts';
import { onPath } from '../on-path.ts';
import { dependenciesOf, fetchPackage } from './debian-package.ts';
import type { FileTree } from './file-tree.ts';
import { addLibraries, isElf, type Libraries, librariesOf } from './libraries.ts';

const why = 'there is no psql for the Postgres stand-in';

/** psql, and the libraries it was seen to start with. */
export interface Psql {
  readonly program: string;
  readonly libraries: Libraries;
  /** `pg_isready` beside it, when there is one. */
  readonly isReady: string | undefined;
}

/**
 * Finds psql, which the npm package has not: this machine's own, else that of Debian's package postgresql-client. It is
 * taken with the package's libpq when it starts with that: this machine's brings fifteen megabytes of libraries along.
 *
 * @param libraries the npm package's library folder
 * @param packages the folder for fetched packages
 * @throws {PreflightError} when there is none that starts
 */
export async function findPsql(libraries: string, packages: string): Promise<Psql> {
  const own = ownPsql();
  const { program, folders } = own === undefined ? await fetchPsql(packages) : { program: own, folders: [] };
  const beside = join(dirname(program), 'pg_isready');
  const isReady = isElf(beside) ? beside : undefined;
  for (const searched of [[libraries, ...folders], folders]) {
    const closure = await librariesOf([program], searched);
    if (closure.missing.length === 0 && (await starts(program, searched)))
      return { program, libraries: closure, isReady };
  }
  const { missing } = await librariesOf([program], folders);
  throw new PreflightError(why, {
    evidence: [`${program} does not start${missing.length > 0 ? `; missing: ${missing.join(', ')}` : ''}`],
    hint: 'apt-get install postgresql-client',
  });
}

/** Not a wrapper such as Debian's /usr/bin/psql, which is a script. */
function ownPsql(): string | undefined {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  const newestFirst = versions.sort((one, other) => Number(other) - Number(one));
  const candidates = [
    onPath('psql', environment['PATH']),
    ...newestFirst.map((version) => join('/usr/lib/postgresql', version, 'bin', 'psql')),
  ];
  return candidates.find((file) => file !== undefined && isElf(file));
}

/** Debian's postgresql-client is an empty package that depends on that of the current version. */
async function fetchPsql(packages: string): Promise<{ program: string; folders: string[] }> {
  const [current = 'postgresql-client'] = (await dependenciesOf('postgresql-client')).filter((name) =>
    /^postgresql-client-\d+$/.test(name),
  );
  const wanted = [
    current,
    ...(await dependenciesOf(current)).filter((name) => /^(libreadline|libpq)\d/.test(name)),
  ];
  const roots: string[] = [];
  for (const name of wanted) roots.push(await fetchPackage(name, packages, why));
  const program = join(roots[0] ?? '', 'usr/lib/postgresql', current.replace(/\D/g, ''), 'bin/psql');
  if (!isElf(program))
    throw new PreflightError(why, {
      evidence: [`the Debian package ${current} has no ${basename(program)}`],
    });
  const folders = roots.flatMap((root) =>
    ['usr/lib', 'lib'].flatMap((path) =>
      subfoldersOf(join(root, path)).filter((folder) => /-linux-/.test(folder)),
    ),
  );
  return { program, folders };
}

function subfoldersOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** With every symbol looked up at once, so that a library of another version shows now and not in the container. */
async function starts(program: string, folders: readonly string[]): Promise<boolean> {
  const env = { ...inheritedEnvironment(), LD_BIND_NOW: '1', LD_LIBRARY_PATH: folders.join(':') };
  try {
    await promisify(execFile)(program, ['--version'], { env });
    return true;
  } catch {
    return false;
  }
}

/**
 * Adds psql to an image that has the npm package at `home` already.
 *
 * @param packageFolder where the package's libraries lie on this machine
 */
export function addPsql(tree: FileTree, psql: Psql, home: string, packageFolder: string): void {
  tree.copy(`${home}/bin/psql`, psql.program, 0o755);
  if (psql.isReady !== undefined) tree.copy(`${home}/bin/pg_isready`, psql.isReady, 0o755);
  const isOfPackage = (path: string) => path.startsWith(`${packageFolder}/`);
  const { found, missing } = psql.libraries;
  addLibraries(tree, { found: found.filter((path) => !isOfPackage(path)), missing });
  // The package's libraries lie where only its own programs look.
  const libc = found.find((path) => basename(path) === 'libc.so.6');
  for (const path of libc === undefined ? [] : found.filter(isOfPackage)) {
    tree.link(join(dirname(libc ?? ''), basename(path)), `${home}/lib/${basename(path)}`);
  }
}
