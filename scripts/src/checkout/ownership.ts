import { existsSync } from 'node:fs';
import type { Checkout } from './checkout.ts';
import { isPartOf, isSameFolder } from './folder.ts';

/** A container of a stack, and the folder whose compose files it was made from; undefined when it does not say. */
export interface MadeFor {
  readonly id: string;
  readonly folder: string | undefined;
}

/** What an engine has under a stack's name. */
export interface Traces {
  readonly containers: readonly MadeFor[];
  /** The names of the volumes. They outlive containers, and do not say whose they are: the mark does. */
  readonly volumes: readonly string[];
  /** The checkout that claimed the stack last. */
  readonly mark: { readonly id: string; readonly folder: string } | undefined;
}

/** Whose the stack is that an engine has under a name. */
export type Ownership =
  /** There is none. */
  | { readonly kind: 'free' }
  /** `stale` are containers that were made for this checkout where it was before it was moved. */
  | { readonly kind: 'ours'; readonly stale: readonly MadeFor[] }
  | { readonly kind: 'other'; readonly folder: string; readonly isThere: boolean }
  /** Volumes that nothing says anything about: they were made before there were marks, or by somebody else. */
  | { readonly kind: 'unknown' };

/**
 * Judges whose a stack is. A folder that was renamed keeps its stack, by the mark; one that was copied with all its files
 * has none of the first one's.
 *
 * @param isOwnName the stack's name was made from this very path, so that nobody else can have it by accident
 */
export function judgeOwnership(
  { containers, volumes, mark }: Traces,
  { root, id }: Checkout,
  isOwnName: boolean,
): Ownership {
  if (containers.length === 0 && volumes.length === 0) return { kind: 'free' };
  const foreign = containers.filter(({ folder }) => folder !== undefined && !isPartOf(folder, root));
  const standing = foreign.find(({ folder }) => folder !== undefined && existsSync(folder));
  if (mark !== undefined && mark.id === id) {
    return standing === undefined ? { kind: 'ours', stale: foreign } : other(standing.folder);
  }
  // A second checkout that was at this very path claimed it since: one of two machines, or the folder was replaced and put back.
  const isPlace = mark !== undefined && isSameFolder(mark.folder, root);
  if (mark !== undefined && (!isPlace || id !== undefined)) return other(mark.folder);
  const [first] = foreign;
  if (first !== undefined) return other(first.folder);
  if (isPlace || isOwnName || containers.some(({ folder }) => folder !== undefined))
    return { kind: 'ours', stale: [] };
  return { kind: 'unknown' };
}

function other(folder = ''): Ownership {
  return { kind: 'other', folder, isThere: existsSync(folder) };
}
