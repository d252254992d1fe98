import { execa } from 'execa';
import { startOrder } from '../compose/graph.ts';
import type { Stack } from '../compose/stack.ts';
import type {
  Connection,
  Engine,
  LogOptions,
  Progress,
  RunOptions,
  ServiceStatus,
  UpReport,
} from '../engine.ts';
import { environment } from '../environment.ts';
import { UsageError } from '../errors.ts';
import type { OpenedStack } from '../prepare.ts';
import { closedMountsLine } from './closed-mounts.ts';
import { keepContainerLogs, printContainerLogs } from './container-logs.ts';
import { byService } from './container-outcome.ts';
import { ContainerOwner } from './container-owner.ts';
import { ContainerStart } from './container-start.ts';
import { checkDependencies, noShell, runningContainer, statuses } from './container-status.ts';
import { Containers } from './containers.ts';
import { refuseOddPath } from './odd-path.ts';
import { PodmanComposeMaker, type PodmanComposeTools } from './podman-compose-maker.ts';
import { type MadeContainer, PodmanProject } from './podman-compose-project.ts';
import { missingHealthTimers, withHealthChecks } from './podman-health.ts';
import { findTakenPorts, refuseTakenPorts } from './ports.ts';
import { ensureImages } from './start-images.ts';

/**
 * Runs the stack with podman-compose, step by step. No version of podman-compose keeps the conditions between services (see
 * docs/engines.md), so it only makes the containers; starting them in order, waiting for their health, looking at the exit
 * status of one-shots and stopping what depends on a failed one is done here, with Podman's own commands.
 */
export class PodmanComposeEngine implements Engine {
  readonly name = 'podman';
  readonly owner: ContainerOwner;
  readonly #tools: PodmanComposeTools;
  readonly #opened: OpenedStack;
  readonly #stack: Stack;
  readonly #containers: Containers;
  readonly #podman: PodmanProject;
  readonly #maker: PodmanComposeMaker;

