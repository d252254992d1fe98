import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { initContainers } from '../compose/stack.ts';
import { UsageError } from '../errors.ts';
import type { OpenedStack } from '../prepare.ts';

/** The service that a new one takes its shape from, and the one-shot that makes their databases. */
export interface Sibling {
  readonly name: string;
  /** The compose service whose environment names every service and its database. */
  readonly bootstrap: string;
  /** Service to database, as the bootstrap is told. */
  readonly databases: ReadonlyMap<string, string>;
}

/**
 * Finds the first service of the stack that has an init container and a folder with policies.
 *
 * @throws {UsageError} when the stack has none, or no bootstrap that is told its services
 */
export function findSibling({ project, stack }: OpenedStack): Sibling {
  const services = [...stack.services.values()];
  const bootstrap = services.find(({ environment }) => environment.has('BOOTSTRAP_SERVICES'));
  if (bootstrap === undefined) {
    throw new UsageError('compose.yaml has no service with BOOTSTRAP_SERVICES in its environment');
  }
  const sibling = initContainers(stack).find(
    ({ service }) => stack.services.has(service) && existsSync(join(project.root, service, 'src/server.ts')),
  );
  if (sibling === undefined) {
    throw new UsageError('compose.yaml has no service that a new one could take its shape from', {
      evidence: ['expected one with an init container <service>-migrations and a folder <service>/src'],
    });
  }
  const pairs = (bootstrap.environment.get('BOOTSTRAP_SERVICES') ?? '').split(/[\s,]+/);
  const databases = new Map(pairs.map((pair) => [pair.split(':')[0] ?? '', pair.split(':')[1] ?? '']));
  return { name: sibling.service, bootstrap: bootstrap.name, databases };
}
