import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { environment } from '../environment.ts';
import type { ContainerTools } from './containers.ts';

/** Between two looks at which containers are starting. */
const lookMilliseconds = 300;
/** While a container is still within its start period failures do not count, so that it may be probed this often. */
const quickMilliseconds = 500;
/** When a health check names no interval, Podman's own. */
const defaultInterval = 30_000;

/** Whose health is to be found out, with what, and for how long. */
export interface HealthWatch {
  readonly tools: ContainerTools;
  /** The compose project: containers with its label `com.docker.compose.project`, which podman-compose sets as well. */
  readonly project: string;
  readonly signal: AbortSignal;
}

/**
 * Why Podman's health checks do not run by themselves here; undefined when they do.
 *
 * Podman has no daemon: a timer of systemd probes each container. Where there is no systemd, in most containers, on Alpine
 * and on WSL without it, a container stays `starting` for ever, and whoever waits for its health does too.
 */
export function missingHealthTimers(): string | undefined {
  // Elsewhere Podman runs in a virtual machine of its own, which has systemd.
  if (process.platform !== 'linux') return undefined;
  if (environment['DISABLE_HC_SYSTEMD'] === 'true') return 'DISABLE_HC_SYSTEMD is set';
  if (!existsSync('/run/systemd/system')) return 'systemd does not run here';
  const user = process.getuid?.() ?? 0;
  if (user === 0) return undefined;
  const runtime = environment['XDG_RUNTIME_DIR'] ?? `/run/user/${user}`;
  return existsSync(`${runtime}/systemd`) ? undefined : "this user's systemd does not run";
}

/**
 * Probes every container of a project that is starting, each on its own and in its own interval, until `signal` aborts.
 * The first probe comes at once. What it finds is what `inspect` and `events` show; it is not looked at here.
 *
 * For the time of an `up`, where {@link missingHealthTimers} gives a reason: afterwards nothing probes, and the health that
 * Podman shows is that of the last probe. Never throws: a container that is gone is nobody's any more.
 */
export async function runHealthChecks(watch: HealthWatch): Promise<void> {
  const { signal } = watch;
  const probing = new Map<string, Promise<void>>();
  const starting = new Set<string>();
  while (!signal.aborted) {
    const now = await startingContainers(watch);
    starting.clear();
    for (const id of now) {
      starting.add(id);
      if (probing.has(id)) continue;
      probing.set(
        id,
        probe(id, watch, () => starting.has(id)).finally(() => probing.delete(id)),
      );
    }
    await pause(lookMilliseconds, signal);
  }
  await Promise.all(probing.values());
}

async function startingContainers({ tools, project, signal }: HealthWatch): Promise<string[]> {
  const label = `label=com.docker.compose.project=${project}`;
  const args = ['ps', '--quiet', '--no-trunc', '--filter', label, '--filter', 'health=starting'];
  return (await podman(tools, args, signal)).stdout.split('\n').filter((id) => id !== '');
}

/** Probes until it succeeds or the container is no longer starting. */
async function probe(id: string, { tools, signal }: HealthWatch, isStarting: () => boolean): Promise<void> {
  const pace = await paceOf(id, tools, signal);
  while (!signal.aborted && isStarting()) {
    const { exitCode } = await podman(tools, ['healthcheck', 'run', id], signal);
    if (exitCode === 0) return;
    await pause(pace(), signal);
  }
}

/** How long to wait after a probe that failed, at the time it did. */
async function paceOf(id: string, tools: ContainerTools, signal: AbortSignal): Promise<() => number> {
  const format = '{{json .Config.Healthcheck}}';
  const { stdout } = await podman(tools, ['container', 'inspect', '--format', format, id], signal);
  const { interval, startPeriod } = readTimes(stdout);
  const until = Date.now() + startPeriod;
  return () => (Date.now() < until ? Math.min(interval, quickMilliseconds) : interval);
}

/** The times of a health check as `inspect` shows them, in nanoseconds; here in milliseconds. */
function readTimes(text: string): { interval: number; startPeriod: number } {
  const milliseconds = (key: string) => {
    const found = new RegExp(`"${key}":\\s*(\\d+)`).exec(text)?.[1];
    return found === undefined ? undefined : Number(found) / 1_000_000;
  };
  return {
    interval: milliseconds('Interval') || defaultInterval,
    startPeriod: milliseconds('StartPeriod') ?? 0,
  };
}

function podman(tools: ContainerTools, args: readonly string[], signal: AbortSignal) {
  return execa('podman', args, {
    reject: false,
    stdin: 'ignore',
    cancelSignal: signal,
    env: { ...environment, ...tools.environment },
  });
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** Does `work`, and meanwhile what systemd would do for Podman where there is none: probes the project's containers. */
export async function withHealthChecks<T>(
  tools: ContainerTools,
  project: string,
  work: () => Promise<T>,
): Promise<T> {
  if (missingHealthTimers() === undefined) return work();
  const over = new AbortController();
  const probes = runHealthChecks({ tools, project, signal: over.signal });
  try {
    return await work();
  } finally {
    over.abort();
    await probes;
  }
}
