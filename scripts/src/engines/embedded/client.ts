import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Outcome, Progress, ServiceStatus } from '../../engine.ts';
import { inheritedEnvironment } from '../../environment.ts';
import { EngineError, systemReason } from '../../errors.ts';
import { isAlive } from '../../pid.ts';
import type { Project } from '../../project.ts';
import type { Folders } from './folders.ts';
import type { Launch } from './launch.ts';
import { endLeftovers, trySignal } from './leftovers.ts';
import { capLog } from './log-file.ts';
import { type RecordedChild, readState } from './state-file.ts';
import { onMessage, protocol, type Reply, type Request, sendMessage } from './wire.ts';

/** A supervisor that is still starting, or still stopping, is given this long. */
const patienceMilliseconds = 60_000;
/** One that runs answers a question at once; one that was paused, or hangs, never does. */
const answerMilliseconds = 5_000;

/** The command line's side of the supervisor's socket. */
export class SupervisorClient {
  readonly #project: Project;
  readonly #folders: Folders;

  constructor(project: Project, folders: Folders) {
    this.#project = project;
    this.#folders = folders;
  }

  /** Starts a supervisor unless one answers; safe to call early and twice, because only one gets the project's lock. */
  async ensure(): Promise<void> {
    const socket = await this.#connectOrStart();
    socket.destroy();
  }

  async up(
    launches: readonly Launch[],
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<{ outcomes: readonly Outcome[]; cancelled: boolean }> {
    for (;;) {
      const socket = await this.#connectOrStart();
      const cancel = () => sendMessage(socket, { verb: 'cancel' });
      signal.addEventListener('abort', cancel, { once: true });
      const asked = this.#ask(socket, { verb: 'up', protocol, launches }, (reply) => {
        if (reply.reply === 'step') report({ kind: 'step', text: reply.text });
        if (reply.reply === 'service') report({ kind: 'service', status: reply.status });
      });
      if (signal.aborted) cancel();
      const last = await asked;
      signal.removeEventListener('abort', cancel);
      if (last === undefined) {
        throw new EngineError('the supervisor ended without an answer', this.#lastWords(0));
      }
      if (last.reply === 'outcomes') return last;
      if (last.reply === 'other-protocol') await this.#replace();
      else if (last.reply !== 'leaving') throw unexpected(last);
      await sleep(50);
    }
  }

