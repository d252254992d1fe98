import { rename, rm, writeFile } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { ConfigFileError } from '../errors.ts';
import { showPath } from '../folder.ts';
import { readJsonFile } from '../json-file.ts';
import type { Finding } from './finding.ts';

/** How many findings of each code a file has, by its name in the folder: `{ "1_a.up.sql": { "drop-table": 2 } }`. */
type Counts = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** What no baseline takes: the file cannot be run. */
const never: readonly string[] = ['file', 'syntax'];

/** Findings with what a baseline made of them. */
export interface Baselined {
  /** Those that the baseline has are allowed by it. */
  readonly findings: readonly Finding[];
  /** Entries of the baseline that nothing meets any more. */
  readonly gone: number;
}

/**
 * Allows the findings that a baseline counts, so that a finished history is judged by what is added to it.
 *
 * @throws {ConfigFileError} when the file is not there, or is no baseline; exit status 2
 */
export function applyBaseline(path: string, folder: string, findings: readonly Finding[]): Baselined {
  const left = new Map([...readBaseline(path)].map(([file, codes]) => [file, new Map(codes)]));
  const judged = findings.map((finding) => {
    const codes = left.get(nameIn(folder, finding));
    const count = codes?.get(finding.code) ?? 0;
    if (finding.allowed !== undefined || count === 0 || never.includes(finding.code)) return finding;
    codes?.set(finding.code, count - 1);
    return { ...finding, allowed: 'in the baseline' };
  });
  const rest = [...left.values()].flatMap((codes) => [...codes.values()]);
  return { findings: judged, gone: rest.reduce((sum, count) => sum + count, 0) };
}

/** Writes a baseline of the findings that no comment allows, whole or not at all; returns how many it counts. */
export async function writeBaseline(
  path: string,
  folder: string,
  findings: readonly Finding[],
): Promise<number> {
  const counts: Record<string, Record<string, number>> = Object.create(null);
  const counted = findings.filter(({ code, allowed }) => allowed === undefined && !never.includes(code));
  for (const finding of counted) {
    const name = nameIn(folder, finding);
    const codes = counts[name] ?? Object.create(null);
    codes[finding.code] = (codes[finding.code] ?? 0) + 1;
    counts[name] = codes;
  }
  const partial = `${path}.${process.pid}.partial`;
  try {
    await writeFile(partial, `${JSON.stringify(counts, undefined, 2)}\n`, { flag: 'wx' });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigFileError(`the baseline ${showPath(path)} could not be written`, [reason], error);
  }
  return counted.length;
}

function readBaseline(path: string): Counts {
  const file = readJsonFile(path);
  if (file === undefined) {
    throw new ConfigFileError(`there is no baseline ${showPath(path)}`, [
      'validate --write-baseline FILE writes one',
    ]);
  }
  const mistakes: string[] = [];
  const counts = entriesOf(file.value).map(([name, codes]) => {
    const numbers = entriesOf(codes);
    if (typeof codes !== 'object' || numbers.some(([, count]) => !Number.isSafeInteger(count))) {
      mistakes.push(`${file.placeOf(name)}  ${JSON.stringify(name)}: expected a count for each code`);
    }
    return [name, new Map(numbers.map(([code, count]) => [code, Number(count)]))] as const;
  });
  if (typeof file.value !== 'object' || file.value === null || Array.isArray(file.value)) {
    mistakes.push(`${file.name}  expected an object: files, each with its codes and how many there are`);
  }
  if (mistakes.length > 0) throw new ConfigFileError(`${file.name} is no baseline`, mistakes);
  return new Map(counts);
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** `1_a.up.sql`, `staging/2_b.up.sql`: the same from every working directory. */
function nameIn(folder: string, { path }: Finding): string {
  return relative(showPath(folder), path).split(sep).join('/');
}
