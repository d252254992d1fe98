import type { Mistakes } from './mistakes.ts';
import { type List, type Mapping, type Scalar, type Tree, textAt } from './tree.ts';
import { distinctItems, distinctLists } from './unique.ts';

/** Keys of a service that are a map or a list of `NAME=value`. */
const pairLists = ['environment', 'labels', 'annotations', 'sysctls'];

/**
 * A file, its variables filled in, with everything in its long form where a service can say it in two: `environment`,
 * `labels`, `depends_on` and `networks` as maps, `build` and `extends` as maps, lists without what repeats.
 */
export function canonical(file: Mapping, mistakes: Mistakes): Mapping {
  const services = file.entries.get('services');
  if (services?.kind !== 'map') return file;
  const changed = new Map(
    [...services.entries].map(([name, one]) => [name, canonicalService(one, mistakes)]),
  );
  return withEntry(file, 'services', { ...services, entries: changed });
}

/** A copy of a map with another value at `key`. */
export function withEntry(map: Mapping, key: string, value: Tree): Mapping {
  const keys = map.keys.has(key) ? map.keys : new Map([...map.keys, [key, value.place]]);
  return { ...map, entries: new Map([...map.entries, [key, value]]), keys };
}

/** A copy of a map without `key`. */
export function withoutEntry(map: Mapping, key: string): Mapping {
  return { ...map, entries: new Map([...map.entries].filter(([other]) => other !== key)) };
}

function canonicalService(service: Tree, mistakes: Mistakes): Tree {
  if (service.kind !== 'map') return service;
  const entries = new Map(service.entries);
  const change = (key: string, work: (value: Tree) => Tree) => {
    const value = entries.get(key);
    if (value !== undefined) entries.set(key, work(value));
  };
  for (const key of pairLists) change(key, (value) => (value.kind === 'list' ? pairs(value) : value));
  change('depends_on', (value) => (value.kind === 'list' ? conditions(value, mistakes) : value));
  change('extra_hosts', (value) => (value.kind === 'map' ? hosts(value) : value));
  change('networks', (value) => (value.kind === 'list' ? names(value) : value));
  change('build', (value) => (isText(value) ? mapWith('context', value) : value));
  change('extends', (value) => (isText(value) ? mapWith('service', value) : value));
  for (const key of distinctLists) {
    change(key, (value) =>
      value.kind === 'list' ? { ...value, items: distinctItems(key, value.items) } : value,
    );
  }
  return { ...service, entries };
}

function isText(value: Tree): value is Scalar {
  return value.kind === 'scalar' && value.type === 'string';
}

/** A map of one entry, where the entry stands. */
export function mapWith(key: string, value: Tree): Mapping {
  return {
    kind: 'map',
    entries: new Map([[key, value]]),
    keys: new Map([[key, value.place]]),
    place: value.place,
  };
}

/** `- NAME=value` becomes `NAME: value`; `- NAME` becomes `NAME:`, which means: from the caller's environment. */
function pairs(list: List): Tree {
  return mapOf(list, (item) => {
    const equals = item.text.indexOf('=');
    if (equals === -1) return [item.text, { ...item, type: 'null', value: null, text: '', raw: '' }];
    const value = item.text.slice(equals + 1);
    return [item.text.slice(0, equals), { ...textAt(value, item.place), raw: afterEquals(item.raw) }];
  });
}

function afterEquals(raw: string): string {
  return raw.slice(raw.indexOf('=') + 1);
}

function conditions(list: List, mistakes: Mistakes): Tree {
  const seen = new Set<string>();
  return mapOf(list, (item) => {
    if (seen.has(item.text)) mistakes.add(item.place, `depends_on: ${item.text} is there twice`);
    seen.add(item.text);
    const entries = new Map<string, Tree>([
      ['condition', textAt('service_started', item.place)],
      ['required', { ...textAt('true', item.place), type: 'bool', value: true }],
    ]);
    return [item.text, { kind: 'map', entries, keys: new Map(), place: item.place }];
  });
}

/** Docker's own form, `host:address`, which every engine reads. */
function hosts(map: Mapping): Tree {
  const items = [...map.entries].flatMap(([host, value]) =>
    (value.kind === 'list' ? value.items : [value]).map((one) =>
      one.kind === 'scalar' ? { ...textAt(`${host}:${one.text}`, one.place), raw: one.raw } : one,
    ),
  );
  return { kind: 'list', items, place: map.place };
}

function names(list: List): Tree {
  return mapOf(list, (item) => [item.text, { ...item, type: 'null', value: null, text: '' }]);
}

function mapOf(list: List, entry: (item: Scalar) => [string, Tree]): Tree {
  // A list that holds anything but strings stays as it is, for the reader to complain about.
  const items = list.items.filter(isText);
  if (items.length < list.items.length) return list;
  const made = items.map((item) => ({ entry: entry(item), place: item.place }));
  return {
    kind: 'map',
    entries: new Map(made.map(({ entry: [key, value] }) => [key, value])),
    keys: new Map(made.map(({ entry: [key], place }) => [key, place])),
    place: list.place,
  };
}
