import type { Mistakes } from './mistakes.ts';
import type { Mapping, Tree } from './tree.ts';
import { distinctItems } from './unique.ts';

/** Where a value stands below its file: `services.api.healthcheck.test`. */
type Path = readonly string[];

/** Of a service: what an override replaces as a whole (compose-go, `override`). */
const replaced = new Set(['command', 'entrypoint', 'healthcheck.test']);
/** Of a service: what is a single value or a list, and a list once two are merged. */
const oneOrMore = new Set(['dns', 'dns_search', 'dns_opt', 'env_file', 'label_file', 'tmpfs']);

/**
 * Lays `over` upon `base`: maps merge, lists append without repeating, and some values are replaced; what `over` tags
 * `!reset` or `!override` is taken out of `base` first. Both must be canonical (see canonical.ts).
 *
 * The rules are those of the Compose Specification ("Merge") as compose-go has them. A map laid upon a list, or the
 * other way round, is a mistake.
 */
export function mergeTrees(base: Mapping, over: Mapping, mistakes: Mistakes): Mapping {
  return mergeMaps(base, over, [], mistakes);
}

/** As {@link mergeTrees}, of one service. */
export function mergeServices(base: Mapping, over: Mapping, name: string, mistakes: Mistakes): Mapping {
  return mergeMaps(base, over, ['services', name], mistakes);
}

function mergeMaps(base: Mapping, over: Mapping, path: Path, mistakes: Mistakes): Mapping {
  const entries = new Map(base.entries);
  const keys = new Map(base.keys);
  for (const key of over.resets ?? []) entries.delete(key);
  for (const [key, value] of over.entries) {
    const before = entries.get(key);
    entries.set(key, before === undefined ? value : mergeValues([...path, key], before, value, mistakes));
    if (before === undefined) keys.set(key, over.keys.get(key) ?? over.place);
  }
  const { resets, ...rest } = base;
  return { ...rest, entries, keys, ...(over.resets === undefined ? {} : { resets: over.resets }) };
}

function mergeValues(path: Path, base: Tree, over: Tree, mistakes: Mistakes): Tree {
  const [room = '', , ...rest] = path;
  const key = room === 'services' ? rest.join('.') : '';
  if (replaced.has(key)) return over;
  if (over.kind === 'scalar' && over.type === 'null') return isValueOfMap(key) ? over : base;
  if (base.kind === 'scalar' && base.type === 'null') return over;
  if (oneOrMore.has(key)) return mergeLists(key, base, over);
  if (key === 'logging' && driverOf(base) !== driverOf(over) && driverOf(over) !== undefined) return over;
  if (/^ulimits\.[^.]+$/.test(key)) return over;
  if (base.kind === 'map' && over.kind === 'map') return mergeMaps(base, over, path, mistakes);
  if (base.kind === 'list' && over.kind === 'list') return mergeLists(key, base, over);
  if (base.kind !== 'scalar' && over.kind !== base.kind) {
    const kinds = { map: 'a map', list: 'a list', scalar: 'a single value' };
    const where = path.slice(2).join('.') || path.join('.');
    mistakes.add(
      over.place,
      `${where}: expected ${kinds[base.kind]}, as it is in ${base.place.file}:${base.place.line}`,
    );
    return base;
  }
  return over;
}

/** There a name without a value means something: take it from the environment. */
function isValueOfMap(key: string): boolean {
  return /^(environment|labels|build\.args)\./.test(key);
}

function driverOf(tree: Tree): string | undefined {
  const driver = tree.kind === 'map' ? tree.entries.get('driver') : undefined;
  return driver?.kind === 'scalar' ? driver.text : undefined;
}

function listOf(tree: Tree): readonly Tree[] {
  return tree.kind === 'list' ? tree.items : [tree];
}

function mergeLists(key: string, base: Tree, over: Tree): Tree {
  return { kind: 'list', items: distinctItems(key, [...listOf(base), ...listOf(over)]), place: base.place };
}
