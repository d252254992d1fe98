import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Project } from '../../project.ts';

/** Where the embedded engine keeps what it knows of one project. */
export interface Folders {
  /** `.lockstep/embedded` */
  readonly root: string;
  readonly volumes: string;
  readonly logs: string;
  readonly stateFile: string;
  /** The supervisor's own words. */
  readonly supervisorLog: string;
  readonly socket: string;
  /** The folder of the socket when the project's path is too long for one; made below the system's temporary folder. */
  readonly socketPlace: Place | undefined;
  /** For what a user without rights in the project must reach; made below /var/tmp. */
  readonly away: Place;
  /** For programs copied out of an unreachable node_modules; shared by this user's projects. */
  readonly programs: Place;
}

/** Folders below one that others write to as well; see {@link makeOwnFolder}. */
export interface Place {
  readonly base: string;
  readonly names: readonly string[];
  /** Where they lead. */
  readonly path: string;
}

/** sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing zero included. */
const longestSocketPath = 100;

export function foldersOf(project: Project): Folders {
  const root = join(project.stateFolder, 'embedded');
  const key = createHash('sha256').update(project.root).digest('hex').slice(0, 12);
  const own = `lockstep-${process.getuid?.() ?? 0}`;
  const near = join(root, 'control.sock');
  const isNear = Buffer.byteLength(near) <= longestSocketPath;
  const socketPlace = isNear ? undefined : placeOf(tmpdir(), `${own}-sockets`);
  return {
    root,
    volumes: join(root, 'volumes'),
    logs: join(root, 'logs'),
    stateFile: join(root, 'state.json'),
    supervisorLog: join(root, 'supervisor.log'),
    socket: socketPlace === undefined ? near : join(socketPlace.path, `${key}.sock`),
    socketPlace,
    away: placeOf('/var/tmp', own, key),
    programs: placeOf('/var/tmp', own, 'programs'),
  };
}

function placeOf(base: string, ...names: readonly string[]): Place {
  return { base, names, path: join(base, ...names) };
}
