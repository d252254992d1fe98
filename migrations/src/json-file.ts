import { readFileSync, statSync } from 'node:fs';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { ConfigFileError } from './errors.ts';
import { showPath } from './folder.ts';
import { decodeSql } from './sql-text.ts';

/** A JSON file of a folder of migrations. */
export interface JsonFile {
  /** As shown to a person. */
  readonly name: string;
  readonly value: unknown;
  /** `dependencies.json:3:5`: where the value at the end of `path` stands. */
  placeOf(...path: readonly (string | number)[]): string;
}

const largestFile = 256 * 1024;

/**
 * Reads a JSON file; undefined when there is none.
 *
 * @throws {ConfigFileError} when it is no regular file, too large, no UTF-8, no JSON, or names a key twice; exit status 2
 */
export function readJsonFile(path: string): JsonFile | undefined {
  const name = showPath(path);
  const text = readText(path, name);
  if (text === undefined) return undefined;
  // The YAML parser reads JSON as well, and knows where each value stands.
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'json' });
  const spell = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const [wrong] = document.errors;
  if (wrong?.code === 'DUPLICATE_KEY') {
    throw new ConfigFileError(
      `${name} names a key twice`,
      [`${spell(wrong.pos[0])}  ${wrong.message}`],
      wrong,
    );
  }
  return {
    name,
    value: parse(text, name, wrong === undefined ? undefined : spell(wrong.pos[0])),
    placeOf: placesIn(document, name, spell),
  };
}

function placesIn(
  document: Document.Parsed,
  name: string,
  spell: (offset: number) => string,
): JsonFile['placeOf'] {
  return (...path) => {
    const node = document.getIn(path, true);
    const offset = isNode(node) ? node.range?.[0] : undefined;
    return offset === undefined ? name : spell(offset);
  };
}

function parse(text: string, name: string, place: string | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigFileError(`${name} is no JSON`, [`${place ?? name}  ${reason}`], error);
  }
}

function readText(path: string, name: string): string | undefined {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new ConfigFileError(`${name} is no file`, []);
    if (stat.size > largestFile) throw new ConfigFileError(`${name} is over ${largestFile / 1024} KiB`, []);
    const text = decodeSql(readFileSync(path));
    if (typeof text === 'string') return text;
    throw new ConfigFileError(`${name} cannot be read`, [
      `${name}:${text.place.line}:${text.place.column}  ${text.rule}`,
    ]);
  } catch (error) {
    if (error instanceof ConfigFileError) throw error;
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code)))
      return undefined;
    throw new ConfigFileError(
      `${name} cannot be read`,
      [error instanceof Error ? error.message : String(error)],
      error,
    );
  }
}

/** Whether a value is an object with keys, no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
