import { resolve } from 'node:path';
import type { Project } from '../project.ts';
import { checkStack } from './check-stack.ts';
import { fillTree } from './fill.ts';
import type { Lookup } from './interpolate.ts';
import { mergeTrees, normalised } from './merge.ts';
import { Mistakes } from './mistakes.ts';
import { profileRule } from './profiles.ts';
import { readService } from './read-service.ts';
import type { Service, Stack } from './stack.ts';
import { type Mapping, readTree } from './tree.ts';
import { ValueReader } from './values.ts';

/** The stack's files, read and merged; variables are still as written. */
export interface StackFiles {
  readonly tree: Mapping;
  readonly project: Project;
}

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
  const filled = fillFiles(tree, lookup, mistakes);
  const read = new ValueReader(mistakes);
  for (const key of ['include', 'extends']) {
    const at = filled.keys.get(key);
    if (at !== undefined) mistakes.add(at, `${key} is not supported`);
  }
  const topLevel = ['name', 'version', 'services', 'networks', 'volumes', 'secrets', 'configs', 'include'];
  read.unknownKeys(filled, topLevel, 'the file');
  // Those that take no part are read as well: a slip in one shows before its profile is first used.
  const all = readServices(filled, read, project.root, lookup);
  const takesPart = profileRule(lookup);
  const inactive = new Map(
    [...all].flatMap(([name, { profiles }]) => (takesPart(profiles) ? [] : [[name, profiles] as const])),
  );
  const services = activeServices(all, inactive);
  const stack: Stack = {
    name: readName(filled, read),
    services,
    inactive,
    volumes: [...(read.map(filled, 'volumes')?.entries.keys() ?? [])],
    secrets: withoutSecretsOf(readSecretFiles(filled, read, project.root), all, services),
    configs: readConfigFiles(filled, read, project.root),
  };
  checkStack(stack, filled, mistakes);
  mistakes.finish();
  return { stack, warnings: mistakes.warnings };
}

/** The files with every variable filled in, templates apart; mistakes and warnings go to `mistakes`. */
export function fillFiles(tree: Mapping, lookup: Lookup, mistakes: Mistakes): Mapping {
  const filled = fillTree(withoutExtensions(tree), lookup, mistakes);
  if (filled.kind !== 'map') throw new Error('a filled map is a map');
  return filled;
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

/** The services that take part; a dependency that is not required goes when its service takes no part. */
function activeServices(
  all: ReadonlyMap<string, Service>,
  inactive: Stack['inactive'],
): Map<string, Service> {
  const services = new Map<string, Service>();
  for (const [name, service] of all) {
    if (inactive.has(name)) continue;
    const dependsOn = service.dependsOn.filter((one) => one.required || !inactive.has(one.service));
    services.set(name, { ...service, dependsOn });
  }
  return services;
}

/** Without the secrets that only services which take no part are given: nobody needs a value for those yet. */
function withoutSecretsOf(
  secrets: ReadonlyMap<string, string>,
  all: ReadonlyMap<string, Service>,
  active: ReadonlyMap<string, Service>,
): Map<string, string> {
  const given = (services: ReadonlyMap<string, Service>) =>
    new Set([...services.values()].flatMap((service) => service.secrets.map(({ name }) => name)));
  const [byAny, byActive] = [given(all), given(active)];
  return new Map([...secrets].filter(([name]) => byActive.has(name) || !byAny.has(name)));
}

function readConfigFiles(filled: Mapping, read: ValueReader, root: string): Map<string, string> {
  const configs = new Map<string, string>();
  for (const [name, value] of read.map(filled, 'configs')?.entries ?? []) {
    if (value.kind !== 'map') read.mistakes.add(value.place, `configs: ${name}: expected a map`);
    else {
      const file = read.text(value, 'file');
      if (file !== undefined) configs.set(name, resolve(root, file));
    }
  }
  return configs;
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
