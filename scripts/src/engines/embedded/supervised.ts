import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome, ServiceState, ServiceStatus } from '../../engine.ts';
import { ensureCluster } from './cluster.ts';
import type { Launch } from './launch.ts';
import { trySignal } from './leftovers.ts';
import { capLog, noteStart, tailLog } from './log-file.ts';
import { runProbe } from './probe.ts';

/** Until a service is first healthy it is asked this often; then at the interval of its compose file. */
const firstProbesMilliseconds = 25;
/** Before one that was well is restarted: what it uses may have been restarted just now, and be on its way back. */
const look = { longest: 2_000, pause: 300 };
/** As Docker does: the wait before a restart doubles, and begins anew after a run of ten seconds. */
const backoff = { first: 100, most: 60_000, forgottenAfter: 10_000 };
/** An `up` stops waiting for a service that ended this often; its restart policy goes on. */
const mostStarts = 3;
const shownLines = 40;

/** What a supervised service tells its supervisor. */
export interface Hooks {
  readonly changed: () => void;
  /** A process group of this service runs, or is gone. */
  readonly started: (group: number) => void;
  readonly ended: (group: number) => void;
}

/** One service as a process: started, watched, restarted by its policy, stopped. */
export class SupervisedService {
  #launch: Launch;
  readonly #hooks: Hooks;
  readonly #logFile: string;
  #state: ServiceState = 'created';
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #attempt = new AbortController();
  #restartTimer: NodeJS.Timeout | undefined;
  #starts = 0;
  #restarts = 0;
  #startedAt = 0;
  #logOffset = 0;
  #seconds: number | undefined;
  #exitStatus: number | undefined;
  #note: string | undefined;
  #waiters: (() => void)[] = [];

  constructor(launch: Launch, logFile: string, hooks: Hooks) {
    this.#launch = launch;
    this.#logFile = logFile;
    this.#hooks = hooks;
  }

  get launch(): Launch {
    return this.#launch;
  }

  get state(): ServiceState {
    return this.#state;
  }