  /** Stops everything, also what a dead supervisor left; false when nothing ran. */
  async down(report: (progress: Progress) => void): Promise<boolean> {
    const socket = await this.#connect();
    if (socket === undefined) return this.#endDead();
    const last = await this.#ask(socket, { verb: 'down' }, (reply) => {
      if (reply.reply === 'service') report({ kind: 'service', status: reply.status });
    });
    // No answer: another `down` was answered first, or it was killed.
    if (last === undefined) return this.#endDead();
    if (last.reply !== 'stopped') throw unexpected(last);
    return true;
  }

  /**
   * Undefined when no supervisor runs.
   *
   * @throws {EngineError} when one is there and does not answer
   */
  async statuses(): Promise<readonly ServiceStatus[] | undefined> {
    const socket = await tryConnect(this.#folders.socket);
    if (socket === undefined) return undefined;
    const last = await this.#askStatus(socket);
    if (last === 'no answer') {
      const pid = readState(this.#folders.stateFile)?.supervisor.pid;
      throw new EngineError('the supervisor of the embedded engine does not answer', [
        `pid ${pid ?? 'unknown'}; make up replaces it, make down ends it`,
      ]);
    }
    if (last !== undefined && last.reply !== 'statuses') throw unexpected(last);
    return last?.statuses;
  }

  /** A connection to a supervisor that answers. One that hangs is ended; its watchdog stops what it ran. */
  async #connect(): Promise<Socket | undefined> {
    const asked = await tryConnect(this.#folders.socket);
    if (asked === undefined) return undefined;
    if ((await this.#askStatus(asked)) !== 'no answer') return tryConnect(this.#folders.socket);
    const supervisor = readState(this.#folders.stateFile)?.supervisor;
    if (supervisor !== undefined && isAlive(supervisor)) trySignal(supervisor.pid, 'SIGKILL');
    return undefined;
  }

  async #askStatus(socket: Socket): Promise<Reply | undefined | 'no answer'> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      socket.destroy();
    }, answerMilliseconds);
    const last = await this.#ask(socket, { verb: 'status' }, () => undefined);
    clearTimeout(timer);
    return late ? 'no answer' : last;
  }

  /** No one answers: end whatever the last supervisor wrote down, and the supervisor itself if it hangs. */
  async #endDead(): Promise<boolean> {
    const state = readState(this.#folders.stateFile);
    if (state === undefined) return false;
    const stamp = state.supervisor;
    const supervisor: RecordedChild = {
      service: '',
      stamp,
      stopSignal: 'SIGTERM',
      stopGraceMilliseconds: 15_000,
    };
    const found = await endLeftovers([supervisor, ...state.running]);
    return found.length > 0;
  }

  /** A supervisor of another version stops in order when it is told to end, and the next one starts. */
  async #replace(): Promise<void> {
    const state = readState(this.#folders.stateFile);
    if (state === undefined || !isAlive(state.supervisor)) return;
    trySignal(state.supervisor.pid, 'SIGTERM');
    const until = Date.now() + patienceMilliseconds;
    while (isAlive(state.supervisor) && Date.now() < until) await sleep(50);
  }

  async #connectOrStart(): Promise<Socket> {
    let starting: Starting | undefined;
    const until = Date.now() + patienceMilliseconds;
    for (;;) {
      const socket = await this.#connect();
      if (socket !== undefined) return socket;
      // Ended without a fault: another supervisor was there first, and may be leaving again.
      if (starting?.exitStatus === 0) starting = undefined;
      if (starting?.exitStatus !== undefined) {
        throw new EngineError(
          'the supervisor of the embedded engine ended at once',
          this.#lastWords(starting.from),
        );
      }
      if (Date.now() > until) throw new EngineError('the supervisor of the embedded engine does not answer');
      starting ??= this.#start();
      await sleep(8);
    }
  }

  #start(): Starting {
    const program = fileURLToPath(new URL('./supervisor.js', import.meta.url));
    const { root, supervisorLog } = this.#folders;
    let log: number;
    try {
      mkdirSync(root, { recursive: true, mode: 0o700 });
      capLog(supervisorLog, 256 * 1024);
      log = openSync(supervisorLog, 'a', 0o600);
    } catch (error) {
      throw new EngineError(`cannot write to ${root}: ${systemReason(error)}`, [], error);
    }
    const child = spawn(process.execPath, [program, this.#project.root], {
      // Away from every folder someone may want to remove, and from the terminal.
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', log],
      env: inheritedEnvironment(),
    });
    const starting: Starting = { exitStatus: undefined, from: fstatSync(log).size };
    closeSync(log);
    child.once('exit', (status) => {
      starting.exitStatus = status ?? 1;
    });
    child.once('error', () => {
      starting.exitStatus = 1;
    });
    child.unref();
    return starting;
  }

  #lastWords(from: number): string[] {
    try {
      const text = readFileSync(this.#folders.supervisorLog, 'utf8').slice(from);
      return text.trim().split('\n').slice(-10);
    } catch {
      return [];
    }
  }

  /** Sends `request` and resolves with the last reply; undefined when the supervisor ended before it. */
  #ask(socket: Socket, request: Request, hear: (reply: Reply) => void): Promise<Reply | undefined> {
    return new Promise((resolve) => {
      let last: Reply | undefined;
      onMessage<Reply>(socket, (reply) => {
        last = reply;
        hear(reply);
      });
      socket.once('close', () => {
        resolve(last?.reply === 'step' || last?.reply === 'service' ? undefined : last);
      });
      sendMessage(socket, request);
    });
  }
}

interface Starting {
  exitStatus: number | undefined;
  readonly from: number;
}

/** Undefined when nobody listens there. */
export function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    // Stays for the life of the socket: a supervisor that dies is noticed by the close that follows.
    socket.on('error', () => resolve(undefined));
  });
}

function unexpected(reply: Reply): EngineError {
  const said = reply.reply === 'error' ? reply.text.split('\n') : [`it said ${JSON.stringify(reply.reply)}`];
  return new EngineError('the supervisor could not do it', said);
}
