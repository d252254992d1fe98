import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { count } from '@lockstep/foundation';
import type { Folder } from '../folder.ts';
import { printable } from '../printable.ts';

const mostShown = 3;
/** Prisma's and diesel's: a folder for each migration. */
const inFolders: readonly (readonly [file: string, tool: string])[] = [
  ['migration.sql', 'Prisma Migrate'],
  ['up.sql', 'diesel'],
];

/** Says of a folder without a migration which other layouts it looks like, one line each; none when it is like none. */
export function describeOtherLayouts({ root, folders }: Folder, plain: readonly string[]): string[] {
  return [...(plain.length === 0 ? [] : describePlain(plain)), ...describeFolders(root, folders)];
}

function describePlain(names: readonly string[]): string[] {
  const found = `${count(names.length, 'file')} of the layout alphabetical: ${shown(names)}`;
  return [
    `${found} (each runs whole, in the order of names)`,
    'choose it with --layout alphabetical or MIGRATIONS_LAYOUT, or name the files for this one: docs/coming-from.md',
  ];
}

function describeFolders(root: string, folders: readonly string[]): string[] {
  return inFolders.flatMap(([file, tool]) => {
    const found = folders.filter((folder) => /^\d/.test(folder) && existsSync(join(root, folder, file)));
    if (found.length === 0) return [];
    const names = shown(found.map((folder) => `${folder}/${file}`));
    return [
      `${count(found.length, 'folder')} of ${tool}, which are not read: ${names}; see docs/coming-from.md`,
    ];
  });
}

function shown(names: readonly string[]): string {
  const some = names.slice(0, mostShown).map(printable).join(', ');
  return names.length > mostShown ? `${some} and ${names.length - mostShown} more` : some;
}
