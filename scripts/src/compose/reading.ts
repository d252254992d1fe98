import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { canonical } from './canonical.ts';
import { fillTree } from './fill.ts';
import type { Lookup } from './interpolate.ts';
import type { Mistakes, Place } from './mistakes.ts';
import { type Mapping, readTrees } from './tree.ts';

/** What the reading of one set of compose files needs to know. */
export interface Reading {
  /** Fills variables in, and is the environment that services inherit from. */
  readonly lookup: Lookup;
  /** What relative paths count from. */
  readonly folder: string;
  /** What the names of files in places count from. */
  readonly root: string;
  readonly mistakes: Mistakes;
  /** Grows by each file that is read. */
  readonly files: Set<string>;
  /** The documents of each file; grows, so that a file is parsed once. */
  readonly parsed: Map<string, readonly Mapping[]>;
  /** The files that led here by `include`, outermost first. */
  readonly including: readonly string[];
}

/** The documents of a file, which was parsed before or is now. */
export function documentsOf(path: string, { root, mistakes, files, parsed }: Reading): readonly Mapping[] {
  files.add(path);
  const before = parsed.get(path);
  if (before !== undefined) return before;
  const read = readTrees(path, relative(root, path), mistakes);
  parsed.set(path, read);
  return read;
}

/** A document with its variables filled in and in canonical form; templates (`x-…`) count only where they are used. */
export function fillDocument(document: Mapping, { lookup, mistakes }: Reading): Mapping {
  const entries = new Map([...document.entries].filter(([key]) => !key.startsWith('x-')));
  const filled = fillTree({ ...document, entries }, lookup, mistakes);
  return filled.kind === 'map' ? canonical(filled, mistakes) : document;
}

/** Whether a file that is named at `place` is there; notes when it is not. */
export function isThere(path: string, place: Place, what: string, { root, mistakes }: Reading): boolean {
  if (existsSync(path)) return true;
  mistakes.add(place, `${what}: no such file: ${relative(root, path)}`);
  return false;
}

/** Whether a file of `include` or `extends` is named by a URL, and so not on this machine. */
export function isRemote(path: string): boolean {
  return /^(https?|git|ssh|oci|docker):|^git@|\.git(#|$)/.test(path);
}
