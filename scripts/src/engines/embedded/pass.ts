import { startOrder } from '../../compose/graph.ts';
import type { Condition } from '../../compose/stack.ts';
import type { Outcome } from '../../engine.ts';
import { Turns } from '../turns.ts';
import type { Launch } from './launch.ts';
import { stopInOrder } from './stop-order.ts';
import type { SupervisedService } from './supervised.ts';

interface Course {
  /** Whether it was started, or ran already. */
  readonly started: Promise<boolean>;
  readonly outcome: Promise<Outcome>;
}

/**
 * One `up`: every service waits for its conditions, is started when it is not current, and is waited for until it is ready
 * or can no longer become so.
 */
export class Pass {
  readonly #launches: readonly Launch[];
  readonly #services: Map<string, SupervisedService>;
  readonly #make: (launch: Launch) => SupervisedService;
  readonly #signal: AbortSignal;
  readonly #courses = new Map<string, Course>();
  readonly #turns = new Turns();

  constructor(
    launches: readonly Launch[],
    services: Map<string, SupervisedService>,
    make: (launch: Launch) => SupervisedService,
    signal: AbortSignal,
  ) {
    this.#launches = launches;
    this.#services = services;
    this.#make = make;
    this.#signal = signal;
  }

  async run(): Promise<Outcome[]> {
    const named = new Set(this.#launches.map(({ service }) => service));
    const gone = [...this.#services.values()].filter(({ launch }) => !named.has(launch.service));
    await stopInOrder(gone);
    for (const { launch } of gone) this.#services.delete(launch.service);
    const graph = new Map(
      this.#launches.map((launch) => [launch.service, launch.dependsOn.map((one) => one.service)] as const),
    );
    const byName = new Map(this.#launches.map((launch) => [launch.service, launch]));
    for (const name of startOrder(graph)) {
      const launch = byName.get(name);
      if (launch === undefined) continue;
      if (!this.#services.has(name)) this.#services.set(name, this.#make(launch));
      this.#courses.set(name, this.#begin(launch));
    }
    return Promise.all(this.#launches.flatMap(({ service }) => this.#courses.get(service)?.outcome ?? []));
  }

  #begin(launch: Launch): Course {
    let tell: (started: boolean) => void = () => undefined;
    const started = new Promise<boolean>((resolve) => {
      tell = resolve;
    });
    const outcome = this.#bring(launch, tell).finally(() => tell(false));
    return { started, outcome };
  }

  async #bring(launch: Launch, tell: (started: boolean) => void): Promise<Outcome> {
    const service = this.#services.get(launch.service);
    if (service === undefined) throw new Error(`no service ${launch.service}`);
    const failed = await this.#unmet(launch);
    const leave = failed.length > 0 ? undefined : await this.#turns.take();
    if (leave === undefined || this.#signal.aborted) {
      leave?.();
      return { ...service.outcome(false), ok: false, blockedBy: failed, output: [] };
    }
    try {
      return await this.#settle(launch, service, tell);
    } finally {
      leave();
    }
  }

  /** Starts it where that is called for, and waits until it is ready or can no longer become so. */
  async #settle(
    launch: Launch,
    service: SupervisedService,
    tell: (started: boolean) => void,
  ): Promise<Outcome> {
    const changed = launch.oneShot || !service.isCurrent(launch) || !(await service.isWell(this.#signal));
    if (changed) await service.start(launch);
    else service.adopt(launch);
    tell(true);
    await service.settled(this.#signal);
    const outcome = service.outcome(changed);
    if (!this.#signal.aborted || outcome.ok) return outcome;
    // Interrupted: what was not ready in time is stopped rather than left half started.
    await service.stop();
    return { ...service.outcome(changed), ok: false };
  }

  /** Waits for every condition; returns the services that will not meet theirs. */
  async #unmet(launch: Launch): Promise<string[]> {
    const met = await Promise.all(
      launch.dependsOn.map(async ({ service, condition }) => {
        const course = this.#courses.get(service);
        if (course === undefined) return false;
        if (condition === 'service_started') return course.started;
        return meets(await course.outcome, condition);
      }),
    );
    return launch.dependsOn.filter((_, index) => met[index] !== true).map(({ service }) => service);
  }
}

function meets({ state, ok }: Outcome, condition: Condition): boolean {
  if (condition === 'service_healthy') return state === 'healthy';
  if (condition === 'service_completed_successfully') return state === 'completed' && ok;
  return true;
}
