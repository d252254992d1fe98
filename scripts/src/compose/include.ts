import { statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { absoluteModel } from './absolute.ts';
import { withEntry, withoutEntry } from './canonical.ts';
import { readEnvValues } from './env-values.ts';
import type { Lookup } from './interpolate.ts';
import { isRemote, isThere, type Reading } from './reading.ts';
import { type Mapping, type Scalar, sameTree, type Tree } from './tree.ts';

/** Reads files as one tree; passed in, because what is included may include again. */
type Load = (paths: readonly string[], reading: Reading) => Mapping | undefined;

const kinds = ['services', 'volumes', 'networks', 'secrets', 'configs'];

/**
 * Takes what the files under `include` define into the document that names them. They are a project of their own: paths
 * count from their folder (or `project_directory`), and variables have the values of its `.env` (or `env_file`) where
 * the project itself has none. What both define differently is a mistake.
 */
export function includeFiles(document: Mapping, file: string, reading: Reading, load: Load): Mapping {
  const include = document.entries.get('include');
  if (include === undefined) return document;
  const rest = withoutEntry(document, 'include');
  if (include.kind === 'scalar' && include.type === 'null') return rest;
  if (include.kind !== 'list') {
    reading.mistakes.add(include.place, 'include: expected a list');
    return rest;
  }
  const inner = { ...reading, including: [...reading.including, file] };
  return include.items.reduce<Mapping>((all, item) => {
    const imported = includeItem(item, inner, load);
    return imported === undefined ? all : importInto(all, imported, reading);
  }, rest);
}

function includeItem(item: Tree, reading: Reading, load: Load): Mapping | undefined {
  const { mistakes, folder: from, root } = reading;
  for (const [key, { place }] of item.kind === 'map' ? item.entries : []) {
    if (!['path', 'project_directory', 'env_file'].includes(key))
      mistakes.add(place, `include: unknown key ${key}`);
  }
  const paths = item.kind === 'map' ? textsAt(item, 'path') : scalars(item);
  const [first] = paths;
  if (first === undefined) {
    mistakes.add(item.place, 'include: expected a path, or a map with one');
    return undefined;
  }
  const remote = paths.find(({ text }) => isRemote(text));
  if (remote !== undefined) {
    mistakes.add(remote.place, `include: ${remote.text}: only files here are read`);
    return undefined;
  }
  const files = paths.map(({ text }) => resolve(from, text));
  if (!paths.every(({ place }, at) => isThere(files[at] ?? '', place, 'include', reading))) return undefined;
  const circle = files.find((path) => reading.including.includes(path));
  if (circle !== undefined) {
    const names = [...reading.including, circle].map((path) => relative(root, path));
    mistakes.add(first.place, `include goes round in a circle: ${names.join(' → ')}`);
    return undefined;
  }
  const [named] = item.kind === 'map' ? textsAt(item, 'project_directory') : [];
  const folder = named === undefined ? dirname(files[0] ?? from) : resolve(from, named.text);
  if (named !== undefined && !isFolder(folder)) {
    mistakes.add(named.place, `include: project_directory: no such folder: ${relative(root, folder)}`);
    return undefined;
  }
  const lookup = lookupOf(item, folder, reading);
  const model = load(files, { ...reading, folder, lookup });
  return model === undefined ? undefined : absoluteModel(model, folder);
}

/** The project's own settings win over those of what it includes. */
function lookupOf(item: Tree, folder: string, reading: Reading): Lookup {
  const named = item.kind === 'map' ? textsAt(item, 'env_file') : [];
  const files = named.map(({ text, place }) => ({ path: resolve(reading.folder, text), place }));
  if (!files.every(({ path, place }) => isThere(path, place, 'include: env_file', reading)))
    return reading.lookup;
  const own = join(folder, '.env');
  const isOwn = files.length === 0 && statSync(own, { throwIfNoEntry: false })?.isFile() === true;
  const values = readEnvValues(isOwn ? [{ path: own, place: item.place }] : files, reading);
  return (name) => reading.lookup(name) ?? values.get(name);
}

function importInto(document: Mapping, imported: Mapping, { mistakes }: Reading): Mapping {
  return kinds.reduce<Mapping>((whole, kind) => {
    const from = imported.entries.get(kind);
    const to = whole.entries.get(kind);
    if (from?.kind !== 'map') return whole;
    if (to?.kind !== 'map') return withEntry(whole, kind, from);
    for (const [name, value] of from.entries) {
      const other = to.entries.get(name);
      if (other === undefined || sameTree(other, value)) continue;
      const { file, line } = value.place;
      mistakes.add(
        to.keys.get(name) ?? other.place,
        `${kind}: ${name} is included from ${file}:${line} already`,
      );
    }
    const entries = new Map([...from.entries, ...to.entries]);
    return withEntry(whole, kind, { ...to, entries, keys: new Map([...from.keys, ...to.keys]) });
  }, document);
}

function textsAt(map: Mapping, key: string): Scalar[] {
  const value = map.entries.get(key);
  return value === undefined ? [] : scalars(value);
}

function scalars(value: Tree): Scalar[] {
  if (value.kind === 'map') return [];
  return (value.kind === 'list' ? value.items : [value]).flatMap((one) =>
    one.kind === 'scalar' && one.type === 'string' && one.text !== '' ? [one] : [],
  );
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
