import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PreflightError, systemReason } from '../errors.ts';
import type { ContentHashes } from './content-hashes.ts';
import type { FileTree } from './file-tree.ts';

/** An image that takes the place of an official one where no registry can be reached. */
export interface StandIn {
  /** `lockstep/offline-postgres:18` */
  readonly reference: string;
  /** In a few words, for its label and for people. */
  readonly title: string;
  /** Of the program it holds. */
  readonly version: string;
  /** The whole file system, or what it adds to `base`. */
  readonly tree: FileTree;
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  /** The stand-in it is built on. */
  readonly base: StandIn | undefined;
}

/** What is needed to put a stand-in together. */
export interface StandInTools {
  /** The project's folder. */
  readonly root: string;
  /** A static busybox. */
  readonly busybox: string;
  /** For fetched Debian packages. */
  readonly packages: string;
}

/** Node of this machine. */
export function nodeReference(): string {
  return `lockstep/offline-node:${process.versions.node.split('.')[0]}`;
}

export const postgresReference = 'lockstep/offline-postgres:18';
export const vaultReference = 'lockstep/offline-vault:dev';

/** The hash of all a stand-in is made of, that of its base included. */
export function standInKey(standIn: StandIn, hashes: Pick<ContentHashes, 'of'>): string {
  const { tree, dockerfile, args, version, base } = standIn;
  const ofBase = base === undefined ? null : standInKey(base, hashes);
  const parts = [tree.fingerprint(hashes), dockerfile, args, version, ofBase];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/**
 * Reads a file of the project's `images` folder.
 *
 * @throws {PreflightError} when it is not there
 */
export function readImageFile(root: string, path: string): string {
  const file = join(root, 'images', path);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new PreflightError(`cannot read ${file}: ${systemReason(error)}`, { cause: error });
  }
}
