import type { List, Mapping, Scalar, Tree } from './tree.ts';

/** Lists that an override replaces; every other list is appended to (Compose Specification, "Merge and override"). */
const replaced = new Set(['command', 'entrypoint', 'test']);

/**
 * Lays `over` upon `base`: maps merge, lists append, `command`, `entrypoint` and a health check's `test` are replaced,
 * as is anything whose kind differs. The list forms of `environment` and `depends_on` are made maps first.
 */
export function mergeTrees(base: Mapping, over: Mapping): Mapping {
  return mergeMaps(normalised(base), normalised(over));
}

/** A tree with the list forms of every service's `environment` and `depends_on` turned into maps. */
export function normalised(file: Mapping): Mapping {
  const services = file.entries.get('services');
  if (services?.kind !== 'map') return file;
  const changed = new Map([...services.entries].map(([name, service]) => [name, normalisedService(service)]));
  const entries = new Map(file.entries);
  entries.set('services', { ...services, entries: changed });
  return { ...file, entries };
}

function normalisedService(service: Tree): Tree {
  if (service.kind !== 'map') return service;
  const entries = new Map(service.entries);
  const environment = entries.get('environment');
  if (environment?.kind === 'list') entries.set('environment', pairs(environment));
  const dependsOn = entries.get('depends_on');
  if (dependsOn?.kind === 'list') entries.set('depends_on', conditions(dependsOn));
  return { ...service, entries };
}

/** `- NAME=value` becomes `NAME: value`; `- NAME` becomes `NAME:`, which means: from the caller's environment. */
function pairs(list: List): Tree {
  return mapOf(list, (item) => {
    const equals = item.raw.indexOf('=');
    if (equals === -1) return [item.raw, { ...item, value: null }];
    const value = String(item.value).slice(String(item.value).indexOf('=') + 1);
    return [item.raw.slice(0, equals), { ...item, value, raw: item.raw.slice(equals + 1) }];
  });
}

function conditions(list: List): Tree {
  return mapOf(list, (item) => {
    const condition: Scalar = { ...item, value: 'service_started', raw: 'service_started' };
    const entries = new Map<string, Tree>([['condition', condition]]);
    return [String(item.value), { kind: 'map', entries, keys: new Map(), place: item.place }];
  });
}

function mapOf(list: List, entry: (item: Scalar) => [string, Tree]): Tree {
  // A list that holds anything but scalars stays as it is, for the reader to complain about.
  const items = list.items.filter((item) => item.kind === 'scalar');
  if (items.length < list.items.length) return list;
  const made = items.map((item) => ({ entry: entry(item), place: item.place }));
  return {
    kind: 'map',
    entries: new Map(made.map(({ entry: [key, value] }) => [key, value])),
    keys: new Map(made.map(({ entry: [key], place }) => [key, place])),
    place: list.place,
  };
}

function mergeMaps(base: Mapping, over: Mapping): Mapping {
  const entries = new Map(base.entries);
  const keys = new Map(base.keys);
  for (const [key, value] of over.entries) {
    const before = entries.get(key);
    entries.set(key, before === undefined ? value : mergeValues(key, before, value));
    if (before === undefined) keys.set(key, over.keys.get(key) ?? over.place);
  }
  return { ...base, entries, keys };
}

function mergeValues(key: string, base: Tree, over: Tree): Tree {
  if (base.kind === 'map' && over.kind === 'map') return mergeMaps(base, over);
  if (base.kind === 'list' && over.kind === 'list' && !replaced.has(key)) {
    return { ...base, items: [...base.items, ...over.items] };
  }
  return over.kind === 'scalar' && over.value === null && base.kind !== 'scalar' ? base : over;
}
