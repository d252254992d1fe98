import type { ServiceState } from '../engine.ts';

/** One container of a compose project; instants in milliseconds since 1970 by the engine's clock. */
export interface Container {
  readonly id: string;
  readonly service: string;
  /** The engine's word: `created`, `running`, `exited`, ... */
  readonly state: string;
  readonly health: 'starting' | 'healthy' | 'unhealthy' | undefined;
  readonly exitCode: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** When the oldest remembered probe that succeeded ended. */
  readonly healthyAt: number | undefined;
  readonly restarts: number;
  /** The image it was made from, by id. */
  readonly image: string;
  /** The engine's own words on why it could not be started; empty when it could. */
  readonly error: string;
  readonly killedForMemory: boolean;
}

/** Something that happened to a container. */
export interface ContainerEvent {
  readonly service: string;
  readonly kind: 'started' | 'ended' | 'healthy' | 'unhealthy';
  readonly exitCode: number | undefined;
  /** When, in milliseconds since 1970 by the engine's clock. */
  readonly at: number | undefined;
}

/**
 * Reads one object of `container inspect`: Docker's shape, and Podman's, which says `Healthcheck` for `Health` in old versions.
 * Undefined for a container of `compose run` and for one that is no service's.
 */
export function readContainer(value: unknown): Container | undefined {
  const labels = at(value, 'Config', 'Labels');
  const service = text(at(labels, 'com.docker.compose.service'));
  if (service === undefined || /^true$/i.test(text(at(labels, 'com.docker.compose.oneoff')) ?? '')) {
    return undefined;
  }
  const state = at(value, 'State');
  const health = at(state, 'Health') ?? at(state, 'Healthcheck');
  return {
    id: text(at(value, 'Id')) ?? '',
    service,
    state: (text(at(state, 'Status')) ?? 'unknown').toLowerCase(),
    health: healthWord(text(at(health, 'Status'))),
    exitCode: number(at(state, 'ExitCode')) ?? 0,
    startedAt: instant(at(state, 'StartedAt')),
    finishedAt: instant(at(state, 'FinishedAt')),
    healthyAt: firstSuccess(at(health, 'Log')),
    restarts: number(at(value, 'RestartCount')) ?? 0,
    image: text(at(value, 'Image')) ?? '',
    error: text(at(state, 'Error')) ?? '',
    killedForMemory: at(state, 'OOMKilled') === true,
  };
}

/** Reads one line of `events`; undefined for what is of no use here. */
export function readEvent(value: unknown): ContainerEvent | undefined {
  const attributes = at(value, 'Actor', 'Attributes') ?? at(value, 'Attributes');
  const service = text(at(attributes, 'com.docker.compose.service'));
  if (service === undefined || /^true$/i.test(text(at(attributes, 'com.docker.compose.oneoff')) ?? '')) {
    return undefined;
  }
  const action = text(at(value, 'Action')) ?? text(at(value, 'Status')) ?? text(at(value, 'status')) ?? '';
  const kind = eventKind(action, text(at(value, 'HealthStatus')) ?? text(at(value, 'health_status')) ?? '');
  if (kind === undefined) return undefined;
  // An older Podman leaves a status of 0 out.
  const unsaid = at(value, 'Status') === 'died' ? 0 : undefined;
  const exitCode = Number(
    text(at(attributes, 'exitCode')) ?? number(at(value, 'ContainerExitCode')) ?? unsaid,
  );
  const nanoseconds = number(at(value, 'timeNano'));
  return {
    service,
    kind,
    exitCode: Number.isInteger(exitCode) ? exitCode : undefined,
    at: nanoseconds === undefined ? undefined : nanoseconds / 1e6,
  };
}

/** One word for what a container is at, the same on every engine. */
export function stateOf({ state, health, exitCode, finishedAt }: Container): ServiceState {
  if (state === 'running') return health ?? 'running';
  if (state === 'created' || state === 'configured' || state === 'initialized') return 'created';
  if (state === 'restarting') return 'restarting';
  if (state === 'removing' || state === 'stopping') return 'stopping';
  if (state === 'exited' || state === 'dead' || (state === 'stopped' && finishedAt !== undefined)) {
    return exitCode === 0 ? 'completed' : 'failed';
  }
  return 'stopped';
}

function eventKind(action: string, health: string): ContainerEvent['kind'] | undefined {
  if (action === 'start') return 'started';
  if (action === 'die' || action === 'died') return 'ended';
  if (!action.startsWith('health_status')) return undefined;
  const word = healthWord(action.slice('health_status'.length).replace(/^[: ]+/, '') || health);
  return word === 'starting' ? undefined : word;
}

function healthWord(word: string | undefined): Container['health'] {
  return word === 'starting' || word === 'healthy' || word === 'unhealthy' ? word : undefined;
}

function firstSuccess(log: unknown): number | undefined {
  const good = Array.isArray(log) ? log.find((probe) => at(probe, 'ExitCode') === 0) : undefined;
  return instant(at(good, 'End'));
}

/** Engines write the year 1 for "never". */
function instant(value: unknown): number | undefined {
  const milliseconds = Date.parse(text(value) ?? '');
  return milliseconds > 0 ? milliseconds : undefined;
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[name] : undefined,
    value,
  );
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
