import type { Dirent } from 'node:fs';
import { readBytes } from './file-bytes.ts';
import type { FileMistake } from './file-errors.ts';
import type { Direction, SqlFile } from './migration.ts';
import { locate } from './position.ts';
import { mostMistakes } from './split.ts';
import { toSqlFile } from './sql-file.ts';
import { decodeSql } from './sql-text.ts';
import { parseSql } from './statements.ts';

/** What reading a file came to: the file, or every mistake in it. */
export interface SqlFileReading {
  readonly file: SqlFile | undefined;
  readonly mistakes: readonly Omit<FileMistake, 'path'>[];
}

/**
 * Reads the file `entry` of the folder `root`, a real path.
 *
 * @param path as shown to a person
 */
export function readSqlFile(root: string, entry: Dirent, path: string, direction: Direction): SqlFileReading {
  const bytes = readBytes(root, entry);
  if (typeof bytes === 'string') return { file: undefined, mistakes: [{ rule: bytes }] };
  const text = decodeSql(bytes);
  if (typeof text !== 'string') return { file: undefined, mistakes: [text] };
  const { statements, mistakes: found } = parseSql(text);
  const empty = found.length === 0 && statements.length === 0 ? emptyRule(text, direction) : undefined;
  const mistakes = [
    ...found.map(({ offset, rule }) => ({ place: locate(text, offset), rule })),
    ...(found.length === mostMistakes
      ? [{ rule: `may have more; the first ${mostMistakes} are listed` }]
      : []),
    ...(empty === undefined ? [] : [{ rule: empty }]),
  ];
  return { file: mistakes.length === 0 ? toSqlFile(path, text, statements) : undefined, mistakes };
}

/** A migration may have nothing to take back, but then its down file says so. */
function emptyRule(text: string, direction: Direction): string | undefined {
  if (direction === 'up') return 'has no statement';
  // Without a statement there are no quotes that these could stand in.
  const commented = text.includes('--') || text.includes('/*');
  return commented ? undefined : 'has no statement; say in a comment why there is nothing to take back';
}
