import type { Condition, Dependency } from '../compose/stack.ts';
import type { ServiceState } from '../engine.ts';
import { Turns } from './turns.ts';

/** One service as a walk sees it. */
export interface Walked {
  readonly name: string;
  readonly dependsOn: readonly Dependency[];
}

/** What can be done to a service; neither call throws for what the service itself does. */
export interface Steps {
  /** Starts it if it does not run as it should; false when it could not be started. */
  readonly start: (name: string) => Promise<boolean>;
  /** Resolves with what it came to: its end, its health, or the state in which it is no use waiting any longer. */
  readonly settle: (name: string) => Promise<ServiceState>;
}

/** How a service came out of a walk. */
export interface Course {
  /** The services it waited for that did not meet their condition; it was not started. */
  readonly blockedBy: readonly string[];
  readonly isStarted: boolean;
}

/**
 * Starts services in the order of their conditions: each as soon as its own are met, side by side where nothing orders
 * them, a few at a time. One that fails blocks those that wait for it and nobody else.
 */
export async function walk(
  services: readonly Walked[],
  steps: Steps,
  signal: AbortSignal,
  turns = new Turns(),
): Promise<Map<string, Course>> {
  const known = new Map(services.map((service) => [service.name, service]));
  const courses = new Map<string, Bringing>();
  const bring = (service: Walked): Bringing => {
    const begun = courses.get(service.name);
    if (begun !== undefined) return begun;
    const needed = service.dependsOn.flatMap((dependency) => {
      const on = known.get(dependency.service);
      // One that takes no part is missed only by who requires it.
      if (on === undefined) return dependency.required ? [{ dependency, course: missing }] : [];
      return [{ dependency, course: bring(on) }];
    });
    const course = begin(service.name, needed, steps, { signal, turns });
    courses.set(service.name, course);
    return course;
  };
  for (const service of services) bring(service);
  const ended = [...courses].map(async ([name, { course }]) => [name, await course] as const);
  return new Map(await Promise.all(ended));
}

interface Bringing {
  readonly started: Promise<boolean>;
  readonly settled: Promise<ServiceState>;
  readonly course: Promise<Course>;
}

const missing: Bringing = {
  started: Promise.resolve(false),
  settled: Promise.resolve('stopped'),
  course: Promise.resolve({ blockedBy: [], isStarted: false }),
};

function begin(
  name: string,
  needed: readonly { readonly dependency: Dependency; readonly course: Bringing }[],
  steps: Steps,
  { signal, turns }: { readonly signal: AbortSignal; readonly turns: Turns },
): Bringing {
  const blocked = Promise.all(
    needed.map(async ({ dependency, course }) =>
      (await isMet(dependency.condition, course)) ? [] : [dependency.service],
    ),
  ).then((names) => names.flat());
  const turn = blocked.then((names) => (names.length > 0 ? undefined : turns.take()));
  const started = turn.then(async (leave) => {
    if (leave === undefined || signal.aborted) return false;
    return steps.start(name);
  });
  const settled = started.then(async (isStarted): Promise<ServiceState> => {
    return isStarted ? steps.settle(name) : 'created';
  });
  // Whatever became of it: an error is the caller's to hear, not the next one's to wait for.
  const over = () =>
    turn.then(
      (leave) => leave?.(),
      () => undefined,
    );
  settled.then(over, over);
  const course = Promise.all([blocked, started, settled]).then(([blockedBy, isStarted]) => ({
    blockedBy,
    isStarted,
  }));
  return { started, settled, course };
}

async function isMet(condition: Condition, { started, settled }: Bringing): Promise<boolean> {
  if (condition === 'service_started') return started;
  const state = await settled;
  return state === (condition === 'service_healthy' ? 'healthy' : 'completed');
}
