import type { Project } from '../project.ts';
import { checkStack } from './check-stack.ts';
import type { Lookup } from './interpolate.ts';
import { Mistakes } from './mistakes.ts';
import { loadModel, type Model, type Parsed, parseFiles } from './model.ts';
import { profileRule } from './profiles.ts';
import { pathFrom } from './read-mounts.ts';
import { readService, type Surroundings } from './read-service.ts';
import type { Service, Stack } from './stack.ts';
import { stackName } from './stack-name.ts';
import type { Mapping } from './tree.ts';
import { ValueReader } from './values.ts';

/** The stack's files, read; variables are still as written. */
export interface StackFiles {
  readonly project: Project;
  readonly parsed: Parsed;
}

/** @throws {StackFileError} when a file cannot be read or is not YAML */
export function readStackFiles(project: Project): StackFiles {
  const mistakes = new Mistakes();
  const parsed = parseFiles(project, mistakes);
  mistakes.finish();
  return { project, parsed };
}

/** What a stack's files say once their variables are known, and what is doubtful in it. */
export interface ReadStack {
  readonly stack: Stack;
  readonly warnings: readonly string[];
}

/** @throws {StackFileError} listing everything that is wrong, each with its place */
export function readStack(files: StackFiles, lookup: Lookup): ReadStack {
  const { project } = files;
  const mistakes = new Mistakes();
  const { tree: filled, files: paths, name, setting } = loadStack(files, lookup, mistakes);
  const read = new ValueReader(mistakes);
  const topLevel = ['name', 'version', 'services', 'networks', 'volumes', 'secrets', 'configs'];
  for (const key of ['models']) {
    const at = filled.keys.get(key);
    if (at !== undefined) mistakes.add(at, `${key} is not supported`);
  }
  read.unknownKeys(filled, [...topLevel, 'models'], 'the file');
  // Those that take no part are read as well: a slip in one shows before its profile is first used.
  const surroundings = { folder: project.directory, root: project.root, lookup: setting, files: paths };
  const takesPart = profileRule(lookup);
  const all = readServices(filled, read, surroundings, takesPart);
  const inactive = new Map(
    [...all].flatMap(([name, { profiles }]) => (takesPart(profiles) ? [] : [[name, profiles] as const])),
  );
  const services = activeServices(all, inactive);
  const stack: Stack = {
    name,
    services,
    inactive,
    volumes: [...(read.map(filled, 'volumes')?.entries.keys() ?? [])],
    secrets: withoutSecretsOf(readSecretFiles(filled, read, project.directory), all, services),
    configs: readConfigFiles(filled, read, project.directory),
    files: [...paths],
  };
  checkStack(stack, filled, mistakes);
  mistakes.finish();
  return { stack, warnings: mistakes.warnings };
}

/** The files as one tree, and what the stack is called. */
export interface LoadedStack extends Model {
  readonly name: string;
  /** The lookup that filled the variables in: COMPOSE_PROJECT_NAME is the stack's name. */
  readonly setting: Lookup;
}

/** The files as one tree with every variable filled in; mistakes and warnings go to `mistakes`. */
export function loadStack({ project, parsed }: StackFiles, lookup: Lookup, mistakes: Mistakes): LoadedStack {
  const name = stackName(project, parsed, lookup, mistakes);
  const setting: Lookup = (variable) => (variable === 'COMPOSE_PROJECT_NAME' ? name : lookup(variable));
  for (const path of project.passedOver)
    mistakes.warn({ file: path, line: 1, column: 1 }, 'is not read, for another compose file is there');
  return { ...loadModel(project, parsed, setting, mistakes), name, setting };
}

function readServices(
  filled: Mapping,
  read: ValueReader,
  surroundings: Surroundings,
  takesPart: (profiles: readonly string[]) => boolean,
): Map<string, Service> {
  const services = new Map<string, Service>();
  const map = read.map(filled, 'services');
  if (map === undefined || map.entries.size === 0) read.mistakes.add(filled.place, 'there are no services');
  for (const [name, value] of map?.entries ?? []) {
    const at = map?.keys.get(name) ?? value.place;
    if (value.kind === 'map')
      services.set(name, readService({ name, at, map: value }, read, surroundings, takesPart));
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

function readConfigFiles(filled: Mapping, read: ValueReader, folder: string): Map<string, string> {
  const configs = new Map<string, string>();
  for (const [name, value] of read.map(filled, 'configs')?.entries ?? []) {
    if (value.kind !== 'map') read.mistakes.add(value.place, `configs: ${name}: expected a map`);
    else {
      const file = read.text(value, 'file');
      if (file !== undefined) configs.set(name, pathFrom(folder, file));
    }
  }
  return configs;
}

function readSecretFiles(filled: Mapping, read: ValueReader, folder: string): Map<string, string> {
  const secrets = new Map<string, string>();
  for (const [name, value] of read.map(filled, 'secrets')?.entries ?? []) {
    const file = value.kind === 'map' ? read.text(value, 'file') : undefined;
    if (file === undefined) read.mistakes.add(value.place, `secrets: ${name}: expected a file`);
    else secrets.set(name, pathFrom(folder, file));
  }
  return secrets;
}
