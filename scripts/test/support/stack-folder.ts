import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../test/support/free-port.ts';
import { buildStack } from './build.ts';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures');
let program: Promise<string> | undefined;

/** What a run of the stack's command came to. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A copy of the fixture stack in a folder of its own (with a blank in its path), with ports of its own. */
export class StackFolder {
  readonly root: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly #stack: string;

  private constructor(root: string, ports: Readonly<Record<string, number>>, stack: string) {
    this.root = root;
    this.ports = ports;
    this.#stack = stack;
  }

  /**
   * @param compose replaces the fixture's compose files
   * @param closed other users cannot get into the folder
   */
  static async make({
    compose,
    closed = false,
  }: {
    compose?: string;
    closed?: boolean;
  } = {}): Promise<StackFolder> {
    program ??= buildStack();
    const parent = mkdtempSync(join(tmpdir(), 'lockstep-stack-'));
    // As root, Postgres runs as another user, who must get through.
    chmodSync(parent, closed ? 0o700 : 0o755);
    const root = join(parent, 'a stack');
    mkdirSync(root, { mode: 0o755 });
    cpSync(fixtures, root, { recursive: true });
    for (const name of ['one', 'two']) mkdirSync(join(root, name, 'migrations'), { recursive: true });
    if (compose !== undefined) {
      writeFileSync(join(root, 'compose.yaml'), compose);
      rmSync(join(root, 'compose.override.yaml'));
    }
    const [POSTGRES_PORT = 0, ONE_PORT = 0, TWO_PORT = 0] = await freePorts(3);
    return new StackFolder(root, { POSTGRES_PORT, ONE_PORT, TWO_PORT }, await program);
  }

  /** Starts the command; `stack.run(['up'])` is `stack --engine embedded up` in the folder. */
  start(
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>> = {},
    user: { uid?: number; gid?: number } = {},
    program = this.#stack,
  ) {
    const ports = Object.fromEntries(Object.entries(this.ports).map(([name, port]) => [name, String(port)]));
    const { PATH = '', HOME = '' } = process.env;
    return spawn(process.execPath, [program, ...args], {
      cwd: this.root,
      // Nobody is there to be asked.
      env: { PATH, HOME, ENGINE: 'embedded', YES: '1', ...ports, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    });
  }

  async run(
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>> = {},
    user: { uid?: number; gid?: number } = {},
    program = this.#stack,
  ): Promise<Ran> {
    const child = this.start(args, env, user, program);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, stdout, stderr };
  }

  /** As {@link run}, without the ports: as a person who gave them to an earlier command. */
  bare(args: readonly string[]): Promise<Ran> {
    return this.run(args, Object.fromEntries(Object.keys(this.ports).map((name) => [name, undefined])));
  }

  write(path: string, text: string | Buffer): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** How often a one-shot ran, and with what arguments. */
  runs(name: string): string[] {
    const path = join(this.root, '.lockstep', 'embedded', 'volumes', 'seed', `${name}.runs`);
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  }

  /** Service to state, as `status --format json` says. */
  async states(): Promise<Record<string, string>> {
    return Object.fromEntries((await this.services()).map(({ service, state }) => [service, state]));
  }

  async services(): Promise<
    { service: string; state: string; pid?: number; exitStatus?: number; note?: string }[]
  > {
    const { stdout } = await this.run(['status', '--format', 'json']);
    return (JSON.parse(stdout) as { services: { service: string; state: string; pid?: number }[] }).services;
  }

  /** What became of it, for the message of a test that waited in vain. */
  async story(): Promise<string> {
    const log = join(this.root, '.lockstep', 'embedded', 'supervisor.log');
    const said = existsSync(log) ? readFileSync(log, 'utf8') : 'no supervisor.log';
    return `${JSON.stringify(await this.services(), undefined, 1)}\n${said}`;
  }

  async pids(): Promise<Record<string, number | undefined>> {
    return Object.fromEntries((await this.services()).map(({ service, pid }) => [service, pid]));
  }

  /** Kills the supervisor, and before it can notice, its watchdog. */
  async killSupervisorAndWatchdog(): Promise<void> {
    const supervisor = this.supervisorPid();
    const watchdogs = pidsWith('lockstep-watchdog').filter((pid) => parentOf(pid) === supervisor);
    process.kill(supervisor, 'SIGSTOP');
    for (const pid of watchdogs) process.kill(pid, 'SIGKILL');
    process.kill(supervisor, 'SIGKILL');
    await until('the supervisor is gone', () => !isRunning(supervisor));
    if (watchdogs.length !== 1) throw new Error(`expected one watchdog, found ${watchdogs.length}`);
  }

  supervisorPid(): number {
    const state = JSON.parse(this.read('.lockstep/embedded/state.json')) as { supervisor: { pid: number } };
    return state.supervisor.pid;
  }

  /** What the app named `one` or `two` answers. */
  async ask(app: 'one' | 'two', path = '/'): Promise<{ pid: number; environment: Record<string, string> }> {
    const port = this.ports[`${app.toUpperCase()}_PORT`];
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return (await answer.json()) as { pid: number; environment: Record<string, string> };
  }

  async remove(): Promise<void> {
    await this.run(['down']);
    rmSync(dirname(this.root), { recursive: true, force: true });
  }
}

/** Ports nobody listens on at this moment. */
export async function freePorts(amount: number): Promise<number[]> {
  return Promise.all(Array.from({ length: amount }, freePort));
}

/** Whether a process runs; a zombie does not. */
export function isRunning(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function parentOf(pid: number): number {
  return Number(spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)]).stdout.toString());
}

/** The pids of the processes whose command line contains `text`, by /proc where there is one. */
export function pidsWith(text: string): number[] {
  const all =
    process.platform === 'linux'
      ? readdirSync('/proc').flatMap((name) =>
          /^\d+$/.test(name) ? [[name, commandLine(name)] as const] : [],
        )
      : spawnSync('ps', ['-axo', 'pid=,command='])
          .stdout.toString()
          .split('\n')
          .map((line) => [line.trim().split(' ')[0] ?? '', line] as const);
  return all.filter(([, line]) => line.includes(text)).map(([pid]) => Number(pid));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Waits until `condition` holds; fails with `what` after 100 seconds: a busy machine is no failure. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 100_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not in 100 seconds: ${what}`);
    await sleep(25);
  }
}

/** The compose file of a stack of one service, named `only`, with the given lines. */
export function oneService(lines: string): string {
  return `services:\n  only:\n${lines.replace(/^/gm, '    ')}\n    environment: { PIDS_FILE: ./pids, RUNS_FILE: ./runs, PLAN_FILE: ./plan }\n`;
}
