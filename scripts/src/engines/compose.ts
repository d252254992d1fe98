import { initContainers, type Stack } from '../compose/stack.ts';
import type {
  Connection,
  Engine,
  EngineName,
  LogOptions,
  Progress,
  RunOptions,
  ServiceStatus,
  UpReport,
} from '../engine.ts';
import { environment } from '../environment.ts';
import { PreflightError, UsageError } from '../errors.ts';
import type { OpenedStack } from '../prepare.ts';
import { answers, readyUrl } from './answers.ts';
import { ComposeCall } from './compose-call.ts';
import { byService, type Containing, isUp, statusOf, unmet } from './compose-outcome.ts';
import type { ComposeCommand } from './compose-program.ts';
import { ComposeStart } from './compose-start.ts';
import { Containers, type ContainerTools } from './containers.ts';
import { findTakenPorts, refuseTakenPorts } from './embedded/ports.ts';
import { ensureImages } from './start-images.ts';

/** What the compose engine calls. */
export interface ComposeTools extends ContainerTools {
  readonly command: ComposeCommand;
}

/** Runs the stack with Docker Compose 2, on Docker or on Podman. */
export class ComposeEngine implements Engine {
  readonly name: EngineName;
  readonly #opened: OpenedStack;
  readonly #tools: ComposeTools;
  readonly #stack: Stack;
  readonly #compose: ComposeCall;
  readonly #containers: Containers;

  constructor(name: 'docker' | 'podman', tools: ComposeTools, opened: OpenedStack) {
    const { stack, project } = opened;
    this.name = name;
    this.#opened = opened;
    this.#tools = tools;
    this.#stack = stack;
    this.#compose = new ComposeCall(tools.command, tools.environment, project, stack.name);
    this.#containers = new Containers(tools, stack.name);
  }

  async prepare(report: (progress: Progress) => void, signal: AbortSignal): Promise<void> {
    this.#compose.set(await ensureImages(this.#tools.program, this.#opened, report, signal));
  }

  async up(report: (progress: Progress) => void, signal: AbortSignal): Promise<UpReport> {
    // Loaded while compose works.
    void import('wait-on');
    const before = byService(await this.#containers.list());
    await this.#refuseTakenPorts(before);
    const make = async () => {
      const args = ['--progress', 'quiet', 'create', '--no-build', '--remove-orphans'];
      await this.#compose.succeed(args, { cancelSignal: signal });
    };
    const start = new ComposeStart(this.#stack, make, this.#containers, report, signal);
    return this.#probing(() => start.run(before));
  }

  async down(report: (progress: Progress) => void): Promise<boolean> {
    return this.#remove([], report);
  }

  async destroy(report: (progress: Progress) => void): Promise<readonly string[]> {
    const volumes = await this.#containers.volumes();
    await this.#remove(['--volumes'], report);
    return volumes;
  }

  async status(): Promise<readonly ServiceStatus[]> {
    const now = byService(await this.#containers.list());
    return Promise.all(
      [...this.#stack.services.values()].map(async (service): Promise<ServiceStatus> => {
        const status = statusOf(this.#stack, service.name, now.get(service.name));
        // Its own probes are far apart, or there are none; the address answers at once.
        const isDoubtful = status.state === 'starting' || (this.name === 'podman' && isUp(status.state));
        const url = isDoubtful ? readyUrl(service) : undefined;
        return url !== undefined && (await answers(url)) ? { ...status, state: 'healthy' } : status;
      }),
    );
  }

  async logs({ services, follow, tail, signal }: LogOptions): Promise<void> {
    const options = [
      ...(follow ? ['--follow'] : []),
      ...(tail === undefined ? [] : ['--tail', String(tail)]),
      ...(services.length === 1 ? ['--no-log-prefix'] : []),
    ];
    await this.#compose.run(['logs', ...options, ...services], {
      stdout: 'inherit',
      stderr: 'inherit',
      cancelSignal: signal,
    });
  }

  async run({ service, args, capture }: RunOptions): Promise<{ exitStatus: number; stdout: string }> {
    await this.#checkDependencies(service);
    const terminal = process.stdin.isTTY && process.stdout.isTTY && !capture ? [] : ['-T'];
    const { exitCode, stdout } = await this.#compose.run(
      ['--progress', 'quiet', 'run', '--rm', '--no-deps', ...terminal, service, ...args],
      { stdin: 'inherit', stdout: capture ? 'pipe' : 'inherit', stderr: 'inherit' },
    );
    return { exitStatus: exitCode ?? 1, stdout: String(stdout ?? '') };
  }

