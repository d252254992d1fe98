import { chmodSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { markSecret } from '@lockstep/foundation';
import { requireWritable } from './checkout/access.ts';
import { recordedEngine } from './choose.ts';
import { readStack, readStackFiles, type StackFiles } from './compose/read-stack.ts';
import type { Stack } from './compose/stack.ts';
import { hasOwnName } from './compose/stack-name.ts';
import { type EnvTemplate, type EnvValues, ensureEnvFile, projectName } from './env-file.ts';
import { environment } from './environment.ts';
import { PreflightError, StackFileError, systemReason } from './errors.ts';
import { moveTakenPorts } from './free-ports.ts';
import { lock } from './lock.ts';
import { type Project, readSettings } from './project.ts';
import { ownSecrets, secretInUse, settingOfSecret, writeSecrets } from './secrets.ts';

/** A project whose files were read. */
export interface OpenedStack {
  readonly project: Project;
  readonly stack: Stack;
  /** The value of a setting: the environment's, else `.env`'s. */
  readonly setting: (name: string) => string | undefined;
  /** What is doubtful in the files, for people. */
  readonly warnings: readonly string[];
}

/** Reads the stack's files and `.env`, and writes nothing. */
export function openStack(project: Project): OpenedStack {
  return open(readStackFiles(project));
}

function open(files: StackFiles): OpenedStack {
  const setting = settingsOf(files.project);
  const { stack, warnings } = readStack(files, setting);
  for (const name of ownSecrets(stack.secrets, files.project.stateFolder).keys()) {
    markSecret(setting(settingOfSecret(name)) ?? '');
  }
  return { project: files.project, stack, setting, warnings };
}

/**
 * The project's settings: as compose does, what is set in the environment wins over `.env`, even when it is empty.
 *
 * @throws {EnvFileError} when `.env` cannot be read
 */
export function settingsOf(project: Project): OpenedStack['setting'] {
  const values = readSettings(project);
  // Until there is a .env the name it will get: another project that took the file's default must not be meant.
  const unwritten: EnvValues = existsSync(project.envFile)
    ? {}
    : { COMPOSE_PROJECT_NAME: projectName(project.root) };
  return (name) => environment[name] ?? values[name] ?? unwritten[name];
}

/**
 * Reads the stack's files and writes what a start needs and is not there: `.env` with generated secrets, and one file for
 * each secret. Two of these at once agree on one result.
 *
 * @param report is told, in a sentence, what was written
 */
export async function prepareStack(
  project: Project,
  report: (sentence: string) => void,
): Promise<OpenedStack> {
  requireWritable(project);
  const files = readStackFiles(project);
  const before = open(files);
  makeStateFolder(project.stateFolder);
  const held = await lock(project.stateFolder, 'prepare.lock', 10_000);
  try {
    const secrets = ownSecrets(before.stack.secrets, project.stateFolder);
    const isSet = (name: string) => environment[name] !== undefined && environment[name] !== '';
    const done = ensureEnvFile(
      project.envFile,
      {
        projectName: hasOwnName(files.parsed) ? undefined : projectName(project.root),
        secrets: [...secrets.keys()].map(settingOfSecret),
        inUse: (name) => secretInUse([...secrets].find(([own]) => settingOfSecret(own) === name)?.[1]),
        ...(existsSync(project.envFile) ? nothingNew : await newSettings(files, isSet)),
      },
      isSet,
    );
    if (done !== undefined) report(done);
    const after = open(files);
    writeSecrets(
      ownSecrets(after.stack.secrets, project.stateFolder),
      (name) => after.setting(name) || undefined,
    );
    return after;
  } finally {
    held.release();
  }
}

type NewSettings = Pick<EnvTemplate, 'ports' | 'movedPorts' | 'profiles'>;
const nothingNew: NewSettings = { ports: new Map(), movedPorts: new Map(), profiles: [] };

/** What a new `.env` says of ports and profiles, those of services that take no part yet included. */
async function newSettings(files: StackFiles, isSet: (name: string) => boolean): Promise<NewSettings> {
  try {
    const { stack } = readStack(files, (name) => (name === 'COMPOSE_PROFILES' ? '*' : undefined));
    const services = [...stack.services.values()];
    const published = services.flatMap(({ ports }) =>
      ports.flatMap(({ setting, ...port }) => (setting === undefined ? [] : [{ ...port, setting }])),
    );
    // A stack that was started and lost its .env holds its ports itself.
    const isOurs = recordedEngine(files.project) !== undefined;
    return {
      ports: new Map(published.map((port) => [port.setting, port.published])),
      movedPorts: isOurs
        ? new Map()
        : await moveTakenPorts(published.filter(({ setting }) => !isSet(setting))),
      profiles: [...new Set(services.flatMap(({ profiles }) => profiles))],
    };
  } catch (error) {
    // A stack that needs a setting without a default: then there is no list of defaults to show.
    if (error instanceof StackFileError) return nothingNew;
    throw error;
  }
}

/** `.lockstep` is its owner's alone; root's lets others pass through, so that Postgres reaches its own folder below. */
function makeStateFolder(folder: string): void {
  try {
    const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
    mkdirSync(join(folder, 'secrets'), { recursive: true, mode: 0o700 });
    // A link leads to a folder that is someone's own; its mode is theirs.
    if (lstatSync(folder).isDirectory()) chmodSync(folder, mode);
    if (lstatSync(join(folder, 'secrets')).isDirectory()) chmodSync(join(folder, 'secrets'), 0o700);
  } catch (error) {
    throw new PreflightError(`cannot write to ${folder}: ${systemReason(error)}`, { cause: error });
  }
}