  status(): ServiceStatus {
    const pid = this.#child?.pid;
    return {
      service: this.#launch.service,
      state: this.#state,
      ...(this.#exitStatus === undefined ? {} : { exitStatus: this.#exitStatus }),
      ...(this.#launch.url === undefined ? {} : { url: this.#launch.url }),
      ...(pid === undefined ? {} : { pid }),
      ...(this.#seconds === undefined ? {} : { seconds: Math.round(this.#seconds * 1000) / 1000 }),
      ...(this.#note === undefined ? {} : { note: this.#note }),
    };
  }

  /** Whether it runs as `launch` says and need not be touched. */
  isCurrent(launch: Launch): boolean {
    const runs = this.#state === 'healthy' || this.#state === 'running' || this.#state === 'starting';
    return runs && this.#child !== undefined && launch.hash === this.#launch.hash;
  }

  /**
   * Asks one that was well whether it still is, twice at most. Between two looks of the watch it may have been paused, or
   * what it depends on may have moved: an app keeps the address of a database that is elsewhere now.
   */
  async isWell(signal: AbortSignal): Promise<boolean> {
    if (this.#state !== 'healthy') return true;
    const { health } = this.#launch;
    const timeoutMilliseconds = Math.min(health.timeoutMilliseconds, look.longest);
    const asked = { ...this.#launch, health: { ...health, timeoutMilliseconds } };
    if ((await runProbe(asked, signal)).ok) return true;
    await sleep(look.pause, undefined, { signal }).catch(() => undefined);
    return signal.aborted || (await runProbe(asked, signal)).ok;
  }

  /** Takes over what may change without a restart: times, conditions, policies. */
  adopt(launch: Launch): void {
    this.#launch = launch;
  }

  /** Starts it as `launch` says; whatever runs is stopped first. Resolves when it was started, not when it is ready. */
  async start(launch: Launch): Promise<void> {
    await this.stop();
    this.#launch = launch;
    this.#starts = 0;
    this.#restarts = 0;
    await this.#begin();
  }

  /** Resolves when it is ready, has ended, or keeps failing; or when `signal` aborts. */
  async settled(signal: AbortSignal): Promise<void> {
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake, { once: true });
    while (!this.#isSettled() && !signal.aborted) {
      await new Promise<void>((resolve) => void this.#waiters.push(resolve));
    }
    signal.removeEventListener('abort', wake);
  }

  /** How an `up` sees it now. */
  outcome(changed: boolean): Outcome {
    const ready = this.#launch.oneShot ? ['completed'] : ['healthy', 'completed', 'running'];
    const ok = ready.includes(this.#state);
    return {
      ...this.status(),
      ok,
      changed,
      ...(ok && !this.#launch.oneShot ? {} : { output: tailLog(this.#logFile, this.#logOffset, shownLines) }),
    };
  }

  /** Stops it: its stop signal, and after its grace period SIGKILL for the whole group. */
  async stop(): Promise<void> {
    clearTimeout(this.#restartTimer);
    this.#attempt.abort();
    if (this.#state === 'restarting') this.#become('stopped');
    const child = this.#child;
    if (child?.pid === undefined) {
      await this.#ended;
      return;
    }
    const group = child.pid;
    this.#become('stopping');
    trySignal(group, this.#launch.stopSignal);
    // A paused process would hear of it only after its grace period, from SIGKILL.
    trySignal(-group, 'SIGCONT');
    const grace = setTimeout(() => trySignal(-group, 'SIGKILL'), this.#launch.stopGraceMilliseconds);
    await this.#ended;
    clearTimeout(grace);
  }

  #isSettled(): boolean {
    if (this.#state === 'running') return !this.#launch.oneShot && this.#launch.probe === undefined;
    if (this.#state === 'restarting') return this.#starts >= mostStarts;
    return this.#state !== 'starting' && this.#state !== 'created' && this.#state !== 'stopping';
  }

  #become(state: ServiceState, note?: string): void {
    this.#state = state;
    this.#note = note;
    this.#wake();
    this.#hooks.changed();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  async #begin(): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#starts += 1;
    this.#startedAt = performance.now();
    this.#seconds = undefined;
    this.#exitStatus = undefined;
    this.#become('starting');
    let finish: () => void = () => undefined;
    this.#ended = new Promise((resolve) => {
      finish = resolve;
    });
    try {
      capLog(this.#logFile);
      const log = openSync(this.#logFile, 'a', 0o600);
      try {
        this.#logOffset = statSync(this.#logFile).size;
        noteStart(this.#logFile, this.#logOffset);
        await this.#prepare(log, attempt.signal);
        if (attempt.signal.aborted) throw new Error('stopped before it started');
        this.#spawn(log, attempt, finish);
      } finally {
        closeSync(log);
      }
    } catch (error) {
      finish();
      this.#become(
        attempt.signal.aborted ? 'stopped' : 'failed',
        error instanceof Error ? error.message : String(error),
      );
    }
  }

  async #prepare(log: number, signal: AbortSignal): Promise<void> {
    const { cluster } = this.#launch;
    if (cluster === undefined) return;
    const { started, ended } = this.#hooks;
    await ensureCluster(this.#launch, cluster, { log, started, ended, signal });
  }

  #spawn(log: number, attempt: AbortController, finish: () => void): void {
    const { argv, folder, environment, environmentFiles, user, probe } = this.#launch;
    const [program = '', ...args] = argv;
    const fromFiles = Object.fromEntries(
      Object.entries(environmentFiles).map(([name, file]) => [name, readFileSync(file, 'utf8').trim()]),
    );
    const child = spawn(program, args, {
      cwd: folder,
      env: { ...environment, ...fromFiles },
      stdio: ['ignore', log, log],
      // A session and a process group of its own: no terminal's signal reaches it, and all of it can be ended at once.
      detached: true,
      ...user,
    });
    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      finish();
      this.#exitStatus = 127;
      this.#become('failed', `cannot start ${program}: ${error.message}`);
    });
    if (child.pid === undefined) return;
    const group = child.pid;
    this.#child = child;
    this.#hooks.started(group);
    child.once('exit', (status, signal) => {
      attempt.abort();
      // As a container ends with its first process, so does the rest of the group.
      trySignal(-group, 'SIGKILL');
      this.#hooks.ended(group);
      this.#child = undefined;
      finish();
      this.#onEnd(status ?? 128 + constants.signals[signal ?? 'SIGKILL']);
    });
    this.#become(probe === undefined ? 'running' : 'starting');
    void this.#watch(attempt.signal);
  }

  #onEnd(exitStatus: number): void {
    const ran = performance.now() - this.#startedAt;
    const wasReady = this.#seconds !== undefined;
    this.#exitStatus = exitStatus;
    if (!wasReady) this.#seconds = ran / 1000;
    if (this.#state === 'stopping') {
      this.#become('stopped');
      return;
    }
    if (!this.#restartsAfter(exitStatus)) {
      const { oneShot } = this.#launch;
      this.#become(
        exitStatus === 0 ? 'completed' : 'failed',
        oneShot || exitStatus === 0 ? undefined : 'it ended',
      );
      return;
    }
    if (ran > backoff.forgottenAfter) this.#restarts = 0;
    const wait = Math.min(backoff.first * 2 ** this.#restarts, backoff.most);
    this.#restarts += 1;
    this.#become('restarting', `it ended with ${exitStatus}`);
    this.#restartTimer = setTimeout(() => void this.#begin(), wait);
  }

  #restartsAfter(exitStatus: number): boolean {
    const { policy, most } = this.#launch.restart;
    if (policy === 'on-failure') return exitStatus !== 0 && (most === undefined || this.#restarts < most);
    return policy !== 'no';
  }

  /** Asks again and again whether it is well, until the process ends. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { probe, health } = this.#launch;
    if (probe === undefined) return;
    const patience = health.startPeriodMilliseconds + health.retries * health.intervalMilliseconds;
    let failures = 0;
    while (!signal.aborted) {
      const found = await runProbe(this.#launch, signal);
      if (signal.aborted) return;
      if (found.ok) {
        failures = 0;
        this.#seconds ??= (performance.now() - this.#startedAt) / 1000;
        if (this.#state !== 'healthy' && this.#state !== 'stopping') this.#become('healthy');
      } else {
        failures += 1;
        const wasHealthy = this.#state === 'healthy';
        const late = performance.now() - this.#startedAt > patience;
        const given = found.fatal === true || (wasHealthy ? failures >= health.retries : late);
        if (given && this.#state !== 'unhealthy' && this.#state !== 'stopping')
          this.#become('unhealthy', found.reason);
        else if (this.#state === 'starting') this.#note = found.reason;
      }
      const pause =
        this.#state === 'starting' ? firstProbesMilliseconds : Math.max(100, health.intervalMilliseconds);
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}
