import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome, ServiceStatus } from '../../engine.ts';
import { ownStamp, stampOf } from '../../pid.ts';
import type { Folders } from './folders.ts';
import type { Launch } from './launch.ts';
import { capLog } from './log-file.ts';
import { Pass } from './pass.ts';
import { type RecordedChild, writeState } from './state-file.ts';
import { stopInOrder } from './stop-order.ts';
import { SupervisedService } from './supervised.ts';
import { Watchdog } from './watchdog.ts';

/** What an `up` came to. */
export interface UpResult {
  readonly outcomes: readonly Outcome[];
  readonly cancelled: boolean;
}

/**
 * Keeps one project's services: starts them in the order their conditions allow, watches them, and stops them in the
 * reverse order. Writes down every process the moment it starts.
 */
export class Supervisor {
  readonly #folders: Folders;
  readonly #watchdog = new Watchdog();
  readonly #services = new Map<string, SupervisedService>();
  readonly #recorded = new Map<number, RecordedChild>();
  readonly #listeners = new Set<(status: ServiceStatus) => void>();
  #pass: Promise<unknown> = Promise.resolve();
  #passes = 0;
  #current = new AbortController();
  #leaving = false;

  constructor(folders: Folders) {
    this.#folders = folders;
    mkdirSync(folders.logs, { recursive: true, mode: 0o700 });
    writeState(folders.stateFile, { supervisor: ownStamp(), running: [] });
    setInterval(() => this.#capLogs(), 30_000).unref();
  }

  /** Whether it was told to stop everything; then it takes no more work. */
  get leaving(): boolean {
    return this.#leaving;
  }

  get busy(): boolean {
    return this.#passes > 0;
  }

  /** Whether it was never given anything to look after. */
  get empty(): boolean {
    return this.#services.size === 0 && !this.busy;
  }

  statuses(): ServiceStatus[] {
    return [...this.#services.values()].map((service) => service.status());
  }

  /** Calls `listener` at every change of a service, until the returned function is called. */
  listen(listener: (status: ServiceStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Brings the stack to what `launches` say: starts what is down or changed, runs every one-shot, stops what is no longer
   * named, leaves the rest alone. One at a time; a second waits for the first.
   *
   * @param signal when aborted: what is still starting is stopped, what is ready stays
   */
  async up(launches: readonly Launch[], signal: AbortSignal): Promise<UpResult> {
    const before = this.#pass;
    this.#passes += 1;
    const pass = (async () => {
      await before.catch(() => undefined);
      const current = new AbortController();
      this.#current = current;
      if (this.#leaving) return { outcomes: [], cancelled: true };
      const cancel = () => current.abort();
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
      const make = (launch: Launch) => this.#make(launch);
      const outcomes = await new Pass(launches, this.#services, make, current.signal).run();
      return { outcomes, cancelled: current.signal.aborted };
    })();
    this.#pass = pass;
    try {
      return await pass;
    } finally {
      this.#passes -= 1;
    }
  }

  /** Stops everything, each service before those it depends on, and lets the watchdog go. */
  async down(): Promise<void> {
    this.#leaving = true;
    this.#current.abort();
    await this.#pass.catch(() => undefined);
    await stopInOrder([...this.#services.values()]);
    this.#watchdog.end();
  }

  #make(launch: Launch): SupervisedService {
    const { service: name, stopSignal, stopGraceMilliseconds } = launch;
    const service: SupervisedService = new SupervisedService(
      launch,
      join(this.#folders.logs, `${name}.log`),
      {
        changed: () => {
          for (const listener of this.#listeners) listener(service.status());
        },
        started: (group) => {
          this.#watchdog.add(group, stopSignal);
          const stamp = stampOf(group);
          if (stamp !== undefined)
            this.#recorded.set(group, { service: name, stamp, stopSignal, stopGraceMilliseconds });
          this.#record();
        },
        ended: (group) => {
          this.#watchdog.remove(group);
          this.#recorded.delete(group);
          this.#record();
        },
      },
    );
    return service;
  }

  #record(): void {
    const running = [...this.#recorded.values()];
    unlessDiskIsFull(() => writeState(this.#folders.stateFile, { supervisor: ownStamp(), running }));
  }

  #capLogs(): void {
    for (const name of this.#services.keys()) {
      unlessDiskIsFull(() => capLog(join(this.#folders.logs, `${name}.log`)));
    }
  }
}

/** A full disk must not end the services that run; what could not be written is said in the supervisor's log. */
function unlessDiskIsFull(write: () => void): void {
  try {
    write();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
}
