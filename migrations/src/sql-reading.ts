import type { Dirent } from 'node:fs';
import { readBytes } from './file-bytes.ts';
import type { FileMistake } from './file-errors.ts';
import { judgeMarkers, type MarkerNote } from './files/directions.ts';
import type { FileWarning } from './files/file-warning.ts';
import type { Direction, SqlFile } from './migration.ts';
import { locate } from './position.ts';
import { mostMistakes } from './split.ts';
import { toSqlFile } from './sql-file.ts';
import { decodeSql } from './sql-text.ts';
import { parseSql } from './statements.ts';

/** What reading a file came to: the file, or every mistake in it; and what is only odd. */
export interface SqlFileReading {
  readonly file: SqlFile | undefined;
  readonly mistakes: readonly FileMistake[];
  readonly warnings: readonly FileWarning[];
}

/**
 * Reads the file `entry` of the folder `root`, a real path.
 *
 * @param path as shown to a person
 */
export function readSqlFile(root: string, entry: Dirent, path: string, direction: Direction): SqlFileReading {
  const wrong = (...mistakes: FileMistake[]): SqlFileReading => ({ file: undefined, mistakes, warnings: [] });
  const bytes = readBytes(root, entry);
  if (typeof bytes === 'string') return wrong({ path, rule: bytes });
  const text = decodeSql(bytes);
  if (typeof text !== 'string') return wrong({ path, ...text });
  const { statements, mistakes: found } = parseSql(text);
  const markers = judgeMarkers(text, direction);
  const noted = <Code>({ offset, ...note }: MarkerNote<Code>) => ({
    path,
    place: locate(text, offset),
    ...note,
  });
  const mistakes = [
    ...markers.mistakes.map(noted),
    ...found.map(({ offset, rule }) => ({ path, place: locate(text, offset), rule })),
    ...(found.length === mostMistakes
      ? [{ path, rule: `may have more; the first ${mostMistakes} are listed` }]
      : []),
  ];
  if (mistakes.length > 0) return wrong(...mistakes);
  const { name } = entry;
  const warnings = markers.warnings.map((note): FileWarning => ({ ...noted(note), name }));
  const empty = statements.length === 0 ? emptyRule(text, direction) : undefined;
  if (empty !== undefined) warnings.push({ path, name, code: 'empty-file', ...empty });
  return { file: toSqlFile(path, text, statements), mistakes: [], warnings };
}

/** A down file of comments says why there is nothing to take back; an up file makes something, or was not finished. */
function emptyRule(text: string, direction: Direction): { rule: string; fix: string } | undefined {
  if (direction === 'up')
    return {
      rule: 'has no statement, and is recorded as applied all the same',
      fix: 'its SQL, before it is applied anywhere',
    };
  // Without a statement there are no quotes that these could stand in.
  const commented = text.includes('--') || text.includes('/*');
  if (commented) return undefined;
  return { rule: 'has no statement and takes nothing back', fix: 'a comment that says why' };
}
