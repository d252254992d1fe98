import type { Service, Stack } from '../../compose/stack.ts';

/** The part of a stack that runs as local processes, and the services of active profiles that cannot. */
export interface LocalStack {
  readonly stack: Stack;
  readonly leftOut: readonly string[];
}

/**
 * Leaves out the services of profiles that have no `x-embedded`: they are extras from images of others. One without a
 * profile stays, for {@link makeLaunches} to refuse: the stack is not the stack without it.
 */
export function localStack(stack: Stack): LocalStack {
  const isLeftOut = ({ profiles, embedded }: Service) => profiles.length > 0 && embedded === undefined;
  const all = [...stack.services.values()];
  const services = new Map(all.filter((one) => !isLeftOut(one)).map((one) => [one.name, one]));
  const mounted = new Set([...services.values()].flatMap(({ mounts }) => mounts.map(({ source }) => source)));
  return {
    stack: { ...stack, services, volumes: stack.volumes.filter((name) => mounted.has(name)) },
    leftOut: all.filter(isLeftOut).map(({ name }) => name),
  };
}
