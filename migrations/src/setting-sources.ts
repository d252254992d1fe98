import { count, nearest, SettingsReader } from '@lockstep/foundation';
import type { FileSettings } from './config-file.ts';
import { secretVariables } from './secret-file.ts';
import { type SettingKey, settingEntries, spellings } from './setting-names.ts';

/** Values of command-line options by their long name, as in `{ '--timeout': '30s' }`. */
export type Flags = Readonly<Record<string, string | true | undefined>>;

/** Where settings come from: flags over the environment over the configuration file. */
export interface SettingSources {
  readonly reader: SettingsReader;
  /** The name under which `key` is set, the strongest first; where nobody set it, its first variable or flag. */
  pick(key: SettingKey): string;
  /** The first of `names` that is set, else the last. */
  firstOf(...names: [string, ...string[]]): string;
  /** Suspicious and not wrong: variables that look like ours. */
  readonly warnings: readonly string[];
}

/** Brings the three sources together; an empty flag and an unknown key of the file are noted as mistakes. */
export function openSources(
  flags: Flags,
  environment: Readonly<Record<string, string | undefined>>,
  file: FileSettings | undefined,
): SettingSources {
  const values: Record<string, string | undefined> = { ...environment, ...file?.values };
  for (const [flag, value] of Object.entries(flags)) values[flag] = value === true ? 'true' : value;
  const fileKeys = new Set(Object.keys(file?.values ?? {}));
  const reader = new SettingsReader(values, (name) =>
    name.startsWith('--')
      ? 'the command line'
      : file !== undefined && fileKeys.has(name)
        ? file.name
        : 'the environment',
  );
  for (const [flag, value] of Object.entries(flags)) {
    if (value === '') reader.mistake(flag, 'expected a value', '');
  }
  for (const { name, rule } of file?.mistakes ?? []) reader.mistake(name, rule);
  const isSet = (name: string) =>
    flags[name] !== undefined ||
    reader.text(name) !== undefined ||
    (isSecret(name) && reader.text(`${name}_FILE`) !== undefined);
  const firstOf = (...names: [string, ...string[]]) => names.find(isSet) ?? names.at(-1) ?? names[0];
  return {
    reader,
    firstOf,
    pick: (key) => {
      const names = spellings(key);
      return names.find(isSet) ?? names.find((name) => !name.startsWith('--')) ?? names[0];
    },
    warnings: unknownVariables(environment),
  };
}

function isSecret(name: string): boolean {
  return secretVariables.some((secret) => secret === name);
}

/** Only names that look like ours: an environment is full of other programs' variables. */
function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = settingEntries.flatMap(([, { variables = [] }]) => variables);
  const ours = known.filter((name) => /^MIGRATIONS?_/.test(name));
  const unknown = Object.keys(environment).filter(
    (name) => /^MIGRATIONS?_/.test(name) && !ours.includes(name.replace(/_FILE$/, '')),
  );
  if (unknown.length > 5) return [`${count(unknown.length, 'unknown MIGRATION_* setting')} ignored`];
  return unknown.map((name) => {
    const meant = nearest(name, ours);
    return `${name}: unknown setting, ignored${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  });
}
