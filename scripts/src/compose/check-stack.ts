import { statSync } from 'node:fs';
import { nearest } from '@lockstep/foundation';
import { findCycle } from './graph.ts';
import type { Mistakes } from './mistakes.ts';
import type { Service, Stack } from './stack.ts';
import type { Mapping } from './tree.ts';

/** A name that is safe as a folder, a file and a part of an address. */
const nameRule = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/;

/** Notes what the parts of a stack say of each other that cannot be: names, ports, dependencies, mounts, secrets. */
export function checkStack(stack: Stack, filled: Mapping, mistakes: Mistakes): void {
  checkNames(filled, stack, mistakes);
  checkGraph(stack, mistakes);
  checkUses(stack, filled, mistakes);
}

function checkNames(filled: Mapping, stack: Stack, mistakes: Mistakes): void {
  for (const kind of ['services', 'volumes', 'secrets']) {
    const map = filled.entries.get(kind);
    if (map?.kind !== 'map') continue;
    for (const [name, value] of map.entries) {
      if (nameRule.test(name)) continue;
      const rule = 'letters, digits, ., - and _, at most 100, beginning with a letter or digit';
      mistakes.add(
        map.keys.get(name) ?? value.place,
        `${kind}: expected ${rule}, got ${JSON.stringify(name)}`,
      );
    }
  }
  const published = new Map<string, string>();
  for (const service of stack.services.values()) {
    for (const { published: port, setting, place } of service.ports) {
      const owner = setting ?? service.name;
      const other = published.get(String(port));
      if (other !== undefined)
        mistakes.add(place, `ports: ${owner} is ${port}, and so is ${other}; they must differ`);
      published.set(String(port), owner);
    }
  }
}

function checkGraph(stack: Stack, mistakes: Mistakes): void {
  for (const service of stack.services.values()) {
    for (const { service: name, condition, place } of service.dependsOn) {
      const other = stack.services.get(name);
      const profiles = stack.inactive.get(name);
      if (profiles !== undefined) {
        const which = `${profiles.length === 1 ? 'the profile' : 'one of the profiles'} ${profiles.join(', ')}`;
        mistakes.add(place, `${service.name}: depends_on: ${name} takes part only with ${which}`);
      } else if (other === undefined) {
        const meant = nearest(name, stack.services.keys());
        const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
        mistakes.add(place, `${service.name}: depends_on: no service ${name}${hint}`);
      } else if (condition === 'service_healthy' && !hasProbe(other)) {
        mistakes.add(
          place,
          `${service.name}: depends_on: ${name} can never be healthy: it has no healthcheck`,
        );
      }
    }
  }
  const graph = new Map(
    [...stack.services].map(([name, { dependsOn }]) => [name, dependsOn.map(({ service }) => service)]),
  );
  const cycle = findCycle(graph);
  const [first] = cycle ?? [];
  const place = first === undefined ? undefined : stack.services.get(first)?.dependsOn[0]?.place;
  if (cycle !== undefined && place !== undefined) {
    mistakes.add(place, `depends_on goes round in a circle: ${cycle.join(' → ')}`);
  }
}

function hasProbe({ healthcheck, embedded }: Service): boolean {
  return healthcheck !== undefined || embedded?.program !== undefined || embedded?.healthUrl !== undefined;
}

function checkUses(stack: Stack, filled: Mapping, mistakes: Mistakes): void {
  const declared = (kind: 'secrets' | 'configs') => {
    const map = filled.entries.get(kind);
    return new Set(map?.kind === 'map' ? map.entries.keys() : []);
  };
  const [secretNames, configNames] = [declared('secrets'), declared('configs')];
  for (const { name: service, place, mounts, secrets, configs } of stack.services.values()) {
    for (const { kind, source, place: at } of mounts) {
      if (kind === 'volume' && !stack.volumes.includes(source)) {
        mistakes.add(at, `${service}: volumes: no volume ${source} at the end of the file`);
      } else if (kind === 'bind' && statSync(source, { throwIfNoEntry: false }) === undefined) {
        mistakes.add(at, `${service}: volumes: no such folder: ${source}`);
      }
    }
    for (const { name } of secrets) {
      if (!secretNames.has(name))
        mistakes.add(place, `${service}: secrets: no secret ${name} at the end of the file`);
    }
    for (const { name, place: at } of configs) {
      if (!configNames.has(name))
        mistakes.add(at, `${service}: configs: no config ${name} at the end of the file`);
    }
  }
}
