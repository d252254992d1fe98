import { basename } from 'node:path';
import { projectName } from '../env-file.ts';
import type { Project } from '../project.ts';
import { fillTree } from './fill.ts';
import type { Lookup } from './interpolate.ts';
import { Mistakes } from './mistakes.ts';
import type { Parsed } from './model.ts';

/**
 * What Compose calls the project: COMPOSE_PROJECT_NAME, else the last `name` in the files, else the folder; of the last
 * two only lowercase letters, digits, `-` and `_` remain (compose-go, `NormalizeProjectName`). The name that the stack
 * itself makes up for COMPOSE_PROJECT_NAME yields to one in the files: volumes of that name may be there.
 */
export function stackName(
  { root, directory }: Project,
  parsed: Parsed,
  lookup: Lookup,
  mistakes: Mistakes,
): string {
  const rule = 'lowercase letters, digits, - and _, beginning with a letter or digit';
  const named = [...parsed.values()].flat().flatMap((document) => {
    const value = document.entries.get('name');
    return value === undefined ? [] : [value];
  });
  const last = named.at(-1);
  // What is wrong with its variables is noted when the whole document is filled in.
  const filled = last === undefined ? undefined : fillTree(last, lookup, new Mistakes());
  const isName = filled === undefined || (filled.kind === 'scalar' && filled.type === 'string');
  if (!isName) mistakes.add(filled.place, 'name: expected a string');
  const given = lookup('COMPOSE_PROJECT_NAME') ?? '';
  const isOwn = given === projectName(root) && hasOwnName(parsed);
  if (given !== '' && !isOwn) {
    const [document] = [...parsed.values()].flat();
    const place = last?.place ?? document?.place;
    if (normalised(given) !== given && place !== undefined)
      mistakes.add(place, `name: expected ${rule}, got "${given}" from COMPOSE_PROJECT_NAME`);
    return given;
  }
  const text = filled?.kind === 'scalar' ? normalised(filled.text) : '';
  return text || normalised(basename(directory)) || 'lockstep';
}

/** Whether the files name the stack themselves, and not by COMPOSE_PROJECT_NAME: then `.env` needs no name for it. */
export function hasOwnName(parsed: Parsed): boolean {
  return [...parsed.values()].flat().some((document) => {
    const name = document.entries.get('name');
    return name?.kind === 'scalar' && name.text !== '' && !name.raw.includes('COMPOSE_PROJECT_NAME');
  });
}

function normalised(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^-_a-z0-9]/g, '')
    .replace(/^[-_]+/, '');
}
