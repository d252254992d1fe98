import { initContainers, type Stack } from '../compose/stack.ts';
import { isUp, type ServiceStatus } from '../engine.ts';
import { PreflightError } from '../errors.ts';
import { answers, readyUrl } from './answers.ts';
import { byService, statusOf, unmet } from './container-outcome.ts';
import type { Container } from './container-shapes.ts';
import type { Containers } from './containers.ts';

/**
 * What each service of the stack is at. An app whose probes are far apart is asked at its address, which answers at once.
 *
 * @param isProbed false where nothing probes once the stack has started: then the engine's word for health is an old one
 */
export async function statuses(
  stack: Stack,
  containers: Containers,
  isProbed: boolean,
): Promise<ServiceStatus[]> {
  const now = byService(await containers.list());
  return Promise.all(
    [...stack.services.values()].map(async (service): Promise<ServiceStatus> => {
      const status = statusOf(stack, service.name, now.get(service.name));
      const isDoubtful = status.state === 'starting' || (!isProbed && isUp(status.state));
      const url = isDoubtful ? readyUrl(service) : undefined;
      if (url === undefined) return status;
      if (await answers(url)) return { ...status, state: 'healthy' };
      return status.state === 'healthy' ? { ...status, state: 'unhealthy' } : status;
    }),
  );
}

/** @throws {PreflightError} when a service does not run */
export async function runningContainer(
  stack: Stack,
  containers: Containers,
  service: string,
): Promise<Container> {
  const container = byService(await containers.list()).get(service);
  const { state } = statusOf(stack, service, container);
  if (container !== undefined && isUp(state)) return container;
  throw new PreflightError(`${service} does not run: it is ${state}`, { hint: 'make up' });
}

/** @throws {PreflightError} when what a service depends on is not as its conditions ask */
export async function checkDependencies(
  stack: Stack,
  containers: Containers,
  service: string,
): Promise<void> {
  const now = byService(await containers.list());
  const down = unmet(stack, service, now).map(({ service: name }) => {
    const { state } = statusOf(stack, name, now.get(name));
    return `${name} is ${state}`;
  });
  if (down.length === 0) return;
  const isMigrator = initContainers(stack).some(({ initContainer }) => initContainer === service);
  throw new PreflightError(`${service} cannot run: what it depends on is not ready`, {
    evidence: down,
    hint: isMigrator ? 'make up, then the same again' : 'make up',
  });
}

/** For a service whose image has nothing that could be opened. */
export function noShell(service: string): PreflightError {
  return new PreflightError(`the image of ${service} has no shell`, {
    evidence: ['a program that it does have can be run by name'],
    hint: `make shell SERVICE=${service} ARGS='node --version'`,
  });
}
