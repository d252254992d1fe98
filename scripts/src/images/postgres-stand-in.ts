import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findPostgresPackage, postgresPackage } from '../engines/embedded/postgres-programs.ts';
import { PreflightError } from '../errors.ts';
import { baseSystem } from './base-system.ts';
import type { FileTree } from './file-tree.ts';
import { addLibraries, isElf, librariesOf } from './libraries.ts';
import { addPsql, findPsql } from './psql.ts';
import { postgresReference, readImageFile, type StandIn, type StandInTools } from './stand-in.ts';

/** As in the official image on Debian. */
const user = { name: 'postgres', uid: 999, gid: 999, home: '/var/lib/postgresql' };

/** What only a compiler needs, and languages whose interpreters are not there. */
const leftOut =
  /^(lib\/(pkgconfig|postgresql\/pgxs)(\/|$)|lib\/[^/]*\.a$|lib\/lib(ecpg|pgtypes)|lib\/postgresql\/.*pl(perl|python3|tcl)u?\.so$|share\/postgresql\/extension\/.*pl(perl|python3|tcl)u?)/;

/** Of busybox: what the entry point and initialisation scripts call. */
const tools = [
  'awk',
  'basename',
  'chown',
  'cut',
  'date',
  'dirname',
  'find',
  'gunzip',
  'gzip',
  'hostname',
  'ln',
  'mktemp',
  'printf',
  'readlink',
  'realpath',
  'sort',
  'stat',
  'su',
  'sync',
  'tar',
  'tr',
  'wc',
  'which',
  'xargs',
  'xzcat',
  'zcat',
];

/**
 * The Postgres programs of the npm package, psql, and an entry point with the official image's behaviour.
 *
 * @throws {PreflightError} when the package is not installed or there is no psql
 */
export async function postgresStandIn({ root, busybox, packages }: StandInTools): Promise<StandIn> {
  const found = findPostgresPackage();
  if (found === undefined) {
    throw new PreflightError(`the npm package ${postgresPackage()} is not installed`, {
      hint: 'npm ci (with optional dependencies)',
    });
  }
  const native = join(found.folder, 'native');
  const major = Number.parseInt(found.version, 10);
  const home = `/usr/lib/postgresql/${major}`;
  const tree = baseSystem(busybox, user, tools).copyFolder(home, native, (path) => !leftOut.test(path));
  addLinks(tree, home, found.folder);
  addLibraries(tree, await systemLibraries(native));
  addPsql(tree, await findPsql(join(native, 'lib'), packages), home, native);
  addFolders(tree, readImageFile(root, 'postgres/docker-entrypoint.sh'));
  const sample = `${home}/share/postgresql/postgresql.conf.sample`;
  tree.text(
    sample,
    containerSettings(readFileSync(join(native, 'share/postgresql/postgresql.conf.sample'), 'utf8')),
  );
  return {
    reference: postgresReference,
    title: `PostgreSQL, the programs of ${postgresPackage()}`,
    version: found.version,
    tree,
    dockerfile: readImageFile(root, 'postgres/Dockerfile'),
    args: { MAJOR: String(major) },
    base: undefined,
  };
}

/** Links between libraries, which npm does not pack and an install script makes: here without that. */
function addLinks(tree: FileTree, home: string, folder: string): void {
  const list = JSON.parse(readFileSync(join(folder, 'native/pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of list) {
    const path = target.replace(/^native\//, '');
    if (!leftOut.test(path)) tree.link(`${home}/${path}`, basename(source));
  }
}

/** What the package's programs and libraries load beside each other. */
async function systemLibraries(native: string) {
  const files = ['bin', 'lib'].flatMap((name) =>
    readdirSync(join(native, name)).map((file) => join(native, name, file)),
  );
  const programs = files.filter((file) => !leftOut.test(file.slice(native.length + 1)) && isElf(file));
  const { found, missing } = await librariesOf(programs, [join(native, 'lib')]);
  // Links that are not made yet: the library itself is asked as well.
  const own = new Set(readdirSync(join(native, 'lib')).map((file) => file.replace(/(\.so\.\d+).*$/, '$1')));
  const absent = missing.filter((name) => !own.has(name));
  if (absent.length > 0) {
    throw new PreflightError('this machine lacks libraries that Postgres needs', { evidence: absent });
  }
  return { found: found.filter((path) => !path.startsWith(`${native}/`)), missing: [] };
}

function addFolders(tree: FileTree, entryPoint: string): void {
  tree
    .text('/usr/local/bin/docker-entrypoint.sh', entryPoint, 0o755)
    // Asked by Postgres for the names of the system's locales.
    .text('/usr/bin/locale', '#!/bin/sh\nprintf "C\\nC.utf8\\nPOSIX\\n"\n', 0o755)
    .folder('/docker-entrypoint-initdb.d')
    .folder('/var/lib/postgresql', 0o1777, user)
    .folder('/run/postgresql', 0o3777, user)
    // Only read as a link: that is where initdb finds the time zone's name.
    .link('/etc/localtime', '/usr/share/zoneinfo/Etc/UTC');
}

/** As the official image does: a server listens on every address of its container. */
export function containerSettings(sample: string): string {
  return sample.replace(/^#?listen_addresses = '[^']*'/m, "listen_addresses = '*'");
}
