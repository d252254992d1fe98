import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { count } from '@lockstep/foundation';
import { readBytes } from '../file-bytes.ts';
import type { Folder } from '../folder.ts';
import { printable } from '../printable.ts';
import { decodeSql } from '../sql-text.ts';
import { markersOf } from './markers.ts';

const mostShown = 3;
/** Prisma's and diesel's: a folder for each migration. */
const inFolders: readonly (readonly [file: string, tool: string])[] = [
  ['migration.sql', 'Prisma Migrate'],
  ['up.sql', 'diesel'],
];

/**
 * Says of a folder without a migration of the layout versioned which other layouts it looks like, a line each; none when it is
 * like none.
 *
 * @param plain names of numbered files without a direction, in the order of names
 */
export function describeOtherLayouts(folder: Folder, plain: readonly string[]): string[] {
  const layouts = [...describePlain(folder, plain), ...describeFolders(folder)];
  return layouts.length === 0 ? [] : [...layouts, 'docs/coming-from.md says what to do with each'];
}

function describePlain(folder: Folder, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const tool = toolOf(folder, names);
  const found = `${count(names.length, 'file')}: ${shown(names)}`;
  if (tool !== undefined) return [`both directions in one file, as ${tool} has it: ${found}`];
  return [`layout alphabetical (--layout alphabetical runs each whole, by name): ${found}`];
}

/** Whose markers of a way down the files have, by the first ones. */
function toolOf({ root, entries }: Folder, names: readonly string[]): string | undefined {
  for (const entry of entries.filter(({ name }) => names.includes(name)).slice(0, mostShown)) {
    const bytes = readBytes(root, entry);
    const text = typeof bytes === 'string' ? '' : decodeSql(bytes);
    if (typeof text !== 'string') continue;
    const marker = markersOf(text).find(({ kind, certain }) => kind === 'down' && certain);
    if (marker !== undefined) return marker.tool;
  }
  return undefined;
}

function describeFolders({ root, folders }: Folder): string[] {
  return inFolders.flatMap(([file, tool]) => {
    const found = folders.filter((folder) => /^\d/.test(folder) && existsSync(join(root, folder, file)));
    if (found.length === 0) return [];
    const names = shown(found.map((folder) => `${folder}/${file}`));
    return [`a folder for each migration, as ${tool} has it: ${count(found.length, 'folder')}: ${names}`];
  });
}

function shown(names: readonly string[]): string {
  const some = names.slice(0, mostShown).map(printable).join(', ');
  return names.length > mostShown ? `${some} and ${names.length - mostShown} more` : some;
}
