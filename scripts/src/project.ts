import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from './errors.ts';

/** Where the stack's files are. */
export interface Project {
  /** The folder that holds compose.yaml, symbolic links resolved. */
  readonly root: string;
  /** compose.yaml, then compose.override.yaml when there is one. */
  readonly composeFiles: readonly string[];
  readonly envFile: string;
  /** `.lockstep`: everything the stack writes for itself, `.env` apart. */
  readonly stateFolder: string;
}

/**
 * Finds the project: `explicit` when given, else the nearest folder at or above `from` that has a compose.yaml.
 *
 * @throws {UsageError} when there is none
 */
export function findProject(from: string, explicit?: string): Project {
  if (explicit !== undefined) {
    const folder = resolve(from, explicit);
    if (explicit === '' || !isFolder(folder)) {
      throw new UsageError(`--project-directory is not a folder: ${JSON.stringify(explicit)}`);
    }
    if (!existsSync(join(folder, 'compose.yaml'))) throw new UsageError(`no compose.yaml in ${folder}`);
    return projectAt(folder);
  }
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'compose.yaml'))) return projectAt(folder);
    if (dirname(folder) === folder) break;
  }
  throw new UsageError(`no compose.yaml in ${from} or any folder above it`, {
    hint: 'run it in the project, or name the project with --project-directory',
  });
}

function projectAt(folder: string): Project {
  const root = realpathSync(folder);
  const override = join(root, 'compose.override.yaml');
  return {
    root,
    composeFiles: [join(root, 'compose.yaml'), ...(existsSync(override) ? [override] : [])],
    envFile: join(root, '.env'),
    stateFolder: join(root, '.lockstep'),
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
