import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { MigrationFailedError } from '../errors.ts';
import { showPath } from '../folder.ts';
import type { TableName } from '../identifiers.ts';
import type { SqlFile } from '../migration.ts';
import type { Operation } from '../operation.ts';
import { locate } from '../position.ts';
import type { Session } from '../session.ts';
import { toSqlFile } from '../sql-file.ts';
import { decodeSql } from '../sql-text.ts';
import { parseSql } from '../statements.ts';
import { runInScratch } from './build-schema.ts';
import { SpecificationError } from './errors.ts';

const largestFile = 64 * 1024 * 1024;

/**
 * Reads the file that says what a schema must be: SQL, or Markdown (`.md`), of which the fenced blocks marked `sql` count.
 *
 * @throws {SpecificationError} with every mistake and its place; exit status 3
 */
export async function readSpecification(path: string): Promise<SqlFile> {
  const shown = showPath(path);
  const decoded = decodeSql(await readBytes(path, shown));
  if (typeof decoded !== 'string') {
    const { line, column } = decoded.place;
    throw new SpecificationError(`${shown} cannot be read`, [`${shown}:${line}:${column}  ${decoded.rule}`]);
  }
  const sql = /\.(md|markdown)$/i.test(path) ? onlyBlocks(decoded) : decoded;
  const { statements, mistakes } = parseSql(sql);
  if (mistakes.length > 0) {
    const lines = mistakes.map(({ offset, rule }) => {
      const { line, column } = locate(decoded, offset);
      return `${shown}:${line}:${column}  ${rule}`;
    });
    throw new SpecificationError(`${shown} cannot be read as SQL`, lines);
  }
  if (statements.length === 0) {
    throw new SpecificationError(`${shown} says nothing`, [
      'it has no statement; in Markdown, blocks marked ```sql count',
    ]);
  }
  return toSqlFile(shown, decoded, statements);
}

/** Runs a specification in an empty scratch database. */
export async function applySpecification(
  operation: Operation,
  session: Session,
  table: TableName,
  file: SqlFile,
): Promise<void> {
  const step = {
    direction: 'up',
    version: 1n,
    label: file.name,
    description: '',
    file,
    resultVersion: 1n,
  } as const;
  try {
    await runInScratch(operation, session, table, { steps: [step], migrations: [], from: undefined });
  } catch (error) {
    if (!(error instanceof MigrationFailedError)) throw error;
    throw new SpecificationError(`Postgres does not accept ${file.path}`, error.evidence, error);
  }
}

async function readBytes(path: string, shown: string): Promise<Buffer> {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new SpecificationError(`${shown} is no file`, []);
    if (stat.size > largestFile) throw new SpecificationError(`${shown} is over 64 MiB`, []);
    return await readFile(path);
  } catch (error) {
    if (error instanceof SpecificationError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SpecificationError(`${shown} cannot be read`, [reason], error);
  }
}

/** Blanks out what is no SQL block, so that every place in the rest stays what it is in the file. */
function onlyBlocks(markdown: string): string {
  let fence: string | undefined;
  let counts = false;
  return markdown.replace(/[^\r\n]*(?:\r\n|[\r\n]|$)/g, (line) => {
    const mark = /^ {0,3}(`{3,}|~{3,})\s*([A-Za-z]*)/.exec(line);
    if (fence === undefined) {
      if (mark?.[1] !== undefined) {
        fence = mark[1];
        counts = mark[2]?.toLowerCase() === 'sql';
      }
      return blank(line);
    }
    if (mark?.[1]?.startsWith(fence) === true && /^ {0,3}[`~]+\s*$/.test(line)) {
      fence = undefined;
      return blank(line);
    }
    return counts ? line : blank(line);
  });
}

function blank(line: string): string {
  return line.replace(/[^\r\n]/g, ' ');
}
