import type { Place } from './mistakes.ts';

/** The whole stack, as its compose files say, variables filled in. */
export interface Stack {
  /** The compose project's name. */
  readonly name: string;
  /** In order of appearance; without those of profiles that are not active. */
  readonly services: ReadonlyMap<string, Service>;
  /** The services that take no part, each with the profiles that would bring it in. */
  readonly inactive: ReadonlyMap<string, readonly string[]>;
  /** The named volumes, those of inactive services too: an earlier start may have made them. */
  readonly volumes: readonly string[];
  /** Secret name to the absolute path of its file; without those that only inactive services are given. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Config name to the absolute path of its file; those made from text or a variable have none. */
  readonly configs: ReadonlyMap<string, string>;
  /** Absolute paths of every file it was read from: compose files, what they include or extend, and `env_file`s. */
  readonly files: readonly string[];
}

export interface Service {
  readonly name: string;
  readonly place: Place;
  /** Empty when it always takes part. */
  readonly profiles: readonly string[];
  readonly command: readonly string[];
  /** Undefined values were asked of the caller's environment and are not there. */
  readonly environment: ReadonlyMap<string, string>;
  readonly dependsOn: readonly Dependency[];
  readonly healthcheck: Healthcheck | undefined;
  readonly restart: Restart;
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceMilliseconds: number;
  readonly ports: readonly Port[];
  readonly mounts: readonly Mount[];
  readonly secrets: readonly SecretMount[];
  readonly configs: readonly ConfigMount[];
  /** What the service is as a local process; undefined when the file does not say. */
  readonly embedded: Embedded | undefined;
}

export type Condition = 'service_started' | 'service_healthy' | 'service_completed_successfully';
export const conditions: readonly Condition[] = [
  'service_started',
  'service_healthy',
  'service_completed_successfully',
];
export interface Dependency {
  readonly service: string;
  readonly condition: Condition;
  /** False when the service may do without the other if that one takes no part. */
  readonly required: boolean;
  readonly place: Place;
}

export interface Healthcheck {
  /** `CMD` and arguments, `CMD-SHELL` and a line, or empty when only the times are given. */
  readonly test: readonly string[];
  readonly intervalMilliseconds: number;
  readonly timeoutMilliseconds: number;
  readonly retries: number;
  readonly startPeriodMilliseconds: number;
}

export interface Restart {
  readonly policy: 'no' | 'always' | 'on-failure' | 'unless-stopped';
  /** For `on-failure:N`. */
  readonly most?: number;
}

export interface Port {
  /** The address it is published on; `0.0.0.0` when the file names none. */
  readonly host: string;
  readonly published: number;
  readonly target: number;
  /** The variable that sets the published port (`POSTGRES_PORT`), when one does. */
  readonly setting: string | undefined;
  readonly place: Place;
}

export interface Mount {
  readonly kind: 'volume' | 'bind';
  /** The volume's name, or the folder's absolute path. */
  readonly source: string;
  readonly target: string;
  readonly place: Place;
}

export interface SecretMount {
  readonly name: string;
  /** Absolute path inside the container: `/run/secrets/<name>` unless the file says otherwise. */
  readonly target: string;
}

export interface ConfigMount {
  readonly name: string;
  /** Absolute path inside the container: `/<name>` unless the file says otherwise. */
  readonly target: string;
  readonly place: Place;
}

export interface Embedded {
  readonly program: 'postgres' | 'vault' | undefined;
  readonly entrypoint: readonly string[];
  /** Replaces the container's probe. */
  readonly healthUrl: string | undefined;
}

/** The init containers, by the project's rule of naming: `<service>-migrations`. */
export function initContainers(stack: Stack): { service: string; initContainer: string }[] {
  return [...stack.services.keys()]
    .filter((name) => name.endsWith('-migrations'))
    .map((initContainer) => ({ service: initContainer.slice(0, -'-migrations'.length), initContainer }));
}

/** Whether another service waits for this one to end: then it is a one-shot. */
export function isOneShot(stack: Stack, name: string): boolean {
  return [...stack.services.values()].some(({ dependsOn }) =>
    dependsOn.some((one) => one.service === name && one.condition === 'service_completed_successfully'),
  );
}

/** Where this machine reaches the service, or undefined when it publishes nothing. */
export function serviceUrl(service: Service): string | undefined {
  const port = service.ports[0];
  if (port === undefined) return undefined;
  const scheme = service.embedded?.program === 'postgres' || port.target === 5432 ? 'postgres' : 'http';
  return `${scheme}://${reachableHost(port.host)}:${port.published}`;
}

/** The address to connect to for one that is listened on: every-interface addresses are reached over loopback. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
