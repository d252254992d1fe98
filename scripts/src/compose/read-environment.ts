import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { type NamedEnvFile, readEnvValues } from './env-values.ts';
import { pathFrom } from './read-mounts.ts';
import type { Surroundings } from './read-service.ts';
import type { Mapping, Tree } from './tree.ts';
import type { ValueReader } from './values.ts';

/**
 * The variables of a service: those of its `env_file`s, a later one's winning, and over them those of `environment`. A
 * name without a value there is taken from the caller's environment, and is not set when that has none.
 *
 * @param isActive whether a missing `env_file` is a mistake yet
 */
export function readEnvironment(
  map: Mapping,
  read: ValueReader,
  surroundings: Surroundings,
  isActive: boolean,
): Map<string, string> {
  const { own, unset } = ownVariables(map, read, surroundings);
  const files = namedFiles(map, read, surroundings).filter((file) => file.required || existsSync(file.path));
  if (!isActive) return own;
  const there = files.filter(({ path, place }) => {
    if (existsSync(path)) return true;
    read.mistakes.add(place, `env_file: no such file: ${relative(surroundings.root, path)}`);
    return false;
  });
  const { mistakes } = read;
  const environment = readEnvValues(there, { ...surroundings, mistakes }, own);
  for (const [name, value] of own) environment.set(name, value);
  for (const name of unset) environment.delete(name);
  return environment;
}

function ownVariables(
  map: Mapping,
  read: ValueReader,
  { lookup }: Surroundings,
): { own: Map<string, string>; unset: string[] } {
  const own = new Map<string, string>();
  const unset: string[] = [];
  const given = map.entries.get('environment');
  if (given?.kind === 'scalar') read.mistakes.add(given.place, 'environment: expected a map or a list');
  for (const item of given?.kind === 'list' ? given.items : [])
    if (item.kind !== 'scalar' || item.type !== 'string')
      read.mistakes.add(item.place, 'environment: expected NAME=value');
  for (const [key, value] of given?.kind === 'map' ? given.entries : []) {
    if (value.kind !== 'scalar')
      read.mistakes.add(value.place, `environment: ${key}: expected a single value`);
    else if (value.type === 'time')
      read.mistakes.add(
        value.place,
        `environment: ${key}: ${value.text} is a date in YAML; put it in quotes`,
      );
    else if (!/^[^=\0\s]+$/.test(key))
      read.mistakes.add(value.place, `environment: not a variable name: "${key}"`);
    else {
      const text = value.type === 'null' ? lookup(key) : value.text;
      if (text === undefined) unset.push(key);
      else own.set(key, text);
    }
  }
  return { own, unset };
}

interface EnvFile extends NamedEnvFile {
  readonly required: boolean;
}

function namedFiles(map: Mapping, read: ValueReader, { folder }: Surroundings): EnvFile[] {
  const given = map.entries.get('env_file');
  if (given === undefined) return [];
  const path = (text: string) => pathFrom(folder, text);
  return (given.kind === 'list' ? given.items : [given]).flatMap((item): EnvFile[] => {
    if (item.kind === 'scalar' && item.type === 'string' && item.text !== '')
      return [{ path: path(item.text), place: item.place, required: true }];
    const named = given.kind === 'list' && item.kind === 'map' ? read.text(item, 'path') : undefined;
    if (item.kind !== 'map' || named === undefined || named === '') return wrong(item, read);
    read.unknownKeys(item, ['path', 'required', 'format'], 'env_file');
    const format = read.text(item, 'format');
    if (format !== undefined && format !== 'raw')
      read.mistakes.add(item.place, `env_file: format: expected raw or none, got "${format}"`);
    return [{ path: path(named), place: item.place, required: read.flag(item, 'required', true), format }];
  });
}

function wrong(item: Tree, read: ValueReader): [] {
  read.mistakes.add(item.place, 'env_file: expected a path, or a list of paths and of maps with one');
  return [];
}
