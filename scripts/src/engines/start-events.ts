import { isOneShot, type Stack, serviceUrl } from '../compose/stack.ts';
import type { Progress, ServiceState } from '../engine.ts';
import type { ContainerEvent } from './container-shapes.ts';

/** Turns the engine's events into the progress of a start. */
export class StartEvents {
  readonly #stack: Stack;
  readonly #report: (progress: Progress) => void;
  readonly #started = new Map<string, number>();
  readonly #seconds = new Map<string, number>();

  constructor(stack: Stack, report: (progress: Progress) => void) {
    this.#stack = stack;
    this.#report = report;
  }

  see({ service, kind, exitCode }: ContainerEvent): void {
    if (!this.#stack.services.has(service)) return;
    if (kind === 'started') {
      this.#started.set(service, performance.now());
      this.#say(service, 'starting');
    } else if (kind === 'ended' && isOneShot(this.#stack, service)) {
      this.#say(service, exitCode === 0 ? 'completed' : 'failed', exitCode);
    } else {
      this.#say(service, kind === 'ended' ? 'restarting' : kind, exitCode);
    }
  }

  /** Seconds from a service's start to its health or end, when both were seen. */
  seconds(name: string): number | undefined {
    return this.#seconds.get(name);
  }

  #say(name: string, state: ServiceState, exitStatus?: number): void {
    const from = this.#started.get(name);
    // A server that ran before is not news.
    if (from === undefined && state !== 'restarting') return;
    const seconds = from === undefined ? undefined : (performance.now() - from) / 1000;
    if (state !== 'starting' && seconds !== undefined && !this.#seconds.has(name))
      this.#seconds.set(name, seconds);
    const service = this.#stack.services.get(name);
    const url = service === undefined ? undefined : serviceUrl(service);
    const status = {
      service: name,
      state,
      ...(url === undefined ? {} : { url }),
      ...(exitStatus === undefined ? {} : { exitStatus }),
      ...(state === 'starting' || seconds === undefined ? {} : { seconds }),
    };
    this.#report({ kind: 'service', status });
  }
}
