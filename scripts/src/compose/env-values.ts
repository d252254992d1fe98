import { relative } from 'node:path';
import { readText } from '../read-text.ts';
import { parseEnvText, parseRawEnv } from './env-text.ts';
import type { Lookup } from './interpolate.ts';
import type { Mistakes, Place } from './mistakes.ts';

/** A file of settings, and where a compose file names it. */
export interface NamedEnvFile {
  readonly path: string;
  readonly place: Place;
  /** `raw`: values are taken as they stand. */
  readonly format?: string | undefined;
}

/** What {@link readEnvValues} needs of a reading. */
export interface EnvReading {
  readonly lookup: Lookup;
  readonly root: string;
  readonly mistakes: Mistakes;
  readonly files: Set<string>;
}

/**
 * The values of files in the format of `.env`, a later one's winning. Variables in them are filled in from the lookup,
 * then from `known` and the files before, then from the lines before.
 */
export function readEnvValues(
  files: readonly NamedEnvFile[],
  { lookup, root, mistakes, files: read }: EnvReading,
  known: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  const values = new Map<string, string>();
  for (const { path, place, format } of files) {
    read.add(path);
    const file = relative(root, path);
    const { text, problem } = readText(path);
    if (text === undefined) {
      mistakes.add(place, `${file} ${problem}`);
      continue;
    }
    const parse = format === 'raw' ? parseRawEnv : parseEnvText;
    const found = parse(text, (name) => lookup(name) ?? values.get(name) ?? known.get(name));
    for (const { line, column, text: rule } of found.mistakes) mistakes.add({ file, line, column }, rule);
    for (const { line, column, text: rule } of found.warnings) mistakes.warn({ file, line, column }, rule);
    for (const [name, value] of found.values) values.set(name, value);
  }
  return values;
}
