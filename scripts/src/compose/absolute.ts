import { isAbsolute, resolve } from 'node:path';
import { withEntry } from './canonical.ts';
import { isPath, splitMount } from './read-mounts.ts';
import { type Mapping, type Scalar, type Tree, textAt } from './tree.ts';

/** What is at a key; the same tree when it needs no change. */
type Change = (value: Tree) => Tree;

/** A service of another file with every relative path counted from `folder`, so that it can stand in this one. */
export function absoluteService(service: Mapping, folder: string): Mapping {
  const path = pathIn(folder);
  const changes: readonly (readonly [string, Change])[] = [
    ['env_file', each((item) => (item.kind === 'map' ? at(item, 'path', path) : path(item)))],
    ['label_file', each(path)],
    ['volumes', each((item) => absoluteMount(item, folder))],
    ['build', (build) => absoluteBuild(build, folder)],
    [
      'develop',
      (develop) =>
        at(
          develop,
          'watch',
          each((item) => at(item, 'path', path)),
        ),
    ],
  ];
  return changes.reduce<Mapping>((whole, [key, change]) => {
    const value = whole.entries.get(key);
    return value === undefined ? whole : withEntry(whole, key, change(value));
  }, service);
}

/** The same for a whole model: its services, and the files of its secrets and configs. */
export function absoluteModel(model: Mapping, folder: string): Mapping {
  const path = pathIn(folder);
  const services = at(model, 'services', (all) =>
    mapValues(all, (one) => (one.kind === 'map' ? absoluteService(one, folder) : one)),
  );
  const files: Change = (all) => mapValues(all, (one) => at(one, 'file', path));
  const whole = at(at(services, 'secrets', files), 'configs', files);
  return whole.kind === 'map' ? whole : model;
}

function pathIn(folder: string): Change {
  return (value) => {
    if (
      value.kind !== 'scalar' ||
      value.type !== 'string' ||
      isAbsolute(value.text) ||
      value.text.startsWith('~')
    )
      return value;
    return moved(value, resolve(folder, value.text));
  };
}

/** A build context may be a URL or another kind of source, which is no path. */
function absoluteBuild(build: Tree, folder: string): Tree {
  const context: Change = (value) =>
    value.kind === 'scalar' && /^[a-z+]+:|^git@/.test(value.text) ? value : pathIn(folder)(value);
  const whole =
    build.kind === 'map' && !build.entries.has('context')
      ? withEntry(build, 'context', textAt(folder, build.place))
      : at(build, 'context', context);
  return at(whole, 'additional_contexts', (all) => mapValues(all, context));
}

/** A mount of a relative folder, with that folder's path; in the long form where the short one could not hold it. */
function absoluteMount(item: Tree, folder: string): Tree {
  if (item.kind === 'map') {
    const type = item.entries.get('type');
    return type?.kind === 'scalar' && type.text === 'bind' ? at(item, 'source', pathIn(folder)) : item;
  }
  const mount = item.kind === 'scalar' ? splitMount(item.text) : undefined;
  if (item.kind !== 'scalar' || mount === undefined || !isPath(mount.source)) return item;
  if (isAbsolute(mount.source) || mount.source.startsWith('~')) return item;
  const { target, options } = mount;
  const source = resolve(folder, mount.source);
  if (!source.includes(':'))
    return moved(item, [source, target, ...(options === '' ? [] : [options])].join(':'));
  const { place } = item;
  const isReadOnly = options.split(',').includes('ro');
  const entries = new Map<string, Tree>([
    ['type', textAt('bind', place)],
    ['source', textAt(source, place)],
    ['target', textAt(target, place)],
    ...(isReadOnly ? [['read_only', { ...textAt('true', place), type: 'bool', value: true }] as const] : []),
  ]);
  return { kind: 'map', entries, keys: new Map(), place };
}

function moved(scalar: Scalar, text: string): Scalar {
  return { ...textAt(text, scalar.place), raw: scalar.raw };
}

function each(change: Change): Change {
  return (value) => (value.kind === 'list' ? { ...value, items: value.items.map(change) } : change(value));
}

function at(tree: Tree, key: string, change: Change): Tree {
  const value = tree.kind === 'map' ? tree.entries.get(key) : undefined;
  return tree.kind !== 'map' || value === undefined ? tree : withEntry(tree, key, change(value));
}

function mapValues(tree: Tree, change: Change): Tree {
  if (tree.kind !== 'map') return tree;
  return { ...tree, entries: new Map([...tree.entries].map(([key, value]) => [key, change(value)])) };
}
