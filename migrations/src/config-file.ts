import { readFileSync, statSync } from 'node:fs';
import { nearest } from '@lockstep/foundation';
import { LineCounter, parseDocument } from 'yaml';
import type { MaintenanceWindow } from './environments/window.ts';
import { ConfigFileError } from './errors.ts';
import { showPath } from './folder.ts';
import { settingEntries } from './setting-names.ts';

/** The settings of a configuration file, as text, not yet checked. */
export interface FileSettings {
  /** As shown to a person. */
  readonly name: string;
  readonly values: Readonly<Record<string, string>>;
  readonly mistakes: readonly { readonly name: string; readonly rule: string }[];
  /** When the environment may migrate; always when absent. */
  readonly windows?: readonly MaintenanceWindow[];
}

const largestFile = 256 * 1024;

/**
 * Reads a YAML file of settings: one mapping, its keys those of setting-names.ts, its values plain or, where one may be, a list. What the values mean
 * is checked with all other settings, so that every mistake is reported at once.
 *
 * @throws {ConfigFileError} when the file cannot be read, or is no YAML mapping; exit status 2
 */
export function readConfigFile(path: string): FileSettings {
  const name = showPath(path);
  const lines = new LineCounter();
  const document = parseDocument(readText(path, name), { lineCounter: lines, prettyErrors: false });
  const [wrong] = document.errors;
  if (wrong !== undefined) {
    const { line, col } = lines.linePos(wrong.pos[0]);
    throw new ConfigFileError(`${name} is no YAML`, [`${name}:${line}:${col}  ${wrong.message}`], wrong);
  }
  const content = toPlain(document, name);
  if (content === null || content === undefined) return { name, values: {}, mistakes: [] };
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new ConfigFileError(`${name} holds no settings`, ['expected key: value lines']);
  }
  const keys: readonly string[] = settingEntries.filter(([, { inFile }]) => inFile).map(([key]) => key);
  const lists: readonly string[] = settingEntries.filter(([, { isList }]) => isList).map(([key]) => key);
  const values: Record<string, string> = {};
  const mistakes: { name: string; rule: string }[] = [];
  for (const [key, value] of Object.entries(content)) {
    if (!keys.includes(key)) {
      const meant = nearest(key, keys);
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      mistakes.push({ name: key, rule: `unknown setting${hint} (from ${name})` });
    } else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      values[key] = String(value);
    } else if (isListOfText(value) && lists.includes(key)) {
      values[key] = value.join('\n');
    } else if (lists.includes(key) && value !== null) {
      mistakes.push({ name: key, rule: `expected one value or a list of texts (from ${name})` });
    } else if (value !== null) {
      mistakes.push({ name: key, rule: `expected one value (from ${name})` });
    }
  }
  return { name, values, mistakes };
}

function isListOfText(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && !item.includes('\n'));
}

/** Without aliases: settings need none, and one of an alias of an alias is a bomb. */
function toPlain(document: ReturnType<typeof parseDocument>, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigFileError(`${name} uses an alias, and settings have none`, [reason], error);
  }
}

function readText(path: string, name: string): string {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new ConfigFileError(`${name} is no file`, []);
    if (stat.size > largestFile) throw new ConfigFileError(`${name} is over ${largestFile / 1024} KiB`, []);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof ConfigFileError) throw error;
    if (error instanceof TypeError) throw new ConfigFileError(`${name} is not UTF-8`, [], error);
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigFileError(`${name} cannot be read`, [reason], error);
  }
}
