import { spawn } from 'node:child_process';
import { execa, type Options } from 'execa';
import { isOneShot, type Stack, serviceUrl } from '../compose/stack.ts';
import type {
  Connection,
  Engine,
  EngineName,
  LogOptions,
  Outcome,
  Progress,
  RunOptions,
  ServiceStatus,
  UpReport,
} from '../engine.ts';
import { environment } from '../environment.ts';
import { EngineError, systemCode, systemReason, UsageError } from '../errors.ts';
import { onPath } from '../on-path.ts';
import type { Project } from '../project.ts';
import type { Ask, ComposeCommand } from './compose-program.ts';
import { readStatuses } from './compose-status.ts';
import { trySignal } from './embedded/leftovers.ts';

/** An engine that does not answer in this time counts as not there. */
const askMilliseconds = 2_500;
/** No answer is longer. */
const mostCharacters = 16 * 1024;
/** How long the apps may take to answer on their published ports once compose calls them healthy. */
const answerMilliseconds = 10_000;

/**
 * Asks a program in at most 2.5 seconds. Not with execa: past its timeout it waits for the program's children to let go of
 * the output, and a `docker` that is a script may have one that never does.
 */
export const ask: Ask = (program, args) =>
  new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] = (said[name] + text).slice(0, mostCharacters);
      });
    }
    const timer = setTimeout(() => {
      if (child.pid !== undefined) trySignal(-child.pid, 'SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ ok: false, stdout: '', stderr: `no answer in ${askMilliseconds / 1000} s`, missing: false });
    }, askMilliseconds);
    child.once('error', (error) => {
      clearTimeout(timer);
      const code = systemCode(error);
      // EACCES: a folder on PATH is closed to this user, and no other has the program.
      const missing =
        code === 'ENOENT' || (code === 'EACCES' && onPath(program, environment['PATH']) === undefined);
      resolve({ ok: false, stdout: '', stderr: systemReason(error), missing });
    });
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({ ok: status === 0, ...said, missing: false });
    });
  });

/**
 * Runs the stack with Docker Compose 2, on Docker or on Podman. Conditions, health checks and volumes are compose's own;
 * this class only calls it and reads what it says.
 */
export class ComposeEngine implements Engine {
  readonly name: EngineName;
  readonly #command: ComposeCommand;
  readonly #stack: Stack;
  readonly #project: Project;

  constructor(name: 'docker' | 'podman', command: ComposeCommand, stack: Stack, project: Project) {
    this.name = name;
    this.#command = command;
    this.#stack = stack;
    this.#project = project;
  }

