import { randomBytes } from 'node:crypto';
import type { Stack } from '../compose/stack.ts';
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
import { UsageError } from '../errors.ts';
import type { OpenedStack } from '../prepare.ts';
import { closedMountsLine } from './closed-mounts.ts';
import { ComposeCall } from './compose-call.ts';
import type { ComposeCommand } from './compose-program.ts';
import { keepContainerLogs, printContainerLogs } from './container-logs.ts';
import { byService, type Containing } from './container-outcome.ts';
import { ContainerOwner } from './container-owner.ts';
import { ContainerStart } from './container-start.ts';
import { checkDependencies, noShell, runningContainer, statuses } from './container-status.ts';
import { Containers, type ContainerTools } from './containers.ts';
import { refuseOddPath } from './odd-path.ts';
import { removeStepped } from './podman-compose-project.ts';
import { missingHealthTimers, withHealthChecks } from './podman-health.ts';
import { findTakenPorts, refuseTakenPorts } from './ports.ts';
import { ensureImages } from './start-images.ts';

/** What the compose engine calls. */
export interface ComposeTools extends ContainerTools {
  readonly command: ComposeCommand;
  /** An old Podman: a `run --rm` ends with 0 there, whatever the program said. */
  readonly losesStatusOfRemoved: boolean;
}

/** Runs the stack with Docker Compose 2, on Docker or on Podman. */
export class ComposeEngine implements Engine {
  readonly name: EngineName;
  readonly owner: ContainerOwner;
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
    this.owner = new ContainerOwner(this.#containers);
  }

  async prepare(report: (progress: Progress) => void, signal: AbortSignal): Promise<void> {
    refuseOddPath(this.#opened.project, this.name);
    const closed = closedMountsLine(this.#opened);
    if (closed !== undefined) report({ kind: 'step', text: closed });
    this.#compose.set(await ensureImages(this.#tools.program, this.#opened, report, signal));
  }

  async up(report: (progress: Progress) => void, signal: AbortSignal): Promise<UpReport> {
    // Loaded while compose works.
    void import('wait-on');
    if (this.name === 'podman') await removeStepped(this.#tools, this.#stack);
    const before = byService(await this.#containers.list());
    await this.#refuseTakenPorts(before);
    const make = async () => {
      const args = ['create', '--no-build', '--remove-orphans'];
      await this.#compose.succeed(args, { cancelSignal: signal });
    };
    const start = new ContainerStart(this.#stack, make, this.#containers, report, signal);
    if (this.name === 'docker') return start.run(before);
    return withHealthChecks(this.#tools, this.#stack.name, () => start.run(before));
  }

  async down(report: (progress: Progress) => void): Promise<boolean> {
    return this.#remove([], report);
  }

  async destroy(report: (progress: Progress) => void): Promise<readonly string[]> {
    const volumes = await this.#containers.volumes();
    await this.#remove(['--volumes'], report);
    // Those of services that are no longer in the files; compose removes only what it reads of.
    await this.#containers.removeVolumes(await this.#containers.volumes());
    await this.owner.removeMark();
    return volumes;
  }

  status(): Promise<readonly ServiceStatus[]> {
    const isProbed = this.name === 'docker' || missingHealthTimers() === undefined;
    return statuses(this.#stack, this.#containers, isProbed);
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
    const terminal = process.stdin.isTTY && process.stdout.isTTY && !capture ? [] : ['-T'];
    const name = `${this.#stack.name}-${service}-run-${randomBytes(4).toString('hex')}`;
    const kept = this.#tools.losesStatusOfRemoved ? ['--name', name] : ['--rm'];
    const { exitCode, stdout, stderr } = await this.#compose.run(
      ['run', ...kept, '--no-deps', ...terminal, service, ...args],
      {
        stdin: 'inherit',
        stdout: capture ? 'pipe' : 'inherit',
        stderr: quiet ? 'pipe' : 'inherit',
      },
    );
    const exitStatus = this.#tools.losesStatusOfRemoved ? await this.#containers.takeStatus(name) : exitCode;
    if (quiet && exitStatus !== 0) process.stderr.write(`${stderr ?? ''}\n`);
    return { exitStatus: exitStatus ?? 1, stdout: String(stdout ?? '') };
  }

  async psql({ user, password, database }: Connection, args: readonly string[]): Promise<number> {
    const postgres = [...this.#stack.services.values()].find((one) => one.embedded?.program === 'postgres');
    if (postgres === undefined) throw new UsageError('the stack has no Postgres');
    const words = ['psql', '--host', '127.0.0.1', '--username', user, '--dbname', database, ...args];
    // The password travels in the environment: an argument would show in every list of processes.
    return this.#exec(['-e', 'PGPASSWORD', postgres.name, ...words], { PGPASSWORD: password });
  }

  async shell(service: string, words: readonly string[]): Promise<number> {
    await runningContainer(this.#stack, this.#containers, service);
    if (words.length > 0) return this.#exec([service, ...words]);
    const found = await this.#compose.run(['exec', '-T', service, '/bin/sh', '-c', 'exit 0']);
    if (found.exitCode === 0) return this.#exec([service, '/bin/sh']);
    throw noShell(service);
  }

  /** Of what does not run: the engine itself would say so only after it has started the rest. */
  async #refuseTakenPorts(now: Containing): Promise<void> {
    // The ports of another machine cannot be looked at from here.
    if (/^(tcp|ssh):/.test(environment['DOCKER_HOST'] ?? '')) return;
    const isDown = (name: string) => {
      const container = now.get(name);
      // A paused or restarting one holds its ports.
      return (
        container === undefined ||
        /^(created|configured|initialized|exited|dead|stopped)$/.test(container.state)
      );
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
    await keepContainerLogs(this.#containers, this.#opened.project);
    if (this.name === 'podman') await removeStepped(this.#tools, this.#stack);
    await this.#compose.succeed(['down', '--remove-orphans', ...options]);
    for (const { service } of there) report({ kind: 'service', status: { service, state: 'stopped' } });
    return there.length > 0;
  }
}
