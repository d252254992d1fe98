import { initContainers, isOneShot, type Stack } from '../compose/stack.ts';
import { isUp, type Outcome, type Progress, type ServiceState, type UpReport } from '../engine.ts';
import { answers, readyUrl } from './answers.ts';
import { lastWords } from './compose-call.ts';
import { type Containing, isChanged, outcomeOf } from './container-outcome.ts';
import { type Container, stateOf } from './container-shapes.ts';
import type { Containers } from './containers.ts';
import { explainPortRefusal } from './ports.ts';
import { StartEvents } from './start-events.ts';
import { type Course, type Steps, walk } from './walk.ts';
import { Watch } from './watch.ts';

const shownLines = 40;
/** A service that ended this often is not waited for any longer; its restart policy goes on. */
const mostEnds = 3;
/** A server is waited for this long, or as long as its health check asks; a one-shot for as long as it runs. */
const leastPatience = 90_000;

/**
 * One `up` with containers. Compose makes what is missing or changed (networks, volumes, containers) from the files; the
 * conditions between the containers are kept here, by the engine's events. Docker Compose 2 would keep them too, but looks
 * every half second and, when one service fails, drops what the others were about to do; podman-compose does not keep them.
 */
export class ContainerStart {
  readonly #stack: Stack;
  readonly #make: () => Promise<void>;
  readonly #containers: Containers;
  readonly #report: (progress: Progress) => void;
  readonly #signal: AbortSignal;
  readonly #events: StartEvents;
  readonly #initContainers: ReadonlySet<string>;
  readonly #watch: Watch;
  /** Seconds from the start of a container to its first answer, by service. */
  readonly #answered = new Map<string, number>();
  /** Why a container could not be started, in the engine's words. */
  readonly #refused = new Map<string, readonly string[]>();

  /** @param make makes the containers that are missing or changed, and starts none */
  constructor(
    stack: Stack,
    make: () => Promise<void>,
    containers: Containers,
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ) {
    this.#stack = stack;
    this.#make = make;
    this.#containers = containers;
    this.#report = report;
    this.#signal = signal;
    this.#initContainers = new Set(initContainers(stack).map(({ initContainer }) => initContainer));
    this.#events = new StartEvents(stack, report);
    this.#watch = new Watch(containers, (event) => this.#events.see(event));
  }

