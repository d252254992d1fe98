import { chmod, cp, lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the project that these tests belong to. */
export const project = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** What a clean checkout does not have. */
const left = new Set(['node_modules', '.git', '.lockstep', '.env', 'dist', 'coverage']);

/** A copy of the project's own files, in a folder with a blank in its name, that a test may change. */
export interface ProjectCopy {
  readonly root: string;
  /** A file's path in the copy. */
  path(relative: string): string;
  /** Every file with its text; links by what they lead to. Without the state folder. */
  files(): Promise<Map<string, string>>;
  remove(): Promise<void>;
}

/** Copies the project as a clean checkout would have it, or another copy; nothing is installed or built in it. */
export async function copyProject(from = project): Promise<ProjectCopy> {
  const root = await mkdtemp(join(tmpdir(), 'lockstep project-'));
  // Reachable for the user that Postgres runs as when the tests run as root.
  await chmod(root, 0o755);
  for (const name of await readdir(from)) {
    if (left.has(name)) continue;
    const filter = (source: string) => !left.has(basename(source));
    await cp(join(from, name), join(root, name), { recursive: true, filter });
  }
  return {
    root,
    path: (file) => join(root, file),
    files: () => readFiles(root),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

async function readFiles(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
  const own = paths.filter((path) => !/^(node_modules|\.lockstep)(\/|$)/.test(relative(root, path)));
  const read = async (path: string) =>
    (await lstat(path)).isSymbolicLink() ? 'a link' : await readFile(path, 'utf8');
  return new Map(
    await Promise.all(own.map(async (path) => [relative(root, path), await read(path)] as const)),
  );
}