  constructor(tools: PodmanComposeTools, opened: OpenedStack) {
    this.#tools = tools;
    this.#opened = opened;
    this.#stack = opened.stack;
    this.#containers = new Containers(tools, opened.stack.name);
    this.owner = new ContainerOwner(this.#containers);
    this.#podman = new PodmanProject(tools, opened.stack);
    this.#maker = new PodmanComposeMaker(tools, opened, this.#podman);
  }

  async prepare(report: (progress: Progress) => void, signal: AbortSignal): Promise<void> {
    refuseOddPath(this.#opened.project, this.name);
    const closed = closedMountsLine(this.#opened);
    if (closed !== undefined) report({ kind: 'step', text: closed });
    this.#maker.set(await ensureImages(this.#tools.program, this.#opened, report, signal));
  }

  async up(report: (progress: Progress) => void, signal: AbortSignal): Promise<UpReport> {
    const running = (await this.#podman.containers()).filter(({ isRunning }) => isRunning);
    const isDown = (name: string) => running.every(({ service }) => service !== name);
    refuseTakenPorts(await findTakenPorts(this.#stack, isDown));
    const { version } = this.#tools;
    report({
      kind: 'step',
      text: `podman-compose ${version} keeps no conditions; stack starts services one by one`,
    });
    return withHealthChecks(this.#tools, this.#stack.name, async () => {
      const make = await this.#maker.clear();
      const before = byService(await this.#containers.list());
      return new ContainerStart(this.#stack, () => make(signal), this.#containers, report, signal).run(
        before,
      );
    });
  }

  async down(report: (progress: Progress) => void): Promise<boolean> {
    return this.#removeAll([], report);
  }

  async destroy(report: (progress: Progress) => void): Promise<readonly string[]> {
    await this.#removeAll(['--volumes'], report);
    const volumes = await this.#podman.removeVolumes();
    await this.owner.removeMark();
    return volumes;
  }

  status(): Promise<readonly ServiceStatus[]> {
    return statuses(this.#stack, this.#containers, missingHealthTimers() === undefined);
  }

  logs(options: LogOptions): Promise<void> {
    return printContainerLogs(this.#tools, this.#containers, this.#opened.project, options);
  }

  async run({
    service,
    args,
    capture,
    quiet = false,
  }: RunOptions): Promise<{ exitStatus: number; stdout: string }> {
    await checkDependencies(this.#stack, this.#containers, service);
    const isTerminal = Boolean(process.stdin.isTTY && process.stdout.isTTY && !capture);
    const interrupted = new AbortController();
    const name = await this.#maker.makeOneOff({ service, args, isTerminal }, interrupted.signal);
    try {
      return await this.#foreground(['start', '--attach', '--interactive', name], { capture, quiet });
    } finally {
      await this.#podman.call(['rm', '--force', '--time', '0', name]);
    }
  }

  async psql({ user, password, database }: Connection, args: readonly string[]): Promise<number> {
    const postgres = [...this.#stack.services.values()].find((one) => one.embedded?.program === 'postgres');
    if (postgres === undefined) throw new UsageError('the stack has no Postgres');
    const { id } = await runningContainer(this.#stack, this.#containers, postgres.name);
    const words = ['psql', '--host', '127.0.0.1', '--username', user, '--dbname', database, ...args];
    // The password travels in the environment: an argument would show in every list of processes.
    return this.#exec(['--env', 'PGPASSWORD', id, ...words], { PGPASSWORD: password });
  }

  async shell(service: string, words: readonly string[]): Promise<number> {
    const { id } = await runningContainer(this.#stack, this.#containers, service);
    if (words.length > 0) return this.#exec([id, ...words]);
    const found = await this.#podman.call(['exec', id, '/bin/sh', '-c', 'exit 0']);
    if (found.exitCode === 0) return this.#exec([id, '/bin/sh']);
    throw noShell(service);
  }

  async #exec(words: readonly string[], extra: Readonly<Record<string, string>> = {}): Promise<number> {
    const terminal = process.stdin.isTTY && process.stdout.isTTY ? ['--tty'] : [];
    const { exitStatus } = await this.#foreground(['exec', '--interactive', ...terminal, ...words], {
      extra,
    });
    return exitStatus;
  }

  /** Whoever waits for others ends before them; what has ended goes at once. */
  async #removeAll(options: readonly string[], report: (progress: Progress) => void): Promise<boolean> {
    await keepContainerLogs(this.#containers, this.#opened.project);
    const there = await this.#podman.containers();
    const remove = async (one: MadeContainer) => {
      await this.#podman.remove(one, options);
      if (!this.#stack.services.has(one.service) || one.isOneOff) return;
      report({ kind: 'service', status: { service: one.service, state: 'stopped' } });
    };
    const running = there.filter((one) => one.isRunning && this.#stack.services.has(one.service));
    await Promise.all(there.filter((one) => !running.includes(one)).map(remove));
    for (const names of stopWaves(this.#stack)) {
      await Promise.all(running.filter(({ service }) => names.has(service)).map(remove));
    }
    await this.#podman.removePod();
    await this.#podman.removeNetworks();
    return there.length > 0;
  }

  async #foreground(
    args: readonly string[],
    { signal, capture = false, quiet = false, isMerged = false, extra = {} }: ForegroundOptions,
  ): Promise<{ exitStatus: number; stdout: string }> {
    const { exitCode, stdout, stderr } = await execa('podman', args, {
      reject: false,
      stdin: 'inherit',
      stdout: capture ? 'pipe' : 'inherit',
      stderr: isMerged ? process.stdout : quiet ? 'pipe' : 'inherit',
      ...(signal === undefined ? {} : { cancelSignal: signal }),
      env: { ...environment, ...this.#tools.environment, ...extra },
    });
    if (quiet && exitCode !== 0) process.stderr.write(`${stderr ?? ''}\n`);
    return { exitStatus: exitCode ?? 1, stdout: String(stdout ?? '') };
  }
}

interface ForegroundOptions {
  readonly signal?: AbortSignal;
  /** Passes stderr on only when it fails. */
  readonly quiet?: boolean;
  /** Returns stdout instead of passing it on. */
  readonly capture?: boolean;
  /** Writes stderr to stdout, for what is both a service's output. */
  readonly isMerged?: boolean;
  readonly extra?: Readonly<Record<string, string>>;
}

/** The services in the order they are stopped: those nobody waits for, then those that only they waited for, and so on. */
function stopWaves(stack: Stack): ReadonlySet<string>[] {
  const graph = new Map(
    [...stack.services.values()].map(({ name, dependsOn }) => [name, dependsOn.map((one) => one.service)]),
  );
  const depth = new Map<string, number>();
  for (const name of startOrder(graph)) {
    const before = (graph.get(name) ?? []).map((one) => depth.get(one) ?? -1);
    depth.set(name, Math.max(-1, ...before) + 1);
  }
  const deepest = Math.max(-1, ...depth.values());
  return Array.from({ length: deepest + 1 }, (_, at) => {
    const wave = [...depth].filter(([, own]) => own === deepest - at);
    return new Set(wave.map(([name]) => name));
  });
}
