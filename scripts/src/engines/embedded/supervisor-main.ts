import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderFailure } from '@lockstep/foundation';
import { explain } from '../../checkout/system-failure.ts';
import { type Held, tryLock } from '../../lock.ts';
import { findProject } from '../../project.ts';
import { tryConnect } from './client.ts';
import { listen } from './control-server.ts';
import { type Folders, foldersOf } from './folders.ts';
import { endLeftovers } from './leftovers.ts';
import { makeOwnFolder } from './own-folder.ts';
import { readState } from './state-file.ts';
import { Supervisor } from './supervisor.ts';

/** How long a supervisor without services waits for its first `up`. */
const idleMilliseconds = 15_000;

/** How often it looks whether its project is still there. */
const lookMilliseconds = 2000;

/**
 * The background process of the embedded engine: one a project, started by `stack up`, ended by `stack down`. Its one
 * argument is the project's folder. Standard error is its log; exit status 3 when another one holds the project.
 */
async function main(): Promise<void> {
  const folders = foldersOf(findProject('/', process.argv[2]));
  mkdirSync(folders.root, { recursive: true, mode: 0o700 });
  const place = folders.socketPlace;
  if (place !== undefined) makeOwnFolder(place.base, place.names, 0o700);
  const held = await lockUnlessAnswered(folders);
  if (held === undefined) return;
  const before = readState(folders.stateFile);
  if (before !== undefined) {
    const found = await endLeftovers(before.running);
    if (found.length > 0) console.error(`ended what a dead supervisor left running: ${found.join(', ')}`);
  }
  const supervisor = new Supervisor(folders);
  const leaving = {
    clean: () => {
      rmSync(folders.socket, { force: true });
      rmSync(folders.stateFile, { force: true });
      held.release();
    },
    exit: () => process.exit(0),
  };
  await listen(folders.socket, supervisor, leaving);
  // Started for an `up` that then found a port taken, say.
  setInterval(() => {
    if (!supervisor.empty) return;
    leaving.clean();
    leaving.exit();
  }, idleMilliseconds).unref();
  // A project that was deleted or moved takes its services with it: by its new place, or none, nobody could stop them.
  setInterval(() => {
    if (existsSync(folders.root) || supervisor.leaving) return;
    console.error(`${folders.root} is gone: stopping`);
    void supervisor.down().then(leaving.clean).then(leaving.exit);
  }, lookMilliseconds).unref();
  process.on('SIGTERM', () => void supervisor.down().then(leaving.clean).then(leaving.exit));
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGPIPE'] as const) process.on(signal, () => undefined);
}

/**
 * Takes the project's lock. A supervisor that is told to stop lets go of it when its last service has ended; one that
 * answers is there to stay, and undefined is returned.
 */
async function lockUnlessAnswered(folders: Folders): Promise<Held | undefined> {
  for (;;) {
    const result = tryLock(folders.root, 'supervisor.lock');
    if ('release' in result) return result;
    const socket = await tryConnect(folders.socket);
    socket?.destroy();
    if (socket !== undefined) return undefined;
    await sleep(20);
  }
}

// Its log lies on a disk that can be full: that must not end the services.
process.stderr.on('error', () => undefined);
process.on('uncaughtException', (error) => {
  say(error);
  // The watchdog stops what runs.
  process.exit(1);
});

main().catch((error: unknown) => {
  say(error);
  process.exit(3);
});

/** In the log, from where the command line reads why its supervisor ended. */
function say(error: unknown): void {
  process.stderr.write(renderFailure('supervisor', explain(error, process.argv[2] ?? '/')));
}