  /** Throws what `make` throws. */
  async run(before: Containing): Promise<UpReport> {
    const from = performance.now();
    // Compose refuses to do anything about a paused one.
    const paused = [...before.values()].filter(({ state }) => state === 'paused');
    await this.#containers.unpause(paused.map(({ id }) => id));
    await this.#make();
    const created = performance.now();
    try {
      await this.#watch.begin();
      const steps: Steps = { start: (name) => this.#start(name), settle: (name) => this.#settle(name) };
      const courses = await walk([...this.#stack.services.values()], steps, this.#signal);
      const walked = performance.now();
      const outcomes = await this.#outcomes(before, courses);
      return {
        outcomes,
        steps: [
          { name: 'create', seconds: (created - from) / 1000 },
          { name: 'start', seconds: (walked - created) / 1000 },
        ],
      };
    } finally {
      this.#watch.end();
    }
  }

  /** A server that runs is left alone; a one-shot runs again. */
  async #start(name: string): Promise<boolean> {
    const container = this.#watch.now.get(name);
    if (container === undefined) return false;
    if (isUp(stateOf(container))) return true;
    const hasHealth = (this.#stack.services.get(name)?.healthcheck?.test.length ?? 0) > 0;
    this.#watch.expect(name, hasHealth);
    const refused = await this.#containers.start(container.id);
    if (refused === undefined) return true;
    const service = this.#stack.services.get(name);
    const taken = service === undefined ? undefined : explainPortRefusal(service, refused);
    if (taken !== undefined) {
      this.#refused.set(name, taken);
      return false;
    }
    // Such as a network that was removed under it, or two commands that made the same.
    const cure = 'make down, then make up, makes the containers anew; the volumes are kept';
    this.#refused.set(name, [...lastWords(refused), cure]);
    return false;
  }

  async #settle(name: string): Promise<ServiceState> {
    const service = this.#stack.services.get(name);
    const url = service === undefined ? undefined : readyUrl(service);
    const over = new AbortController();
    if (url !== undefined) void this.#ask(name, url, over.signal);
    const until = Date.now() + this.#patience(name);
    try {
      for (;;) {
        const state = this.#stateOf(name);
        if (this.#signal.aborted || this.#isSettled(name, state) || Date.now() > until) return state;
        await this.#watch.changed();
      }
    } finally {
      over.abort();
    }
  }

  #patience(name: string): number {
    if (isOneShot(this.#stack, name)) return Number.POSITIVE_INFINITY;
    const health = this.#stack.services.get(name)?.healthcheck;
    if (health === undefined) return leastPatience;
    const tries = (health.retries + 1) * (health.intervalMilliseconds + health.timeoutMilliseconds);
    return Math.max(leastPatience, health.startPeriodMilliseconds + tries);
  }

  #stateOf(name: string): ServiceState {
    const container = this.#watch.now.get(name);
    if (container === undefined) return 'stopped';
    // An answer is newer than any look.
    return this.#answered.has(name) ? 'healthy' : stateOf(container);
  }

  #isSettled(name: string, state: ServiceState): boolean {
    if (isOneShot(this.#stack, name)) return this.#watch.hasEnded(name) && !isUp(state);
    // One that ran before may have been called unhealthy while it was paused; it is given time to be probed again.
    if (state === 'healthy' || (state === 'unhealthy' && this.#watch.isExpected(name))) return true;
    const service = this.#stack.services.get(name);
    if (state === 'running' && (service === undefined || readyUrl(service) === undefined)) return true;
    if (!this.#watch.hasEnded(name) || isUp(state)) return false;
    return service?.restart.policy === 'no' || this.#watch.ends(name) >= mostEnds;
  }

  /** Asks the published address, where a person will; the container's own probes are further apart. */
  async #ask(name: string, url: string, over: AbortSignal): Promise<void> {
    while (!over.aborted && !this.#signal.aborted) {
      if (!(await answers(url))) continue;
      const began = this.#watch.startedAt(name);
      const seconds = Math.max(0, (Date.now() - began) / 1000);
      this.#answered.set(name, seconds);
      this.#watch.wake();
      const isNews = this.#watch.isExpected(name);
      if (isNews) this.#report({ kind: 'service', status: { service: name, state: 'healthy', seconds } });
      return;
    }
  }

  async #outcomes(before: Containing, courses: ReadonlyMap<string, Course>): Promise<Outcome[]> {
    const now = await this.#watch.look();
    return Promise.all(
      [...this.#stack.services.keys()].map(async (name): Promise<Outcome> => {
        const container = now.get(name);
        const outcome = outcomeOf({
          stack: this.#stack,
          name,
          container,
          isChanged: isChanged(before.get(name), container),
          blockedBy: courses.get(name)?.blockedBy ?? [],
          isAnswering: this.#answered.has(name),
          seconds: this.#answered.get(name) ?? this.#events.seconds(name),
        });
        if (outcome.changed) this.#report({ kind: 'service', status: outcome });
        const mayHaveNews = outcome.changed && this.#initContainers.has(name);
        if ((outcome.ok && !mayHaveNews) || outcome.blockedBy !== undefined) return outcome;
        return { ...outcome, output: this.#refused.get(name) ?? (await this.#lastOutput(container)) };
      }),
    );
  }

  async #lastOutput(container: Container | undefined): Promise<readonly string[]> {
    if (container?.startedAt === undefined) return [];
    return this.#containers.lastOutput(container, shownLines);
  }
}
