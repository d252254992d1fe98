import { join } from 'node:path';
import { nearest } from '@lockstep/foundation';
import type { FileSettings } from '../config-file.ts';
import { ConfigFileError } from '../errors.ts';
import { isRecord, type JsonFile, readJsonFile } from '../json-file.ts';
import { type SettingKey, settingEntries } from '../setting-names.ts';
import { type Environment, environments } from '../strategy.ts';
import { type Day, days, isZone, type MaintenanceWindow, parseTime } from './window.ts';

export const environmentsFileName = 'environments.json';

/** What an environment has of its own. */
export interface EnvironmentSettings {
  readonly values: Readonly<Record<string, string>>;
  readonly windows: readonly MaintenanceWindow[];
}

/** Settings that say where and for whom, and secrets, do not belong into a file beside the migrations. */
const elsewhere: readonly SettingKey[] = [
  'service',
  'path',
  'layout',
  'databaseUrl',
  'environment',
  'scratchUrl',
  'auditUrl',
  'config',
];
const keys: readonly string[] = settingEntries
  .filter(([key, { inFile }]) => inFile && !elsewhere.includes(key))
  .map(([key]) => key);

/**
 * Reads environments.json of a folder of migrations: for each environment the settings of its own, by the names of the
 * configuration file, and `windows`, when it may migrate. Undefined when there is none.
 *
 * @throws {ConfigFileError} with every mistake and its place; exit status 2
 */
export function readEnvironments(folder: string): ReadonlyMap<Environment, EnvironmentSettings> | undefined {
  const file = readJsonFile(join(folder, environmentsFileName));
  if (file === undefined) return undefined;
  const mistakes: string[] = [];
  const found = new Map<Environment, EnvironmentSettings>();
  if (!isRecord(file.value)) mistakes.push(`${file.name}  expected { "production": { … } }`);
  else {
    for (const [name, value] of Object.entries(file.value)) {
      const environment = environments.find((known) => known === name);
      if (environment === undefined)
        mistakes.push(
          `${file.placeOf(name)}  unknown environment ${JSON.stringify(name)}${suggest(name, environments)}`,
        );
      else if (!isRecord(value)) mistakes.push(`${file.placeOf(name)}  expected settings: { … }`);
      else found.set(environment, readOne(file, environment, value, mistakes));
    }
  }
  if (mistakes.length > 0) throw new ConfigFileError(`${file.name} is wrong`, mistakes);
  return found;
}

/** Under what a configuration file says. */
export function underConfigFile(
  own: EnvironmentSettings,
  name: string,
  config: FileSettings | undefined,
): FileSettings {
  return {
    name: config === undefined ? name : `${config.name} or ${name}`,
    values: { ...own.values, ...config?.values },
    mistakes: config?.mistakes ?? [],
    windows: own.windows,
  };
}

function readOne(
  file: JsonFile,
  environment: Environment,
  entries: Readonly<Record<string, unknown>>,
  mistakes: string[],
): EnvironmentSettings {
  const values: Record<string, string> = {};
  const windows: MaintenanceWindow[] = [];
  for (const [key, value] of Object.entries(entries)) {
    const place = file.placeOf(environment, key);
    if (key === 'windows') {
      if (Array.isArray(value) && value.length > 0)
        value.forEach((item, index) => {
          const window = readWindow(item, (rule) =>
            mistakes.push(`${file.placeOf(environment, 'windows', index)}  ${rule}`),
          );
          if (window !== undefined) windows.push(window);
        });
      else mistakes.push(`${place}  expected a list of windows, and one at least`);
    } else if (!keys.includes(key)) {
      mistakes.push(`${place}  unknown setting ${JSON.stringify(key)}${suggest(key, [...keys, 'windows'])}`);
    } else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      values[key] = String(value);
    } else mistakes.push(`${place}  expected one value`);
  }
  return { values, windows };
}

function readWindow(item: unknown, mistake: (rule: string) => void): MaintenanceWindow | undefined {
  if (!isRecord(item)) {
    mistake('expected { "days": ["tuesday"], "from": "22:00", "to": "02:00", "zone": "Europe/Berlin" }');
    return undefined;
  }
  const { days: on, from, to, zone, ...others } = item;
  const rules: string[] = Object.keys(others).map((key) => `unknown key ${JSON.stringify(key)}`);
  const isDay = (day: unknown): day is Day => days.some((known) => known === day);
  const listed = on === undefined ? [...days] : Array.isArray(on) ? on.filter(isDay) : [];
  if (listed.length === 0 || (Array.isArray(on) && listed.length < on.length))
    rules.push(`days: expected a list of ${days.join(', ')}`);
  const time = (key: string, value: unknown) => {
    const minutes = typeof value === 'string' ? parseTime(value) : undefined;
    if (minutes === undefined) rules.push(`${key}: expected a time such as "22:00"`);
    return minutes ?? 0;
  };
  const [begin, end] = [time('from', from), time('to', to)];
  if (rules.length === 0 && begin === end) rules.push('from and to are the same');
  if (typeof zone !== 'string' || !isZone(zone))
    rules.push('zone: expected an IANA name such as "Europe/Berlin"');
  for (const rule of rules) mistake(rule);
  return rules.length === 0 && typeof zone === 'string'
    ? { days: listed, from: begin, to: end, zone }
    : undefined;
}

function suggest(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
