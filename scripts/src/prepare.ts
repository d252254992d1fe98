import { chmodSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { markSecret } from '@lockstep/foundation';
import { readStack, readStackFiles, type StackFiles } from './compose/read-stack.ts';
import type { Stack } from './compose/stack.ts';
import { ensureEnvFile, projectName, readEnvFile } from './env-file.ts';
import { environment } from './environment.ts';
import { PreflightError, StackFileError, systemReason } from './errors.ts';
import { lock } from './lock.ts';
import type { Project } from './project.ts';
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
  const values = readEnvFile(files.project.envFile);
  // As compose does: what is set in the environment wins, even when it is empty.
  const setting = (name: string) => environment[name] ?? values[name];
  const { stack, warnings } = readStack(files, setting);
  for (const name of ownSecrets(stack.secrets, files.project.stateFolder).keys()) {
    markSecret(setting(settingOfSecret(name)) ?? '');
  }
  return { project: files.project, stack, setting, warnings };
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
  const files = readStackFiles(project);
  const before = open(files);
  makeStateFolder(project.stateFolder);
  const held = await lock(project.stateFolder, 'prepare.lock', 10_000);
  try {
    const secrets = ownSecrets(before.stack.secrets, project.stateFolder);
    const done = ensureEnvFile(
      project.envFile,
      {
        projectName: projectName(project.root),
        secrets: [...secrets.keys()].map(settingOfSecret),
        inUse: (name) => secretInUse([...secrets].find(([own]) => settingOfSecret(own) === name)?.[1]),
        ports: existsSync(project.envFile) ? new Map() : defaultPorts(files),
      },
      (name) => environment[name] !== undefined && environment[name] !== '',
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

/** Setting and default of every published port. */
function defaultPorts(files: StackFiles): Map<string, number> {
  try {
    const { stack } = readStack(files, () => undefined);
    const ports = [...stack.services.values()].flatMap((service) => service.ports);
    return new Map(
      ports.flatMap(({ setting, published }) => (setting === undefined ? [] : [[setting, published]])),
    );
  } catch (error) {
    // A stack that needs a setting without a default: then there is no list of defaults to show.
    if (error instanceof StackFileError) return new Map();
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
