import { existsSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { type EnvValues, readEnvFile } from './env-file.ts';
import { environment } from './environment.ts';
import { EnvFileError, UsageError } from './errors.ts';

/** Where the stack's files are. */
export interface Project {
  /** The folder that holds compose.yaml, or the `.env` that names other files; symbolic links resolved. */
  readonly root: string;
  /** compose.yaml, then compose.override.yaml when there is one; or those that COMPOSE_FILE names. */
  readonly composeFiles: readonly string[];
  /** What relative paths in the compose files count from: the folder of the first. */
  readonly directory: string;
  /** The `.env` that the stack writes its secrets to. */
  readonly envFile: string;
  /** The files that settings are read from: `.env`, or those that COMPOSE_ENV_FILES names; a later one wins. */
  readonly envFiles: readonly string[];
  /** The `.env` beside a compose file in another folder, for settings that the others lack. */
  readonly fallbackEnvFile: string | undefined;
  /** `.lockstep`: everything the stack writes for itself, `.env` apart. */
  readonly stateFolder: string;
  /** Compose files that are there and not read, for another one is. */
  readonly passedOver: readonly string[];
}

/** Compose's names for its file and for the one laid upon it, the first that is there first (compose-go, `cli`). */
const fileNames = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
const overrideNames = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
];

/**
 * Finds the project: `explicit` when given, else the nearest folder at or above `from` that has a compose file, or a
 * `.env` with COMPOSE_FILE. COMPOSE_FILE in the environment counts from `from`.
 *
 * @throws {UsageError} when there is none, or the environment asks for what is not supported
 */
export function findProject(from: string, explicit?: string): Project {
  if (explicit !== undefined) {
    const folder = resolve(from, explicit);
    if (explicit === '' || !isFolder(folder)) {
      throw new UsageError(`--project-directory is not a folder: ${JSON.stringify(explicit)}`);
    }
    const project = projectAt(folder, from);
    if (project === undefined) throw new UsageError(`no compose.yaml in ${folder}`);
    return project;
  }
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const project = projectAt(folder, from);
    if (project !== undefined) return project;
    if (dirname(folder) === folder) break;
  }
  // Where the environment names the files, none has to be found.
  const named = environment['COMPOSE_FILE'] === undefined ? undefined : projectAt(resolve(from), from, true);
  if (named !== undefined) return named;
  throw new UsageError(`no compose.yaml in ${from} or any folder above it`, {
    hint: 'run it in the project, or name the project with --project-directory',
  });
}

/** The project of a folder; undefined when neither a compose file nor `.env` (nor `isNamed`) says that it is one. */
function projectAt(folder: string, from: string, isNamed = false): Project | undefined {
  const names = [fileNames, overrideNames].map((all) => all.filter((name) => existsSync(join(folder, name))));
  const [[file, ...otherFiles] = [], [override, ...otherOverrides] = []] = names;
  const envFile = join(folder, '.env');
  if (file === undefined && !isNamed && readable([envFile])['COMPOSE_FILE'] === undefined) return undefined;
  const root = realpathSync(folder);
  const envFiles = envFilesOf(root, from);
  refuseDisabled(readable(envFiles));
  const named = composeFilesOf(root, envFiles, from);
  if (named === undefined && file === undefined) return undefined;
  const found = [file, override].flatMap((name) => (name === undefined ? [] : [join(root, name)]));
  const composeFiles = named ?? found;
  const directory = named === undefined ? root : dirname(named[0] ?? root);
  const more = join(directory, '.env');
  const isMore = directory !== root && environment['COMPOSE_ENV_FILES'] === undefined && isFile(more);
  return {
    root,
    composeFiles,
    directory,
    envFile: join(root, '.env'),
    envFiles,
    fallbackEnvFile: isMore ? more : undefined,
    stateFolder: join(root, '.lockstep'),
    passedOver: named === undefined ? [...otherFiles, ...otherOverrides] : [],
  };
}

/** Undefined when nothing names files. */
function composeFilesOf(
  root: string,
  envFiles: readonly string[],
  from: string,
): readonly string[] | undefined {
  const values = readable(envFiles);
  const given = environment['COMPOSE_FILE'];
  const files = given ?? values['COMPOSE_FILE'];
  if (files === undefined) return undefined;
  const separator = (environment['COMPOSE_PATH_SEPARATOR'] ?? values['COMPOSE_PATH_SEPARATOR']) || delimiter;
  const base = given === undefined ? root : from;
  return files.split(separator).map((name) => {
    const path = resolve(base, name);
    if (isFile(path)) return realpathSync(path);
    throw new UsageError(`COMPOSE_FILE names ${JSON.stringify(name)}, and there is no such file`, {
      evidence: [`${path}: not found`],
    });
  });
}

/**
 * The values of a project's settings, this process's environment apart.
 *
 * @throws {EnvFileError} when a file cannot be read, or Compose would refuse it
 */
export function readSettings({
  envFiles,
  fallbackEnvFile,
}: Pick<Project, 'envFiles' | 'fallbackEnvFile'>): EnvValues {
  const values: Record<string, string> = {};
  for (const path of envFiles) Object.assign(values, readEnvFile(path, values));
  return fallbackEnvFile === undefined ? values : { ...readEnvFile(fallbackEnvFile, values), ...values };
}

/** What is wrong in them is said when the settings are read. */
function readable(envFiles: readonly string[]): EnvValues {
  try {
    return readSettings({ envFiles, fallbackEnvFile: undefined });
  } catch (error) {
    if (error instanceof EnvFileError) return {};
    throw error;
  }
}

function refuseDisabled(values: EnvValues): void {
  const isOff = environment['COMPOSE_DISABLE_ENV_FILE'] ?? values['COMPOSE_DISABLE_ENV_FILE'] ?? '';
  if (/^(1|t|true)$/i.test(isOff)) {
    throw new UsageError('COMPOSE_DISABLE_ENV_FILE is not supported: the stack keeps its secrets in .env');
  }
}

function envFilesOf(root: string, from: string): readonly string[] {
  const own = join(root, '.env');
  const named = environment['COMPOSE_ENV_FILES'];
  if (named === undefined || named === '') return [own];
  const files = named.split(',').map((name) => resolve(from, name));
  if (files.includes(own)) return files;
  throw new UsageError('COMPOSE_ENV_FILES leaves out .env, where the stack keeps its secrets', {
    evidence: [`COMPOSE_ENV_FILES=${named}`],
    hint: `COMPOSE_ENV_FILES=.env,${named}`,
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
