import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nearest } from '@lockstep/foundation';
import { showPath } from '../folder.ts';
import { decodeSql } from '../sql-text.ts';
import { CreateRefusedError } from './errors.ts';
import { Names, requireDescription } from './names.ts';
import { fill, type Template, type TemplateText } from './template.ts';
import { createTypes, type Given } from './types.ts';
import { nextLabel, takenVersions } from './versions.ts';
import { makeFolder, type NewPair, type WrittenPair, writePair } from './write-pair.ts';

/** What to create. */
export interface CreateRequest {
  readonly folder: string;
  readonly description: string;
  readonly type: string;
  readonly given: Given;
  readonly timestamp: boolean;
  readonly dryRun: boolean;
  /** `services-api@000011`, of other services. */
  readonly needs: readonly string[];
}

/** What was written, or would be. */
export interface Created extends WrittenPair {
  readonly upText: string;
  readonly downText: string;
}

/**
 * Writes the pairs of a type under the next versions of the folder.
 *
 * @throws {CreateRefusedError} exit status 2 for what was asked, 3 for what the folder does not allow
 */
export async function create(request: CreateRequest): Promise<Created[]> {
  const { folder, timestamp, dryRun, needs } = request;
  const pairs = await pairsOf(request);
  const { addNeeds, parseNeeds, readDependencyFile } = await import('../dependencies/dependency-file.ts');
  const parsed = parseNeeds(needs);
  // A file that is wrong ends it before anything is written.
  if (parsed.length > 0) readDependencyFile(folder);
  if (!dryRun) await makeFolder(folder);
  const created: Created[] = [];
  const taken = await takenVersions(folder);
  let highest = taken.highest;
  for (const pair of pairs) {
    const texts = { upText: pair.up, downText: pair.down };
    if (dryRun) {
      const label = nextLabel({ ...taken, highest }, timestamp, new Date());
      highest = BigInt(label);
      const path = (direction: string) => join(folder, `${label}_${pair.description}.${direction}.sql`);
      created.push({ label, up: path('up'), down: path('down'), ...texts });
    } else created.push({ ...(await writePair(folder, pair, timestamp)), ...texts });
  }
  const [first] = created;
  if (!dryRun && first !== undefined && parsed.length > 0) await addNeeds(folder, first.label, parsed);
  return created;
}

async function pairsOf({ folder, description, type, given }: CreateRequest): Promise<NewPair[]> {
  const kind = createTypes[type];
  if (kind === undefined || !Object.hasOwn(createTypes, type)) {
    const meant = nearest(type, Object.keys(createTypes));
    throw new CreateRefusedError(
      `--type: unknown ${JSON.stringify(type)}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      [`known are ${Object.keys(createTypes).join(', ')}`],
    );
  }
  const words = requireDescription(description);
  const lacking = kind.needs.filter((name) => given[name] === undefined);
  if (lacking.length > 0)
    throw new CreateRefusedError(`--type ${type} needs ${lacking.map((name) => `--${name}`).join(' and ')}`);
  const purpose = `${words.charAt(0).toUpperCase()}${words.slice(1).replaceAll('_', ' ')}.`;
  const values = { purpose, description: words, ...kind.values(given, await Names.load(), words) };
  const pairs: NewPair[] = [];
  for (const template of kind.templates(given)) {
    pairs.push({
      description: `${words}${template.suffix}`,
      up: fill(await textOf(folder, template, 'up'), values),
      down: fill(await textOf(folder, template, 'down'), values),
    });
  }
  return pairs;
}

/** The service's own template, where there is one. */
async function textOf(folder: string, template: Template, direction: 'up' | 'down'): Promise<TemplateText> {
  const name = `${template.name}.${direction}.sql`;
  const path = join(folder, 'templates', name);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code)))
      return { text: template[direction], path: name };
    throw new CreateRefusedError(
      `the template ${showPath(path)} cannot be read`,
      [error instanceof Error ? error.message : String(error)],
      3,
      error,
    );
  }
  const text = decodeSql(bytes);
  if (typeof text === 'string') return { text, path: showPath(path) };
  throw new CreateRefusedError(
    `the template ${showPath(path)} cannot be read`,
    [`${text.place.line}:${text.place.column}  ${text.rule}`],
    3,
  );
}
