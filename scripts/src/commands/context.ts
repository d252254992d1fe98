import type { Stack } from '../compose/stack.ts';
import { initContainers } from '../compose/stack.ts';
import type { Availability, EngineName } from '../engine.ts';
import { UsageError } from '../errors.ts';
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

export function projectOf({ projectDirectory }: GlobalOptions): Project {
  return findProject(process.cwd(), projectDirectory);
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
