import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, constants } from 'node:os';
import { initContainers, reachableHost, type Stack, serviceUrl } from '../../compose/stack.ts';
import type {
  Availability,
  Connection,
  Engine,
  LogOptions,
  Progress,
  RunOptions,
  ServiceStatus,
  UpReport,
} from '../../engine.ts';
import { environment, inheritedEnvironment } from '../../environment.ts';
import { EngineError, PreflightError, systemReason, UsageError } from '../../errors.ts';
import { lock } from '../../lock.ts';
import { onPath } from '../../on-path.ts';
import type { Project } from '../../project.ts';
import { findTakenPorts, refuseTakenPorts, type TakenPort } from '../ports.ts';
import { SupervisorClient } from './client.ts';
import { type Folders, foldersOf } from './folders.ts';
import { printLogs } from './follow.ts';
import { runInForeground } from './foreground.ts';
import { makeLaunches } from './launches.ts';
import { localStack } from './local-stack.ts';
import { findPostgresPackage, postgresPackage } from './postgres-programs.ts';
import { deleteVolumes } from './volumes.ts';

/** Whether the embedded engine can run here: it needs the Postgres programs from npm, and a Unix. */
export function embeddedAvailability(): Availability {
  const name = 'embedded';
  if (process.platform !== 'linux' && process.platform !== 'darwin') {
    return { name, available: false, reason: `not for ${process.platform}; it runs on Linux and macOS` };
  }
  const found = findPostgresPackage();
  if (found === undefined) {
    return { name, available: false, reason: `the npm package ${postgresPackage()} is not installed` };
  }
  return {
    name,
    available: true,
    reason: `Postgres ${/^\d+\.\d+/.exec(found.version)?.[0] ?? found.version} from npm, Node ${process.versions.node}`,
  };
}

/** Runs the stack as local processes; see docs/architecture.md, "Embedded keys in compose.yaml". */
export class EmbeddedEngine implements Engine {
  readonly name = 'embedded';
  readonly runsAtOnce = Math.min(availableParallelism(), 8);
  /** What runs here; see {@link localStack}. */
  readonly #stack: Stack;
  readonly #leftOut: readonly ServiceStatus[];
  /** Also of services that do not run here, or take no part at the moment. */
  readonly #volumes: readonly string[];
  readonly #project: Project;
  readonly #folders: Folders;
  readonly #client: SupervisorClient;

