import { accessSync, constants, existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { count } from '@lockstep/foundation';
import { type Problem, rootProblem, shellWord, userName, writeProblem } from '../../build/machine.mjs';
import { environment } from '../environment.ts';
import { PreflightError } from '../errors.ts';
import type { Project } from '../project.ts';

/** So deep in the state folder lies what an engine makes: `.lockstep/embedded/volumes/postgres`. */
const depth = 3;
/** Of more files than this only some are named. */
const mostNamed = 3;

/**
 * Makes sure that this user may work in the project, before anything is written.
 *
 * @throws {PreflightError} for root in somebody else's checkout, and for files in it that this user may not use, as an earlier
 * start by root leaves them
 */
export function requireAccess(project: Project): void {
  refuse(rootProblem(project.root, environment) ?? leftProblem(project));
}

/** As {@link requireAccess}, for a command that writes `.env` and the state folder. */
export function requireWritable(project: Project): void {
  refuse(rootProblem(project.root, environment) ?? leftProblem(project) ?? readOnlyProblem(project));
}

/** What has to be written to and cannot be, as in a checkout on a read-only disk. */
export function readOnlyProblem({ root, envFile, stateFolder }: Project): Problem | undefined {
  const isWhole = existsSync(envFile) && existsSync(stateFolder);
  return writeProblem(isWhole ? [stateFolder] : [root]);
}

function refuse(problem: Problem | undefined): void {
  if (problem === undefined) return;
  const { fact, evidence, hint } = problem;
  throw new PreflightError(fact, { evidence, ...(hint === undefined ? {} : { hint }) });
}

/** What of `.env` and the state folder is another user's and closed to this one. */
export function leftProblem({ root, envFile, stateFolder }: Project): Problem | undefined {
  const own = process.getuid?.();
  if (own === undefined || own === 0) return undefined;
  const closed = [envFile, ...below(stateFolder, depth)].filter((path) => isClosed(path, own));
  const [first] = closed;
  if (first === undefined) return undefined;
  const owner = userName(lstatSync(first).uid);
  const names = closed.slice(0, mostNamed).map((path) => relative(root, path));
  const others = closed.length - names.length;
  const inWhole = [envFile, stateFolder].filter((path) => closed.some((one) => one.startsWith(path)));
  return {
    fact: `${count(closed.length, 'file')} of the stack in ${root} belong${closed.length === 1 ? 's' : ''} to ${owner}`,
    evidence: [
      `${names.join(', ')}${others > 0 ? ` and ${others} more` : ''}`,
      `they are left from a start by ${owner}; this is ${userName(own)}`,
    ],
    hint: `sudo chown -R ${userName(own)}: ${inWhole.map(shellWord).join(' ')}`,
  };
}

function isClosed(path: string, own: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.uid === own || found.isSymbolicLink()) return false;
  // A group may share a checkout.
  const wanted = found.isDirectory()
    ? constants.R_OK | constants.W_OK | constants.X_OK
    : constants.R_OK | constants.W_OK;
  try {
    accessSync(path, wanted);
    return false;
  } catch {
    // On a read-only disk nothing can be written, whoever owns it.
    return !isReadOnly(path);
  }
}

function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EROFS';
  }
}

function below(folder: string, levels: number): string[] {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  let names: string[] = [];
  try {
    names = levels > 0 && statSync(folder).isDirectory() ? readdirSync(folder) : [];
  } catch {
    // It cannot be looked into, and is itself one that is named.
  }
  return [folder, ...names.flatMap((name) => below(join(folder, name), levels - 1))];
}
