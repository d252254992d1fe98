import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { environment } from '../environment.ts';
import { EngineError } from '../errors.ts';
import { lock } from '../lock.ts';
import type { Project } from '../project.ts';
import { makeOwnFolder } from './embedded/own-folder.ts';
import { missingHealthTimers } from './podman-health.ts';

/** Podman ends a service that nobody has used for so long; containers run on without it. */
const idleSeconds = 60;
const startMilliseconds = 5_000;
const pollMilliseconds = 30;
/** sockaddr_un holds 108 bytes on Linux, the closing zero included. */
const longestSocketPath = 100;

/**
 * Makes sure that a Podman API service of this project listens, and returns its address for DOCKER_HOST. For machines where
 * systemd does not start one on demand (`podman.socket`). It serves this user only, keeps nothing, and ends by itself after
 * a minute without use.
 *
 * @throws {EngineError} with Podman's words when it does not listen within 5 seconds
 */
export async function ensurePodmanService(project: Project): Promise<string> {
  mkdirSync(project.stateFolder, { recursive: true, mode: 0o700 });
  const socket = socketOf(project);
  const address = `unix://${socket}`;
  if (await isListening(socket)) return address;
  const held = await lock(project.stateFolder, 'podman-service.lock', 2 * startMilliseconds);
  try {
    if (!(await isListening(socket))) await startService(address, socket, project);
    return address;
  } finally {
    held.release();
  }
}

async function startService(address: string, socket: string, project: Project): Promise<void> {
  // A file, for a pipe would break when this process ends, and the service with it.
  const log = join(project.stateFolder, 'podman-service.log');
  const output = openSync(log, 'w', 0o600);
  const child = spawn('podman', ['system', 'service', `--time=${idleSeconds}`, address], {
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      ...environment,
      // Without timers each start of a container would be told as an error.
      ...(missingHealthTimers() === undefined ? {} : { DISABLE_HC_SYSTEMD: 'true' }),
    },
  });
  closeSync(output);
  child.unref();
  const ended = new Promise<true>((resolve) => {
    child.once('error', () => resolve(true));
    child.once('exit', () => resolve(true));
  });
  const until = performance.now() + startMilliseconds;
  while (performance.now() < until) {
    if ((await Promise.race([ended, sleep(pollMilliseconds)])) === true) break;
    if (await isListening(socket)) return;
  }
  child.kill('SIGKILL');
  const said = readFileSync(log, 'utf8').trim().split('\n');
  throw new EngineError('podman system service does not listen', said.slice(-4));
}

/** In the project's own folder, or in one of this user's below the temporary folder when that path is too long. */
function socketOf(project: Project): string {
  const near = join(project.stateFolder, 'podman.sock');
  if (Buffer.byteLength(near) <= longestSocketPath) return near;
  const key = createHash('sha256').update(project.root).digest('hex').slice(0, 12);
  const folder = makeOwnFolder(tmpdir(), [`lockstep-${process.getuid?.() ?? 0}-sockets`], 0o700);
  return join(folder, `${key}-podman.sock`);
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}