  async psql({ user, password, database }: Connection, args: readonly string[]): Promise<number> {
    const postgres = [...this.#stack.services.values()].find((one) => one.embedded?.program === 'postgres');
    if (postgres === undefined) throw new UsageError('the stack has no Postgres');
    const words = ['psql', '--host', '127.0.0.1', '--username', user, '--dbname', database, ...args];
    // The password travels in the environment: an argument would show in every list of processes.
    return this.#exec(['-e', 'PGPASSWORD', postgres.name, ...words], { PGPASSWORD: password });
  }

  async shell(service: string, words: readonly string[]): Promise<number> {
    const container = byService(await this.#containers.list()).get(service);
    const { state } = statusOf(this.#stack, service, container);
    if (!isUp(state))
      throw new PreflightError(`${service} does not run: it is ${state}`, { hint: 'make up' });
    if (words.length > 0) return this.#exec([service, ...words]);
    const found = await this.#compose.run(['exec', '-T', service, '/bin/sh', '-c', 'exit 0']);
    if (found.exitCode === 0) return this.#exec([service, '/bin/sh']);
    throw new PreflightError(`the image of ${service} has no shell`, {
      evidence: ['a program that it does have can be run by name'],
      hint: `make shell SERVICE=${service} ARGS='node --version'`,
    });
  }

  /** Where Podman lacks what probes its containers, they are probed from here while `work` waits for their health. */
  async #probing<T>(work: () => Promise<T>): Promise<T> {
    if (this.name !== 'podman') return work();
    const { missingHealthTimers, runHealthChecks } = await import('./podman-health.ts');
    if (missingHealthTimers() === undefined) return work();
    const over = new AbortController();
    const probes = runHealthChecks({ tools: this.#tools, project: this.#stack.name, signal: over.signal });
    try {
      return await work();
    } finally {
      over.abort();
      await probes;
    }
  }

  /** Of what does not run: the engine itself would say so only after it has started the rest. */
  async #refuseTakenPorts(now: Containing): Promise<void> {
    // The ports of another machine cannot be looked at from here.
    if (/^(tcp|ssh):/.test(environment['DOCKER_HOST'] ?? '')) return;
    const isDown = (name: string) => {
      const container = now.get(name);
      return container === undefined || container.state !== 'running';
    };
    refuseTakenPorts(await findTakenPorts(this.#stack, isDown));
  }

  async #exec(words: readonly string[], extra: Readonly<Record<string, string>> = {}): Promise<number> {
    const terminal = process.stdin.isTTY && process.stdout.isTTY ? [] : ['-T'];
    const { exitCode } = await this.#compose.run(['exec', ...terminal, ...words], {
      stdin: 'inherit',
      stdout: 'inherit',
      stderr: 'inherit',
      env: { ...extra },
    });
    return exitCode ?? 1;
  }

  async #remove(options: readonly string[], report: (progress: Progress) => void): Promise<boolean> {
    const there = await this.#containers.list();
    await this.#compose.succeed([
      '--progress',
      'quiet',
      '--profile',
      '*',
      'down',
      '--remove-orphans',
      ...options,
    ]);
    for (const { service } of there) report({ kind: 'service', status: { service, state: 'stopped' } });
    return there.length > 0;
  }

  async #checkDependencies(service: string): Promise<void> {
    const now = byService(await this.#containers.list());
    const down = unmet(this.#stack, service, now).map(({ service: name }) => {
      const { state } = statusOf(this.#stack, name, now.get(name));
      return `${name} is ${state}`;
    });
    if (down.length === 0) return;
    const isMigrator = initContainers(this.#stack).some(({ initContainer }) => initContainer === service);
    throw new PreflightError(`${service} cannot run: what it depends on is not ready`, {
      evidence: down,
      hint: isMigrator ? 'make up, then the same again' : 'make up',
    });
  }
}
