import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Stack } from '../../compose/stack.ts';
import { PreflightError, systemCode, systemReason } from '../../errors.ts';
import type { Folders } from './folders.ts';
import type { UnixUser } from './launch.ts';
import { makeOwnFolder } from './own-folder.ts';
import { blockingFolder, postgresUser } from './reach.ts';

/** The folder of each named volume. */
export interface Volumes {
  readonly folder: (volume: string) => string;
  /** Sentences about volumes that had to be elsewhere. */
  readonly notes: readonly string[];
}

/**
 * Makes the folder of every named volume. They live in the state folder; only when the user Postgres must run as cannot
 * reach that, Postgres' own volume lives under /var/tmp. No folder of the person's is opened to others for it.
 */
export function makeVolumes(stack: Stack, folders: Folders): Volumes {
  const user = postgresUser();
  const ofPostgres = postgresVolumes(stack);
  const notes: string[] = [];
  try {
    mkdirSync(folders.volumes, { recursive: true, mode: 0o711 });
    if (user !== undefined) for (const folder of [folders.root, folders.volumes]) letThrough(folder);
    const blocked = user === undefined ? undefined : blockingFolder(folders.volumes, user);
    const place = (volume: string) =>
      join(blocked !== undefined && ofPostgres.has(volume) ? folders.away.path : folders.volumes, volume);
    if (blocked !== undefined && ofPostgres.size > 0) {
      makeOwnFolder(folders.away.base, folders.away.names, 0o711);
      notes.push(`Postgres' data is in ${folders.away.path}: ${blocked} is closed to its user`);
    }
    for (const volume of stack.volumes) {
      mkdirSync(place(volume), { recursive: true, mode: 0o700 });
      if (ofPostgres.has(volume)) giveTo(place(volume), user);
    }
    return { folder: place, notes };
  } catch (error) {
    if (error instanceof PreflightError) throw error;
    throw new PreflightError(`cannot write to ${folders.volumes}: ${systemReason(error)}`, { cause: error });
  }
}

/** Deletes the folders of all volumes; returns the names of those that were there. */
export function deleteVolumes(stack: Stack, folders: Folders): string[] {
  const deleted: string[] = [];
  try {
    for (const volume of stack.volumes) {
      const places = [join(folders.volumes, volume), join(folders.away.path, volume)].filter((path) =>
        existsSync(path),
      );
      for (const place of places) {
        // Under another name first: an interrupted deletion must not leave half a volume that looks whole.
        const doomed = `${place}.deleted-${process.pid}`;
        renameSync(place, doomed);
        rmSync(doomed, { recursive: true, force: true });
      }
      if (places.length > 0) deleted.push(volume);
    }
    for (const folder of [folders.volumes, folders.away.path]) deleteLeftovers(folder);
    deleteIfEmpty(dirname(folders.away.path));
    return deleted;
  } catch (error) {
    throw new PreflightError(`cannot delete the volumes: ${systemReason(error)}`, { cause: error });
  }
}

/** What an interrupted deletion left. */
function deleteLeftovers(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).filter((one) => /\.deleted-\d+$/.test(one))) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

/** Other projects of this user may have theirs in it. */
function deleteIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw error;
  }
}

function postgresVolumes(stack: Stack): Set<string> {
  const services = [...stack.services.values()].filter(({ embedded }) => embedded?.program === 'postgres');
  return new Set(
    services.flatMap(({ mounts }) => mounts.filter(({ kind }) => kind === 'volume')).map((one) => one.source),
  );
}

/** A folder of the stack's own; one that a person linked in keeps its mode. */
function letThrough(folder: string): void {
  if (lstatSync(folder).isDirectory()) chmodSync(folder, 0o711);
}

function giveTo(folder: string, user: UnixUser | undefined): void {
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
}
