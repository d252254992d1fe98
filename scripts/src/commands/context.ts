import { count } from '@lockstep/foundation';
import { recallGiven } from '../checkout/given-settings.ts';
import type { Stack } from '../compose/stack.ts';
import { initContainers } from '../compose/stack.ts';
import type { Availability, Engine, EngineName } from '../engine.ts';
import { environment } from '../environment.ts';
import { UsageError } from '../errors.ts';
import { lock, tryLock } from '../lock.ts';
import type { OpenedStack } from '../prepare.ts';
import { findProject, type Project } from '../project.ts';

/** The options every command takes. */
export interface GlobalOptions {
  readonly engine: EngineName | 'auto';
  readonly projectDirectory?: string | undefined;
}

/** Where a command writes, and what tells it to stop. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly signal: AbortSignal;
}

/** The project of a command, with the ports and the name that its last start was given. */
export function projectOf(options: GlobalOptions): Project {
  return recalledProject(options).project;
}

/** As {@link projectOf}, and says which settings were recalled: as `NAME=value`. */
export function recalledProject({ projectDirectory }: GlobalOptions): {
  project: Project;
  recalled: readonly string[];
} {
  const project = findProject(process.cwd(), projectDirectory);
  return { project, recalled: recallGiven(project) };
}

/**
 * For commands that are for the whole stack: somebody who names a service expects the others to be left alone.
 *
 * @throws {UsageError} when SERVICE is set
 */
export function refuseService(command: string): void {
  const service = environment['SERVICE'];
  if (service === undefined || service === '') return;
  throw new UsageError(
    `${command} is for the whole stack; it cannot be done for ${JSON.stringify(service)} alone`,
  );
}

/**
 * Does `work` while no other command starts or stops this stack. The embedded engine's supervisor orders them itself.
 *
 * @throws {PreflightError} when another one is at it for two minutes
 */
export async function exclusively<T>(
  { project }: OpenedStack,
  engine: Engine,
  terminal: Terminal,
  work: () => Promise<T>,
): Promise<T> {
  if (engine.name === 'embedded') return work();
  const first = tryLock(project.stateFolder, stackLock);
  if (!('release' in first)) {
    terminal.err(
      `waiting for another command on this stack${first.holder === undefined ? '' : ` (pid ${first.holder.pid})`}\n`,
    );
  }
  const held = 'release' in first ? first : await lock(project.stateFolder, stackLock, longestWait);
  try {
    return await work();
  } finally {
    held.release();
  }
}

const stackLock = 'stack.lock';
const longestWait = 120_000;

const mostListed = 4;

/** `a, b, c, d and 3 others` */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostListed);
  const others = names.length - shown.length;
  if (others > 0) return `${shown.join(', ')} and ${count(others, 'other')}`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** Why a better engine is not used, in one line; undefined when there is nothing to say. */
export function passedOverLine(chosen: EngineName, passedOver: readonly Availability[]): string | undefined {
  if (passedOver.length === 0) return undefined;
  return `engine: ${chosen} (${passedOver.map(({ name, reason }) => `${name}: ${reason}`).join('; ')})\n`;
}

/** The init containers of the chosen service, or of all. */
export function chosenMigrations(stack: Stack, service: string | undefined) {
  const all = initContainers(stack);
  if (service === undefined || service === '') return all;
  const found = all.filter((one) => one.service === service || one.initContainer === service);
  if (found.length > 0) return found;
  throw new UsageError(`no service with migrations is named ${JSON.stringify(service)}`, {
    evidence: [`there are: ${all.map((one) => one.service).join(', ') || 'none'}`],
  });
}

/** No service of this name takes part: names the profile that would bring it in, or the services there are. */
export function noService(stack: Stack, name: string): UsageError {
  const profiles = stack.inactive.get(name);
  if (profiles !== undefined) {
    return new UsageError(`${name} takes part only with a profile: ${profiles.join(', ')}`, {
      hint: `make up PROFILE=${profiles[0]}`,
    });
  }
  return new UsageError(`no service ${JSON.stringify(name)}`, {
    evidence: [`there are: ${[...stack.services.keys()].join(', ')}`],
  });
}