  async up(report: (progress: Progress) => void, signal: AbortSignal): Promise<UpReport> {
    const from = performance.now();
    // Its own progress goes to the terminal: it knows what it pulls and builds.
    const { exitCode } = await this.#run(['up', '--detach', '--wait', '--build', '--remove-orphans'], {
      stdout: process.stderr,
      stderr: 'inherit',
      cancelSignal: signal,
      forceKillAfterDelay: 10_000,
    });
    const seconds = (performance.now() - from) / 1000;
    const statuses = await this.status();
    for (const status of statuses) report({ kind: 'service', status });
    const outcomes = await Promise.all(statuses.map((status) => this.#outcome(status)));
    if (exitCode !== 0 && outcomes.every(({ ok }) => ok) && !signal.aborted) {
      throw new EngineError(`${this.#command.join(' ')} up exited ${exitCode}`);
    }
    if (exitCode === 0) await this.#checkAnswers();
    return { outcomes, steps: [{ name: 'compose up', seconds }] };
  }

  async down(): Promise<boolean> {
    const ran = (await this.status()).some(({ state }) => state !== 'stopped');
    await this.#succeed(['down', '--remove-orphans']);
    return ran;
  }

  async destroy(): Promise<readonly string[]> {
    await this.#succeed(['down', '--volumes', '--remove-orphans']);
    return this.#stack.volumes;
  }

  async status(): Promise<readonly ServiceStatus[]> {
    const { stdout } = await this.#succeed(['ps', '--all', '--format', 'json'], { stdout: 'pipe' });
    const url = (name: string) => {
      const service = this.#stack.services.get(name);
      return service === undefined ? undefined : serviceUrl(service);
    };
    const known = new Map(readStatuses(String(stdout), url).map((status) => [status.service, status]));
    return [...this.#stack.services.keys()].map((service): ServiceStatus => {
      const address = url(service);
      return (
        known.get(service) ?? {
          service,
          state: 'stopped',
          ...(address === undefined ? {} : { url: address }),
        }
      );
    });
  }

  async logs({ services, follow, tail, signal }: LogOptions): Promise<void> {
    const options = [
      ...(follow ? ['--follow'] : []),
      ...(tail === undefined ? [] : ['--tail', String(tail)]),
    ];
    await this.#run(['logs', ...options, ...services], {
      stdout: 'inherit',
      stderr: 'inherit',
      cancelSignal: signal,
    });
  }

  async run({ service, args, capture }: RunOptions): Promise<{ exitStatus: number; stdout: string }> {
    const terminal = process.stdin.isTTY && process.stdout.isTTY && !capture ? [] : ['-T'];
    const { exitCode, stdout } = await this.#run(
      ['run', '--rm', '--no-deps', ...terminal, service, ...args],
      {
        stdin: 'inherit',
        stdout: capture ? 'pipe' : 'inherit',
        stderr: 'inherit',
      },
    );
    return { exitStatus: exitCode ?? 1, stdout: String(stdout ?? '') };
  }

  async psql({ user, password, database }: Connection, args: readonly string[]): Promise<number> {
    const postgres = [...this.#stack.services.values()].find((one) => one.embedded?.program === 'postgres');
    if (postgres === undefined) throw new UsageError('the stack has no Postgres');
    const terminal = process.stdin.isTTY && process.stdout.isTTY ? [] : ['-T'];
    // The password travels in the environment: an argument would show in every list of processes.
    const { exitCode } = await this.#run(
      ['exec', ...terminal, '-e', 'PGPASSWORD', postgres.name, ...psqlWords(user, database), ...args],
      { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit', env: { PGPASSWORD: password } },
    );
    return exitCode ?? 1;
  }

  async #outcome(status: ServiceStatus): Promise<Outcome> {
    const oneShot = isOneShot(this.#stack, status.service);
    const ready = oneShot ? ['completed'] : ['healthy', 'running', 'completed'];
    const ok = ready.includes(status.state);
    if (ok) return { ...status, ok, changed: true };
    if (status.state === 'created') {
      const blockedBy = this.#stack.services.get(status.service)?.dependsOn.map((one) => one.service) ?? [];
      return { ...status, ok, changed: false, blockedBy };
    }
    const { stdout } = await this.#run(
      ['logs', '--no-color', '--no-log-prefix', '--tail', '40', status.service],
      {
        stdout: 'pipe',
        stderr: 'ignore',
      },
    );
    return { ...status, ok, changed: true, output: String(stdout ?? '').split('\n') };
  }

  /** Compose looks from inside; this looks from where a person does. */
  async #checkAnswers(): Promise<void> {
    const urls = [...this.#stack.services.values()]
      .filter(({ embedded }) => embedded?.healthUrl !== undefined)
      .flatMap((service) => {
        const url = serviceUrl(service);
        return url === undefined ? [] : [`${url.replace('http:', 'http-get:')}/ready`];
      });
    if (urls.length === 0) return;
    const { default: waitOn } = await import('wait-on');
    try {
      await waitOn({ resources: urls, timeout: answerMilliseconds, interval: 100, proxy: false });
    } catch (error) {
      const said = error instanceof Error ? [error.message] : [];
      throw new EngineError('the apps are healthy, but not reached from this machine', said, error);
    }
  }

  async #succeed(args: readonly string[], options: Options = {}) {
    const result = await this.#run(args, { stdout: process.stderr, stderr: 'inherit', ...options });
    if (result.exitCode === 0) return result;
    throw new EngineError(`${this.#command.join(' ')} ${args[0]} exited ${result.exitCode ?? 'by a signal'}`);
  }

  #run(args: readonly string[], options: Options) {
    const [program, ...first] = this.#command;
    const files = this.#project.composeFiles.flatMap((file) => ['--file', file]);
    const where = ['--project-directory', this.#project.root, '--project-name', this.#stack.name];
    return execa(program, [...first, ...files, ...where, ...args], {
      cwd: this.#project.root,
      reject: false,
      stdin: 'ignore',
      ...options,
      env: { ...environment, ...options.env },
    });
  }
}

function psqlWords(user: string, database: string): string[] {
  return ['psql', '--host', '127.0.0.1', '--username', user, '--dbname', database];
}
