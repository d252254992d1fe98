import { setTimeout as sleep } from 'node:timers/promises';
import { byService, type Containing } from './container-outcome.ts';
import type { Container, ContainerEvent } from './container-shapes.ts';
import type { Containers } from './containers.ts';

/** The engine's events are believed at once; this often all containers are looked at again, should one be lost. */
const lookMilliseconds = 1_500;

/** A view of a project's containers that follows them while a stack starts. */
export class Watch {
  readonly #containers: Containers;
  readonly #tell: (event: ContainerEvent) => void;
  readonly #over = new AbortController();
  #began = 0;
  readonly #ends = new Map<string, number>();
  readonly #expected = new Map<string, { readonly before: number | undefined; readonly at: number }>();
  #now: Map<string, Container> = new Map();
  #waiters: (() => void)[] = [];

  /** @param tell hears of each event after the view has it */
  constructor(containers: Containers, tell: (event: ContainerEvent) => void) {
    this.#containers = containers;
    this.#tell = tell;
  }

  /** Begins to follow; resolves with the first look. */
  async begin(): Promise<Containing> {
    this.#began = Date.now();
    this.#containers.watch((event) => this.#see(event), this.#over.signal);
    await this.look();
    void this.#lookAgain();
    return this.#now;
  }

  end(): void {
    this.#over.abort();
    this.wake();
  }

  get now(): Containing {
    return this.#now;
  }

  /** How often a service's process has ended since the watch began. */
  ends(service: string): number {
    return this.#ends.get(service) ?? 0;
  }

  /** A service is about to be started: what is known of its earlier run no longer counts. */
  expect(service: string, hasHealth: boolean): void {
    const container = this.#now.get(service);
    if (container === undefined) return;
    this.#expected.set(service, { before: container.startedAt, at: Date.now() });
    this.#set({ ...container, state: 'running', health: hasHealth ? 'starting' : undefined });
  }

  isExpected(service: string): boolean {
    return this.#expected.has(service);
  }

  /** Whether it has ended since it was expected: an exit of an earlier run says nothing of this one. */
  hasEnded(service: string): boolean {
    if (this.ends(service) > 0) return true;
    const expected = this.#expected.get(service);
    return expected !== undefined && this.#now.get(service)?.startedAt !== expected.before;
  }

  /** When it was started, in milliseconds since 1970 by this machine's clock where that is known. */
  startedAt(service: string): number {
    return this.#expected.get(service)?.at ?? this.#now.get(service)?.startedAt ?? Date.now();
  }

  /** Looks at every container anew. */
  async look(): Promise<Containing> {
    this.#now = byService(await this.#containers.list());
    this.wake();
    return this.#now;
  }

  /** Resolves when something may have changed. */
  changed(): Promise<void> {
    return new Promise((resolve) => void this.#waiters.push(resolve));
  }

  #see(event: ContainerEvent): void {
    const { service, kind, exitCode, at } = event;
    // Podman tells of what is long past, too. Should the engine's clock be behind, the next look sees what is missed here.
    if (at !== undefined && at < this.#began) return;
    if (kind === 'ended') this.#ends.set(service, this.ends(service) + 1);
    const container = this.#now.get(service);
    if (container !== undefined) {
      if (kind === 'healthy' || kind === 'unhealthy')
        this.#set({ ...container, state: 'running', health: kind });
      if (kind === 'ended')
        this.#set({ ...container, state: 'exited', exitCode: exitCode ?? container.exitCode });
    }
    this.#tell(event);
    this.wake();
  }

  #set(container: Container): void {
    this.#now.set(container.service, container);
  }

  /** Wakes who waits for a change. */
  wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  async #lookAgain(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await sleep(lookMilliseconds, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.look().catch(() => undefined);
    }
  }
}
