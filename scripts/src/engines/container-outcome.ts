import { type Dependency, isOneShot, type Stack, serviceUrl } from '../compose/stack.ts';
import { isUp, type Outcome, type ServiceState, type ServiceStatus } from '../engine.ts';
import { type Container, stateOf } from './container-shapes.ts';

/** The containers of a project at one instant, by service. */
export type Containing = ReadonlyMap<string, Container>;

export function byService(containers: readonly Container[]): Map<string, Container> {
  return new Map(containers.map((container) => [container.service, container]));
}

/** What a service is at; `stopped` without a container. */
export function statusOf(stack: Stack, name: string, container: Container | undefined): ServiceStatus {
  const service = stack.services.get(name);
  const url = service === undefined ? undefined : serviceUrl(service);
  const state = container === undefined ? 'stopped' : stateOf(container);
  const seconds = container === undefined ? undefined : secondsOf(container, state);
  const note = container === undefined ? undefined : noteOf(container);
  return {
    service: name,
    state,
    ...(container !== undefined && hasEnded(state) ? { exitStatus: container.exitCode } : {}),
    ...(url === undefined ? {} : { url }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(note === undefined ? {} : { note }),
  };
}

/** The dependencies of a service that are not met as things stand. */
export function unmet(stack: Stack, name: string, now: Containing): readonly Dependency[] {
  return (stack.services.get(name)?.dependsOn ?? []).filter(({ service, condition }) => {
    const container = now.get(service);
    const state = container === undefined ? 'stopped' : stateOf(container);
    if (condition === 'service_healthy') return state !== 'healthy';
    if (condition === 'service_completed_successfully') return state !== 'completed';
    return !(isUp(state) || (state === 'completed' && isOneShot(stack, service)));
  });
}

/** Whether a container was made or started between two looks. */
export function isChanged(before: Container | undefined, now: Container | undefined): boolean {
  return before?.id !== now?.id || before?.startedAt !== now?.startedAt;
}

/** What is known of a service after an `up`. */
export interface Seen {
  readonly stack: Stack;
  readonly name: string;
  readonly container: Container | undefined;
  readonly isChanged: boolean;
  readonly blockedBy: readonly string[];
  /** Whether it answers where a person asks. */
  readonly isAnswering: boolean;
  /** From its start to ready, or to its end for a one-shot, as it was seen. */
  readonly seconds: number | undefined;
}

/** How one service came out of an `up`. */
export function outcomeOf(one: Seen): Outcome {
  const { stack, name, container, isChanged: changed, blockedBy } = one;
  const { seconds: told, ...seen } = statusOf(stack, name, container);
  const seconds = changed ? (one.seconds ?? told) : undefined;
  const status: ServiceStatus = {
    ...seen,
    ...(one.isAnswering && isUp(seen.state) ? { state: 'healthy' } : {}),
    ...(seconds === undefined ? {} : { seconds }),
  };
  if (blockedBy.length > 0) return { ...status, ok: false, changed, blockedBy };
  const ready: ServiceState[] = isOneShot(stack, name) ? ['completed'] : ['healthy', 'running', 'completed'];
  if (status.state === 'created' || status.state === 'stopped') {
    return {
      ...status,
      state: 'failed',
      ok: false,
      changed,
      note: container?.error || 'it could not be started',
    };
  }
  return { ...status, ok: ready.includes(status.state), changed };
}

function secondsOf(container: Container, state: ServiceState): number | undefined {
  const { startedAt, finishedAt, healthyAt } = container;
  if (startedAt === undefined) return undefined;
  const until = state === 'healthy' ? healthyAt : hasEnded(state) ? finishedAt : undefined;
  return until === undefined || until < startedAt ? undefined : (until - startedAt) / 1000;
}

function noteOf({ killedForMemory, error, state, restarts }: Container): string | undefined {
  if (killedForMemory) return 'it was killed for the memory it took';
  if (state === 'paused') return 'paused';
  if (state === 'restarting' || restarts > 0) return `started ${restarts + 1} times`;
  return error === '' ? undefined : error;
}

function hasEnded(state: ServiceState): boolean {
  return state === 'completed' || state === 'failed' || state === 'restarting';
}
