import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigFileError, UsageError } from '../errors.ts';
import { highestVersion } from '../file-name.ts';
import { isRecord, type JsonFile, readJsonFile } from '../json-file.ts';

export const dependencyFileName = 'dependencies.json';

/** A version of another service that must be applied before. */
export interface Need {
  readonly service: string;
  readonly version: bigint;
  /** As spelled: `services-api@000011`. */
  readonly label: string;
}

/** What dependencies.json of a folder of migrations says. */
export interface DependencyFile {
  readonly name: string;
  /** By version, ascending. */
  readonly needs: ReadonlyMap<bigint, readonly Need[]>;
  /** `dependencies.json:3:5` of a need, or of a version. */
  placeOf(version: bigint, index?: number): string;
}

/**
 * Reads `{ "needs": { "000016": ["services-api@000011"] } }`; undefined when there is none.
 *
 * @throws {ConfigFileError} with every mistake and its place; exit status 2
 */
export function readDependencyFile(folder: string): DependencyFile | undefined {
  const file = readJsonFile(join(folder, dependencyFileName));
  if (file === undefined) return undefined;
  const mistakes: string[] = [];
  const keys = new Map<bigint, string>();
  const needs = new Map<bigint, readonly Need[]>();
  const entries = entriesOf(file, mistakes);
  for (const [key, list] of entries) {
    const version = parseVersion(key);
    const place = file.placeOf('needs', key);
    if (version === undefined) mistakes.push(`${place}  ${JSON.stringify(key)} is no version`);
    else if (keys.has(version))
      mistakes.push(`${place}  version ${version} is there twice, as ${keys.get(version)} and ${key}`);
    else {
      keys.set(version, key);
      needs.set(version, readNeeds(file, key, list, mistakes));
    }
  }
  if (mistakes.length > 0) throw new ConfigFileError(`${file.name} is wrong`, mistakes);
  return {
    name: file.name,
    needs: new Map([...needs].sort(([a], [b]) => (a < b ? -1 : 1))),
    placeOf: (version, index) =>
      file.placeOf('needs', keys.get(version) ?? '', ...(index === undefined ? [] : [index])),
  };
}

function entriesOf(file: JsonFile, mistakes: string[]): [string, unknown][] {
  if (!isRecord(file.value)) {
    mistakes.push(`${file.name}  expected { "needs": { "000016": ["services-api@000011"] } }`);
    return [];
  }
  for (const key of Object.keys(file.value)) {
    if (key !== 'needs')
      mistakes.push(`${file.placeOf(key)}  unknown key ${JSON.stringify(key)}; needs is the one there is`);
  }
  const { needs } = file.value;
  if (needs === undefined) return [];
  if (isRecord(needs)) return Object.entries(needs);
  mistakes.push(`${file.placeOf('needs')}  expected { "000016": ["services-api@000011"] }`);
  return [];
}

function readNeeds(file: JsonFile, key: string, list: unknown, mistakes: string[]): Need[] {
  if (!Array.isArray(list)) {
    mistakes.push(`${file.placeOf('needs', key)}  expected a list such as ["services-api@000011"]`);
    return [];
  }
  const found: Need[] = [];
  list.forEach((text: unknown, index) => {
    const need = typeof text === 'string' ? parseNeed(text) : undefined;
    const place = file.placeOf('needs', key, index);
    if (need === undefined)
      mistakes.push(`${place}  expected service@version, such as "services-api@000011"`);
    else if (found.some(({ service }) => service === need.service))
      mistakes.push(`${place}  ${need.service} is there twice; its highest version is enough`);
    else found.push(need);
  });
  return found;
}

function parseNeed(text: string): Need | undefined {
  const [, service = '', label = ''] = /^([a-z0-9](?:[a-z0-9_-]|\.(?!\.)){0,47})@(\d+)$/i.exec(text) ?? [];
  const version = parseVersion(label);
  return version === undefined ? undefined : { service, version, label: text };
}

function parseVersion(text: string): bigint | undefined {
  if (!/^\d{1,40}$/.test(text)) return undefined;
  const version = BigInt(text);
  return version > highestVersion ? undefined : version;
}

/** Needs as given on a command line. */
export function parseNeeds(texts: readonly string[]): Need[] {
  return texts.map((text) => {
    const need = parseNeed(text);
    if (need === undefined)
      throw new UsageError(
        `--needs: expected service@version, not ${JSON.stringify(text)}`,
        'migrate create --help',
      );
    return need;
  });
}

/** Adds what the migration of this label needs; the file is replaced whole. */
export async function addNeeds(folder: string, label: string, needs: readonly Need[]): Promise<void> {
  const before = readJsonFile(join(folder, dependencyFileName))?.value;
  readDependencyFile(folder);
  const old = isRecord(before) && isRecord(before['needs']) ? before['needs'] : {};
  const entries = Object.entries({ ...old, [label]: needs.map((need) => need.label) });
  entries.sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1));
  // Object keys that look like numbers come first and lose no digit; padded ones keep the order they are given in.
  const lines = entries.map(([key, list]) => `    ${JSON.stringify(key)}: ${JSON.stringify(list)}`);
  const path = join(folder, dependencyFileName);
  const partial = `${path}.${process.pid}.partial`;
  try {
    await writeFile(partial, `{\n  "needs": {\n${lines.join(',\n')}\n  }\n}\n`, { flag: 'wx' });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw new ConfigFileError(
      `${dependencyFileName} cannot be written`,
      [error instanceof Error ? error.message : String(error)],
      error,
    );
  }
}
