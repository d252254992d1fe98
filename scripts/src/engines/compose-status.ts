import type { ServiceState, ServiceStatus } from '../engine.ts';

/** One container as `compose ps --format json` shows it; only what is used, each field doubted. */
interface Container {
  readonly service: string;
  readonly state: string;
  readonly health: string;
  readonly exitCode: number | undefined;
}

/**
 * Reads `compose ps -a --format json`: one object a line (Docker Compose 2.21 and newer) or one array (before it).
 * Lines that are neither, such as warnings, are passed over.
 *
 * @param url where this machine reaches a service
 */
export function readStatuses(text: string, url: (service: string) => string | undefined): ServiceStatus[] {
  return readContainers(text).map((container) => {
    const address = url(container.service);
    const state = stateOf(container);
    return {
      service: container.service,
      state,
      ...(container.exitCode === undefined || !hasEnded(state) ? {} : { exitStatus: container.exitCode }),
      ...(address === undefined ? {} : { url: address }),
    };
  });
}

function readContainers(text: string): Container[] {
  const whole = parseJson(text);
  const values = Array.isArray(whole) ? whole : text.split('\n').map(parseJson);
  return values.flatMap((value) => {
    if (typeof value !== 'object' || value === null) return [];
    const {
      Service: service,
      State: state,
      Health: health,
      ExitCode: exitCode,
    } = value as Record<string, unknown>;
    if (typeof service !== 'string' || typeof state !== 'string') return [];
    return [
      {
        service,
        state: state.toLowerCase(),
        health: typeof health === 'string' ? health.toLowerCase() : '',
        exitCode: typeof exitCode === 'number' ? exitCode : undefined,
      },
    ];
  });
}

function stateOf({ state, health, exitCode }: Container): ServiceState {
  if (state === 'running') {
    if (health === 'healthy' || health === 'unhealthy' || health === 'starting') return health;
    return 'running';
  }
  if (state === 'exited' || state === 'dead') return exitCode === 0 ? 'completed' : 'failed';
  if (state === 'restarting' || state === 'created') return state;
  if (state === 'removing') return 'stopping';
  return 'stopped';
}

function hasEnded(state: ServiceState): boolean {
  return state === 'completed' || state === 'failed' || state === 'restarting';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
