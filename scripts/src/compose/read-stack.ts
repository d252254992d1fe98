import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { nearest } from '@lockstep/foundation';
import type { Project } from '../project.ts';
import { fillTree } from './fill.ts';
import { findCycle } from './graph.ts';
import type { Lookup } from './interpolate.ts';
import { mergeTrees, normalised } from './merge.ts';
import { Mistakes } from './mistakes.ts';
import { readService } from './read-service.ts';
import type { Service, Stack } from './stack.ts';
import { type Mapping, readTree } from './tree.ts';
import { ValueReader } from './values.ts';

/** The stack's files, read and merged; variables are still as written. */
export interface StackFiles {
  readonly tree: Mapping;
  readonly project: Project;
}

/** A name that is safe as a folder, a file and a part of an address. */
const nameRule = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/;

/** @throws {StackFileError} when a file cannot be read or is not YAML */
export function readStackFiles(project: Project): StackFiles {
  const mistakes = new Mistakes();
  const trees = project.composeFiles.map((path) => readTree(path, project.root, mistakes));
  mistakes.finish();
  const [first, ...rest] = trees;
  if (first === undefined) throw new Error('a project has at least one compose file');
  return { project, tree: rest.reduce(mergeTrees, normalised(first)) };
}

/** What a stack's files say once their variables are known, and what is doubtful in it. */
export interface ReadStack {
  readonly stack: Stack;
  readonly warnings: readonly string[];
}

/** @throws {StackFileError} listing everything that is wrong, each with its place */
export function readStack({ tree, project }: StackFiles, lookup: Lookup): ReadStack {
  const mistakes = new Mistakes();
  const filled = fillTree(withoutExtensions(tree), lookup, mistakes);
  const read = new ValueReader(mistakes);
  if (filled.kind !== 'map') throw new Error('a filled map is a map');
  for (const key of ['include', 'extends']) {
    const at = filled.keys.get(key);
    if (at !== undefined) mistakes.add(at, `${key} is not supported`);
  }
  const topLevel = ['name', 'version', 'services', 'networks', 'volumes', 'secrets', 'configs', 'include'];
  read.unknownKeys(filled, topLevel, 'the file');
  const services = readServices(filled, read, project.root, lookup);
  const stack: Stack = {
    name: readName(filled, read),
    services,
    volumes: [...(read.map(filled, 'volumes')?.entries.keys() ?? [])],
    secrets: readSecretFiles(filled, read, project.root),
  };
  checkNames(filled, stack, mistakes);
  checkGraph(stack, mistakes);
  checkUses(stack, mistakes);
  mistakes.finish();
  return { stack, warnings: mistakes.warnings };
}

/** Variables in a template (`x-…`) count only where it is used. */
function withoutExtensions(tree: Mapping): Mapping {
  return { ...tree, entries: new Map([...tree.entries].filter(([key]) => !key.startsWith('x-'))) };
}

function readName(filled: Mapping, read: ValueReader): string {
  const value = read.scalar(filled, 'name');
  const name = value === undefined ? 'lockstep' : String(value.value);
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(name)) {
    const rule = 'lowercase letters, digits, - and _, beginning with a letter or digit';
    read.mistakes.add(value?.place ?? filled.place, `name: expected ${rule}, got "${name}"`);
  }
  return name;
}

function readServices(
  filled: Mapping,
  read: ValueReader,
  root: string,
  lookup: Lookup,
): Map<string, Service> {
  const services = new Map<string, Service>();
  const map = read.map(filled, 'services');
  if (map === undefined || map.entries.size === 0) read.mistakes.add(filled.place, 'there are no services');
  for (const [name, value] of map?.entries ?? []) {
    if (value.kind === 'map') services.set(name, readService(name, value, read, { root, lookup }));
    else read.mistakes.add(value.place, `${name}: expected a map`);
  }
  return services;
}

function readSecretFiles(filled: Mapping, read: ValueReader, root: string): Map<string, string> {
  const secrets = new Map<string, string>();
  for (const [name, value] of read.map(filled, 'secrets')?.entries ?? []) {
    const file = value.kind === 'map' ? read.text(value, 'file') : undefined;
    if (file === undefined) read.mistakes.add(value.place, `secrets: ${name}: expected a file`);
    else secrets.set(name, resolve(root, file));
  }
  return secrets;
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
      if (other === undefined) {
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

function checkUses(stack: Stack, mistakes: Mistakes): void {
  for (const { name: service, place, mounts, secrets } of stack.services.values()) {
    for (const { kind, source, place: at } of mounts) {
      if (kind === 'volume' && !stack.volumes.includes(source)) {
        mistakes.add(at, `${service}: volumes: no volume ${source} at the end of the file`);
      } else if (kind === 'bind' && source.startsWith('~')) {
        mistakes.add(at, `${service}: volumes: ~ is not supported; write the path out`);
      } else if (kind === 'bind' && statSync(source, { throwIfNoEntry: false }) === undefined) {
        mistakes.add(at, `${service}: volumes: no such folder: ${source}`);
      }
    }
    for (const { name } of secrets) {
      if (!stack.secrets.has(name))
        mistakes.add(place, `${service}: secrets: no secret ${name} at the end of the file`);
    }
  }
}
