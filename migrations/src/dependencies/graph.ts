import { nearest } from '@lockstep/foundation';
import type { DependencyFile } from './dependency-file.ts';

/** A service as its folder of migrations shows it. */
export interface ServiceFolder {
  readonly service: string;
  /** Ascending; without those of overlays. */
  readonly versions: readonly bigint[];
  /** By version: `000004 create_orders`. */
  readonly titles: ReadonlyMap<bigint, string>;
  readonly file: DependencyFile | undefined;
}

/** A stretch of one service's migrations that can run without waiting. */
export interface Stretch {
  readonly service: string;
  readonly from: bigint;
  readonly to: bigint;
}

export interface Graph {
  readonly order: readonly Stretch[];
  readonly needs: readonly { readonly from: Point; readonly to: Point; readonly place: string }[];
  /** With the place in the file, and the path. Without any, `order` has every migration. */
  readonly problems: readonly string[];
}

export interface Point {
  readonly service: string;
  readonly version: bigint;
}

/** Works out in which order the services' migrations can run, each after those before it and after what it needs. */
export function planGraph(services: readonly ServiceFolder[]): Graph {
  const byName = new Map(services.map((folder) => [folder.service, folder]));
  const needs: Graph['needs'][number][] = [];
  const problems: string[] = [];
  for (const { service, versions, file } of services) {
    for (const [version, list] of file?.needs ?? []) {
      if (!versions.includes(version)) {
        problems.push(`${file?.placeOf(version)}  ${service} has no migration ${version}`);
        continue;
      }
      list.forEach((need, index) => {
        const place = file?.placeOf(version, index) ?? service;
        const from = { service, version };
        const to = { service: need.service, version: need.version };
        const problem = problemOf(from, to, byName);
        if (problem === undefined) needs.push({ from, to, place });
        else problems.push(`${place}  ${problem}`);
      });
    }
  }
  const { order, cycle } = sort(services, needs);
  if (cycle.length > 0) problems.push(`a cycle: ${cycle.map(spellPoint).join(' needs ')}`);
  return { order, needs, problems };
}

export function spellPoint({ service, version }: Point): string {
  return `${service}@${version}`;
}

function problemOf(from: Point, to: Point, byName: ReadonlyMap<string, ServiceFolder>): string | undefined {
  const path = `${spellPoint(from)} needs ${spellPoint(to)}`;
  if (to.service === from.service) {
    return to.version >= from.version
      ? `${path}: a migration cannot need one that comes after it`
      : `${path}: what is below in the same service is applied before anyway`;
  }
  const target = byName.get(to.service);
  if (target === undefined) {
    const meant = nearest(to.service, [...byName.keys()]);
    return `${path}: there is no service ${to.service}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  }
  if (!target.versions.includes(to.version)) {
    return `${path}: ${to.service} has no migration ${to.version}, its last is ${target.versions.at(-1) ?? 'none'}`;
  }
  if (target.file === undefined) {
    return `${path}: ${to.service} has no dependencies.json, so nobody can see how far it is; one with { "needs": {} } is enough`;
  }
  return undefined;
}

/** Runs each service as far as it gets, in turn, until all are done or none can go on. */
function sort(
  services: readonly ServiceFolder[],
  needs: Graph['needs'],
): { order: Stretch[]; cycle: Point[] } {
  const order: Stretch[] = [];
  const done = new Map(services.map(({ service }) => [service, 0]));
  const at = (service: string) => done.get(service) ?? 0;
  const byPoint = new Map<string, Point[]>();
  for (const { from, to } of needs)
    byPoint.set(spellPoint(from), [...(byPoint.get(spellPoint(from)) ?? []), to]);
  const versionsOf = new Map(services.map(({ service, versions }) => [service, versions]));
  const isDone = ({ service, version }: Point) =>
    (versionsOf.get(service) ?? []).indexOf(version) < at(service);
  const waiting = (service: string, version: bigint | undefined) =>
    version === undefined
      ? undefined
      : (byPoint.get(spellPoint({ service, version })) ?? []).find((point) => !isDone(point));
  for (let moved = true; moved; ) {
    moved = false;
    for (const { service, versions } of services) {
      const begin = at(service);
      let end = begin;
      while (end < versions.length && waiting(service, versions[end]) === undefined) {
        end += 1;
        done.set(service, end);
      }
      const [from, to] = [versions[begin], versions[end - 1]];
      if (end === begin || from === undefined || to === undefined) continue;
      order.push({ service, from, to });
      moved = true;
    }
  }
  const stuck = services.find(({ service, versions }) => at(service) < versions.length);
  if (stuck === undefined) return { order, cycle: [] };
  return { order, cycle: follow(stuck.service) };

  /** From what is stuck to what it waits for, until a service comes again. */
  function follow(start: string): Point[] {
    const path: Point[] = [];
    for (let service = start; ; ) {
      const version = versionsOf.get(service)?.[at(service)];
      const next = waiting(service, version);
      if (version === undefined || next === undefined) return path;
      const first = path.findIndex((point) => point.service === service);
      if (first !== -1) return [...path.slice(first), path[first] ?? { service, version }];
      path.push({ service, version });
      service = next.service;
    }
  }
}
