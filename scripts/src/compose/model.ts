import { relative } from 'node:path';
import type { Project } from '../project.ts';
import { extendServices } from './extend.ts';
import { includeFiles } from './include.ts';
import type { Lookup } from './interpolate.ts';
import { mergeTrees } from './merge.ts';
import type { Mistakes, Place } from './mistakes.ts';
import { documentsOf, fillDocument, type Reading } from './reading.ts';
import { type Mapping, readTrees } from './tree.ts';

/** The compose files of a project as one tree, variables filled in, and every file that was read for it. */
export interface Model {
  readonly tree: Mapping;
  /** Absolute paths: the compose files, and those that they include or extend from. */
  readonly files: Set<string>;
}

/** The documents of each file. */
export type Parsed = ReadonlyMap<string, readonly Mapping[]>;

/** Reads the compose files of a project; variables stay as they are. */
export function parseFiles(project: Project, mistakes: Mistakes): Parsed {
  return new Map(
    project.composeFiles.map((path) => [path, readTrees(path, relative(project.root, path), mistakes)]),
  );
}

/**
 * Makes one tree of a project's compose files, in the order of Compose: of each document variables are filled in, then
 * `extends` and `include` are followed, then it is laid upon those before it.
 */
export function loadModel(project: Project, parsed: Parsed, lookup: Lookup, mistakes: Mistakes): Model {
  const files = new Set<string>();
  const { root, directory: folder, composeFiles } = project;
  const reading = { lookup, folder, root, mistakes, files, parsed: new Map(parsed), including: [] };
  const [first = ''] = composeFiles;
  const nothing = emptyTree({ file: relative(root, first), line: 1, column: 1 });
  return { tree: loadFiles(composeFiles, reading) ?? nothing, files };
}

/** As {@link loadModel}, of files that are named somewhere; undefined when none could be read. */
export function loadFiles(paths: readonly string[], reading: Reading): Mapping | undefined {
  let model: Mapping | undefined;
  for (const path of paths) {
    for (const document of documentsOf(path, reading)) {
      const extended = extendServices(fillDocument(document, reading), path, reading);
      const whole = includeFiles(extended, path, reading, loadFiles);
      model = mergeTrees(model ?? emptyTree(whole.place), whole, reading.mistakes);
    }
  }
  return model;
}

function emptyTree(place: Place): Mapping {
  return { kind: 'map', entries: new Map(), keys: new Map(), place };
}
