import type { Place } from '../compose/mistakes.ts';
import type { List, Mapping, Scalar, Tree } from '../compose/tree.ts';

/** The compose files as the rules see them: whatever is not as expected is simply not there. */
export interface ComposeView {
  readonly services: readonly ServiceView[];
  /** Names of the declared volumes. */
  readonly volumes: ReadonlySet<string>;
  readonly file: Mapping;
}

/** One service, with the parts that several rules ask for. */
export interface ServiceView {
  readonly name: string;
  /** Where its name stands. */
  readonly place: Place;
  readonly map: Mapping;
  readonly dependsOn: readonly Wait[];
  /** Undefined when there is none, or it is switched off. */
  readonly healthcheck: Mapping | undefined;
  readonly ports: readonly Tree[];
  /** It does its work once and ends; see {@link oneShotRule}. */
  readonly isOneShot: boolean;
}

/** What a service waits for before it starts. */
export interface Wait {
  readonly service: string;
  readonly condition: string;
  readonly place: Place;
}

/** The condition that a service has ended with status 0. */
export const completed = 'service_completed_successfully';

/** Sees the merged files, variables filled in. */
export function composeView(file: Mapping): ComposeView {
  const services = mapAt(file, 'services');
  const found = [...(services?.entries ?? [])].flatMap(([name, map]) =>
    map.kind === 'map' ? [{ name, map, place: services?.keys.get(name) ?? map.place }] : [],
  );
  const waits = new Map(found.map(({ name, map }) => [name, waitsOf(map)]));
  const isOneShot = oneShotRule([...waits.values()].flat());
  return {
    services: found.map((one) => ({
      ...one,
      dependsOn: waits.get(one.name) ?? [],
      healthcheck: healthcheckOf(one.map),
      ports: listAt(one.map, 'ports')?.items ?? [],
      isOneShot: isOneShot(one.name, one.map),
    })),
    volumes: new Set(mapAt(file, 'volumes')?.entries.keys() ?? []),
    file,
  };
}

/**
 * A one-shot is what somebody waits for to end, an init container by its name, and what says `restart: "no"` while nothing
 * of it (a port, a health check) is a server's.
 */
function oneShotRule(waits: readonly Wait[]): (name: string, map: Mapping) => boolean {
  const awaited = new Set(waits.filter((one) => one.condition === completed).map((one) => one.service));
  return (name, map) =>
    awaited.has(name) ||
    name.endsWith('-migrations') ||
    (/^(no|false)$/.test(textAt(map, 'restart') ?? '') &&
      healthcheckOf(map) === undefined &&
      listAt(map, 'ports') === undefined);
}

function waitsOf(map: Mapping): Wait[] {
  const dependsOn = mapAt(map, 'depends_on');
  return [...(dependsOn?.entries ?? [])].map(([service, value]) => ({
    service,
    condition: (value.kind === 'map' ? textAt(value, 'condition') : undefined) ?? 'service_started',
    place: dependsOn?.keys.get(service) ?? value.place,
  }));
}

function healthcheckOf(map: Mapping): Mapping | undefined {
  const check = mapAt(map, 'healthcheck');
  if (check === undefined || textAt(check, 'disable') === 'true') return undefined;
  return wordsAt(check, 'test')?.[0] === 'NONE' ? undefined : check;
}

/** The map at `key`, if it is one. */
export function mapAt(parent: Mapping, key: string): Mapping | undefined {
  const value = parent.entries.get(key);
  return value?.kind === 'map' ? value : undefined;
}

/** The list at `key`, if it is one. */
export function listAt(parent: Mapping, key: string): List | undefined {
  const value = parent.entries.get(key);
  return value?.kind === 'list' ? value : undefined;
}

/** The single value at `key`, if it is one and not null. */
export function scalarAt(parent: Mapping, key: string): Scalar | undefined {
  const value = parent.entries.get(key);
  return value?.kind === 'scalar' && value.value !== null ? value : undefined;
}

/** The single value at `key`, as text. */
export function textAt(parent: Mapping, key: string): string | undefined {
  const value = scalarAt(parent, key);
  return value?.text;
}

/** The strings of the list at `key`, or the one string there. */
export function wordsAt(parent: Mapping, key: string): string[] | undefined {
  const value = parent.entries.get(key);
  if (value?.kind === 'scalar') return value.type === 'null' ? undefined : [value.text];
  if (value?.kind !== 'list') return undefined;
  return value.items.flatMap((item) => (item.kind === 'scalar' ? [item.text] : []));
}

/** Where `key` stands, else where its map does. */
export function placeAt(parent: Mapping, key: string): Place {
  return parent.keys.get(key) ?? parent.place;
}