  constructor(stack: Stack, project: Project) {
    const { stack: local, leftOut } = localStack(stack);
    this.#stack = local;
    this.#leftOut = leftOut.map((service) => ({
      service,
      state: 'stopped',
      note: 'runs in a container only',
    }));
    this.#volumes = stack.volumes;
    this.#project = project;
    this.#folders = foldersOf(project);
    this.#client = new SupervisorClient(project, this.#folders);
  }

  async up(report: (progress: Progress) => void, signal: AbortSignal): Promise<UpReport> {
    const from = performance.now();
    // In parallel: a supervisor without work ends by itself, should what follows refuse.
    const ready = this.#client.ensure().then(() => performance.now());
    ready.catch(() => undefined);
    const { launches, notes } = makeLaunches(
      this.#stack,
      this.#project,
      this.#folders,
      inheritedEnvironment(),
    );
    for (const text of notes) report({ kind: 'step', text });
    if (this.#leftOut.length > 0) {
      const names = this.#leftOut.map(({ service }) => service).join(', ');
      report({ kind: 'step', text: `left out: ${names} (without x-embedded, for containers only)` });
    }
    const made = performance.now();
    // A supervisor that does not answer is being replaced; then they are looked at again.
    const taken = await this.#takenPorts().catch(() => undefined);
    const checked = performance.now();
    const started = await ready;
    // What a dead supervisor left is ended by the time the new one answers; only then is a port really taken.
    if (taken === undefined || taken.length > 0) refuseTakenPorts(await this.#takenPorts());
    const { outcomes, cancelled } = await this.#client.up(launches, report, signal);
    const steps = [
      { name: 'launches', seconds: (made - from) / 1000 },
      { name: 'ports', seconds: (checked - made) / 1000 },
      { name: 'supervisor', seconds: Math.max(0, started - checked) / 1000 },
    ];
    if (cancelled && !signal.aborted) throw new EngineError('the stack was stopped while it started');
    const absent = this.#leftOut.map((status) => ({ ...status, ok: true, changed: true }));
    return { outcomes: [...outcomes, ...absent], steps };
  }

  down(report: (progress: Progress) => void): Promise<boolean> {
    return this.#client.down(report);
  }

  async destroy(report: (progress: Progress) => void): Promise<readonly string[]> {
    await this.#client.down(report);
    if (!existsSync(this.#folders.root)) return [];
    // Held while deleting, so that no `up` starts on half a volume.
    const held = await lock(this.#folders.root, 'supervisor.lock', 30_000);
    try {
      return deleteVolumes({ ...this.#stack, volumes: this.#volumes }, this.#folders);
    } finally {
      held.release();
    }
  }

  async status(): Promise<readonly ServiceStatus[]> {
    const statuses = new Map(
      ((await this.#client.statuses()) ?? []).map((status) => [status.service, status]),
    );
    const local = [...this.#stack.services.values()].map((service) => {
      const url = serviceUrl(service);
      const stopped: ServiceStatus = {
        service: service.name,
        state: 'stopped',
        ...(url === undefined ? {} : { url }),
      };
      return statuses.get(service.name) ?? stopped;
    });
    return [...local, ...this.#leftOut];
  }

  logs(options: LogOptions): Promise<void> {
    return printLogs(this.#folders.logs, options);
  }

  async run({ service, args, capture, quiet }: RunOptions): Promise<{ exitStatus: number; stdout: string }> {
    const found = this.#stack.services.get(service);
    if (found === undefined) throw new UsageError(`${service} does not run on the embedded engine`);
    if (found.embedded?.program !== undefined)
      throw new UsageError(`${service} is a server; it is not run once`);
    await this.#checkDependencies(service);
    const services = new Map(this.#stack.services).set(service, { ...found, command: args });
    const stack = { ...this.#stack, services };
    const { launches } = makeLaunches(stack, this.#project, this.#folders, inheritedEnvironment());
    const launch = launches.find((one) => one.service === service);
    if (launch === undefined) throw new UsageError(`no service ${service}`);
    return runInForeground(launch, capture, quiet);
  }

  async shell(service: string, words: readonly string[]): Promise<number> {
    if (!existsSync(this.#folders.root)) {
      throw new PreflightError('the stack was not started on this engine yet', { hint: 'make up' });
    }
    const { launches } = makeLaunches(this.#stack, this.#project, this.#folders, inheritedEnvironment());
    const launch = launches.find((one) => one.service === service);
    if (launch === undefined) throw new UsageError(`${service} does not run on the embedded engine`);
    const argv = words.length === 0 ? [environment['SHELL'] || '/bin/sh'] : words;
    const terminal = environment['TERM'];
    const own = { ...launch.environment, ...(terminal === undefined ? {} : { TERM: terminal }) };
    // As the person, and without what the process reads from files: a secret shows by its path alone, as in a container.
    const inside = { ...launch, argv, environment: own, environmentFiles: {}, user: undefined };
    if (words.length === 0) {
      const where = `a shell of your own in ${this.#project.root}`;
      process.stderr.write(`${service}: ${where}, with the service's environment\n`);
    }
    try {
      return (await runInForeground(inside, false)).exitStatus;
    } catch (error) {
      throw new PreflightError(`cannot run ${argv[0]}: ${systemReason(error)}`, { cause: error });
    }
  }

  async psql({ user, password, database }: Connection, args: readonly string[]): Promise<number> {
    const psql = onPath('psql', inheritedEnvironment()['PATH']);
    if (psql === undefined) {
      throw new PreflightError('psql is not on PATH', {
        hint: 'apt install postgresql-client (Debian, Ubuntu) or brew install libpq (macOS)',
      });
    }
    const port = [...this.#stack.services.values()].find((one) => one.embedded?.program === 'postgres')
      ?.ports[0];
    if (port === undefined) throw new UsageError('the stack has no Postgres with a published port');
    const child = spawn(psql, args, {
      stdio: 'inherit',
      env: {
        ...inheritedEnvironment(),
        TERM: environment['TERM'],
        PGHOST: reachableHost(port.host),
        PGPORT: String(port.published),
        PGUSER: user,
        PGPASSWORD: password,
        PGDATABASE: database,
      },
    });
    // Ctrl-C cancels a query in psql; it must not end this program around it.
    const ignore = () => undefined;
    process.on('SIGINT', ignore);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, ended) => {
        process.off('SIGINT', ignore);
        resolve(status ?? 128 + constants.signals[ended ?? 'SIGKILL']);
      });
    });
  }

  /** Only of what is not running: our own processes hold their ports rightly. */
  async #takenPorts(): Promise<TakenPort[]> {
    const running = new Map(
      ((await this.#client.statuses()) ?? [])
        .filter(({ pid }) => pid !== undefined)
        .map(({ service, url }) => [service, url]),
    );
    const wanted = (name: string) => {
      const service = this.#stack.services.get(name);
      return service === undefined || !running.has(name) || running.get(name) !== serviceUrl(service);
    };
    return findTakenPorts(this.#stack, wanted);
  }

  async #checkDependencies(service: string): Promise<void> {
    const states = new Map((await this.status()).map(({ service: name, state }) => [name, state]));
    const down = (this.#stack.services.get(service)?.dependsOn ?? [])
      .filter(({ condition, service: name }) => !isMet(condition, states.get(name)))
      .map(({ service: name }) => `${name} is ${states.get(name) ?? 'not there'}`);
    if (down.length === 0) return;
    const isMigrator = initContainers(this.#stack).some(({ initContainer }) => initContainer === service);
    throw new PreflightError(`${service} cannot run: what it depends on is not ready`, {
      evidence: down,
      hint: isMigrator ? 'make up, then the same again' : 'make up',
    });
  }
}

function isMet(condition: string, state: ServiceStatus['state'] | undefined): boolean {
  if (condition === 'service_healthy') return state === 'healthy';
  if (condition === 'service_completed_successfully') return state === 'completed';
  return state !== undefined && state !== 'created' && state !== 'stopped';
}
