import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { environment } from '../environment.ts';
import { EngineError } from '../errors.ts';
import { readLine } from './container-logs.ts';
import { type Container, type ContainerEvent, readContainer, readEvent } from './container-shapes.ts';
import type { LogLine } from './log-lines.ts';

/** The program that answers for containers one by one. */
export type ContainerProgram = 'docker' | 'podman';

/** How the container program is called. */
export interface ContainerTools {
  readonly program: ContainerProgram;
  /** What it needs beside this process's environment, such as DOCKER_HOST. */
  readonly environment: Readonly<Record<string, string>>;
}

/** No question to an engine that works takes as long. */
const mostMilliseconds = 60_000;
const events = ['start', 'die', 'died', 'health_status', 'oom'];

/** The label of every container, volume and network of a project; podman-compose sets it too. */
export const projectLabel = 'com.docker.compose.project';

/** The containers of one compose project, by the engine's own program. Only containers with the project's label are seen. */
export class Containers {
  readonly #tools: ContainerTools;
  /** The compose project's name. */
  readonly project: string;

  constructor(tools: ContainerTools, project: string) {
    this.#tools = tools;
    this.project = project;
  }

  get program(): ContainerProgram {
    return this.#tools.program;
  }

  /** Every container of the project, those of `compose run` left out. */
  async list(): Promise<Container[]> {
    const { stdout: ids } = await this.ask(['ps', '--all', '--quiet', '--no-trunc', ...this.filter()]);
    const words = ids.split('\n').filter((id) => id !== '');
    if (words.length === 0) return [];
    // One that is removed in between fails the call, but the others are printed.
    const { stdout } = await this.ask(['container', 'inspect', ...words], false);
    return parseList(stdout).flatMap((value) => readContainer(value) ?? []);
  }

  /** The names of the project's volumes that exist. */
  async volumes(): Promise<string[]> {
    const { stdout } = await this.ask(['volume', 'ls', '--quiet', ...this.filter()]);
    return stdout.split('\n').filter((name) => name !== '');
  }

  /** Removes volumes of the project. */
  async removeVolumes(names: readonly string[]): Promise<void> {
    if (names.length > 0) await this.ask(['volume', 'rm', ...names]);
  }

  /** The last `lines` lines that a container printed since it was last started, both streams in order. */
  async lastOutput({ id, startedAt }: Container, lines: number): Promise<string[]> {
    const since = startedAt === undefined ? [] : ['--since', new Date(startedAt).toISOString()];
    const { all } = await this.ask(['logs', '--tail', String(lines), ...since, id], false);
    return all.trim() === '' ? [] : all.trimEnd().split('\n');
  }

  /** What a container printed in all its runs, both streams in the order of time; the last `tail` lines when given. */
  async logs({ id, service }: Container, tail?: number): Promise<LogLine[]> {
    const some = tail === undefined ? [] : ['--tail', String(tail)];
    const { all } = await this.ask(['logs', '--timestamps', ...some, id], false);
    return all
      .split('\n')
      .flatMap((line) => readLine(service, line) ?? [])
      .toSorted((one, other) => one.at - other.at);
  }

  /** Wakes containers that are paused. */
  async unpause(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.ask(['unpause', ...ids]);
  }

  /** Starts a container; returns what the engine said when it refused, else undefined. */
  async start(id: string): Promise<string | undefined> {
    const { exitCode, stderr } = await this.call(['start', id]);
    return exitCode === 0 ? undefined : stderr || `${this.#tools.program} start exited ${exitCode}`;
  }

  /** Removes a container that has ended and returns its exit status; undefined when there is none. */
  async takeStatus(name: string): Promise<number | undefined> {
    const { exitCode, stdout } = await this.call([
      'container',
      'inspect',
      '--format',
      '{{.State.ExitCode}}',
      name,
    ]);
    if (exitCode !== 0) return undefined;
    await this.call(['rm', '--force', name]);
    return Number(stdout);
  }

  /** Tells what happens to the project's containers until `signal` aborts; silently ends when the engine tells nothing. */
  watch(tell: (event: ContainerEvent) => void, signal: AbortSignal): void {
    const chosen = events.flatMap((name) => ['--filter', `event=${name}`]);
    const args = [
      'events',
      '--filter',
      'type=container',
      ...this.filter(),
      ...chosen,
      '--since',
      String(Math.floor(Date.now() / 1000)),
      '--format',
      '{{json .}}',
    ];
    const child = spawn(this.#tools.program, args, {
      env: { ...environment, ...this.#tools.environment },
      stdio: ['ignore', 'pipe', 'ignore'],
      // Out of the terminal's group: Ctrl-C is the command's to answer.
      detached: true,
    });
    child.once('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = readEvent(parse(line));
      if (event !== undefined && !signal.aborted) tell(event);
    });
    const end = () => void child.kill('SIGKILL');
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  }

  /** Words that leave out all that is not the project's. */
  filter(): string[] {
    return ['--filter', `label=${projectLabel}=${this.project}`];
  }

  /** @throws {EngineError} with the program's words when it fails, unless not `strict` */
  async ask(args: readonly string[], strict = true): Promise<{ stdout: string; all: string }> {
    const result = await this.call(args);
    if (strict && result.exitCode !== 0) {
      const late = result.timedOut ? [`no answer in ${mostMilliseconds / 1000} s`] : [];
      const said = [...result.stderr.split('\n').filter((line) => line !== ''), ...late];
      throw new EngineError(`${this.#tools.program} ${args[0]} failed`, said.slice(-3), result);
    }
    return { stdout: result.stdout, all: result.all };
  }

  /** Calls the program; never throws. */
  call(args: readonly string[]) {
    return execa(this.#tools.program, args, {
      reject: false,
      stdin: 'ignore',
      all: true,
      env: { ...environment, ...this.#tools.environment },
      maxBuffer: 64 * 1024 * 1024,
      // An engine that hangs is told of, not waited for.
      timeout: mostMilliseconds,
      forceKillAfterDelay: 1_000,
    });
  }
}

function parseList(text: string): unknown[] {
  const value = parse(text);
  return Array.isArray(value) ? value : [];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
