import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stack } from '../compose/stack.ts';

import { environment, setInEnvironment } from '../environment.ts';
import { PreflightError, systemReason } from '../errors.ts';
import { type Project, readSettings } from '../project.ts';
import { folderMark } from './folder.ts';

/** A setting that the environment gave at the last start, and what `.env` said of it then. */
interface Given {
  readonly value: string;
  readonly inFile: string | undefined;
}

/** What says where a stack is: with another value a command would speak to another stack, or to none. */
function placeSettings(stack: Stack): string[] {
  const ports = [...stack.services.values()].flatMap((one) => one.ports.map(({ setting }) => setting));
  return [...new Set(['COMPOSE_PROJECT_NAME', ...ports.filter((setting) => setting !== undefined)])];
}

function fileOf({ stateFolder }: Project): string {
  return join(stateFolder, 'given.json');
}

/**
 * Writes down which ports, and which name, a start got from the environment: every later command uses the same, until the
 * stack is stopped.
 *
 * @throws {PreflightError} when nothing can be written
 */
export function keepGiven(project: Project, stack: Stack): void {
  const values = readSettings(project);
  const given = placeSettings(stack).flatMap((name): [string, Given][] => {
    const value = environment[name] ?? '';
    return value === '' || value === values[name] ? [] : [[name, { value, inFile: values[name] }]];
  });
  const file = fileOf(project);
  if (given.length === 0) {
    forgetGiven(project);
    return;
  }
  const beside = `${file}.${process.pid}.new`;
  try {
    mkdirSync(project.stateFolder, { recursive: true, mode: 0o700 });
    const kept = { folder: folderMark(project.stateFolder), settings: Object.fromEntries(given) };
    writeFileSync(beside, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new PreflightError(`cannot write ${file}: ${systemReason(error)}`, { cause: error });
  }
}

export function forgetGiven(project: Project): void {
  rmSync(fileOf(project), { force: true });
}

/**
 * Gives this process the settings that {@link keepGiven} wrote down, as if they had been given again. The environment's own
 * win, and so does a line of `.env` that was written or changed since.
 *
 * @returns what was recalled, as `NAME=value`
 */
export function recallGiven(project: Project): string[] {
  let values: Readonly<Record<string, string>>;
  try {
    values = readSettings(project);
  } catch {
    // Whoever needs it says so.
    return [];
  }
  return readGiven(project).flatMap(([name, { value, inFile }]) => {
    if (environment[name] !== undefined || values[name] !== inFile) return [];
    setInEnvironment(name, value);
    return [`${name}=${value}`];
  });
}

/** A file that is not one of ours, was cut short, or came along when the folder was copied, counts as none. */
function readGiven(project: Project): [string, Given][] {
  let kept: unknown;
  try {
    kept = JSON.parse(readFileSync(fileOf(project), 'utf8'));
  } catch {
    return [];
  }
  if (typeof kept !== 'object' || kept === null || !('settings' in kept) || !('folder' in kept)) return [];
  const { settings, folder } = kept;
  if (typeof settings !== 'object' || settings === null) return [];
  if (folder !== folderMark(project.stateFolder)) return [];
  return Object.entries(settings).flatMap(([name, one]: [string, unknown]): [string, Given][] => {
    if (typeof one !== 'object' || one === null || !('value' in one)) return [];
    const inFile = 'inFile' in one && typeof one.inFile === 'string' ? one.inFile : undefined;
    return typeof one.value === 'string' ? [[name, { value: one.value, inFile }]] : [];
  });
}
