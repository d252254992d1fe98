import type { DatabaseError } from 'pg';
import type { SqlFile, Statement } from './migration.ts';
import { excerpt, locate, offsetOfCharacter } from './position.ts';
import { suspectNames, suspectOffset } from './suspect.ts';

/**
 * Describes an error of Postgres at its place in a file: `file:line:column  message (SQLSTATE)`, the line with a caret,
 * then Postgres' own DETAIL, HINT and CONTEXT. An error without a position points at the one name it can mean, else at
 * the statement's start; one without a statement, such as a deferred constraint at the commit, at the file alone.
 */
export function describeSqlError(
  file: SqlFile,
  statement: Statement | undefined,
  error: DatabaseError,
): string[] {
  const message = `${oneLine(error.message)} (${error.code ?? 'no SQLSTATE'})`;
  if (statement === undefined) return [`${file.path}: at the commit: ${message}`, ...remarks(error)];
  const position = Number(error.position ?? 0);
  const within =
    position > 0
      ? offsetOfCharacter(statement.text, position)
      : (suspectOffset(statement.text, suspectNames(error)) ?? 0);
  const offset = statement.offset + within;
  return [`${placeOf(file, offset)}  ${message}`, ...excerpt(file.text, offset), ...remarks(error)];
}

/** `services-api/migrations/000007_add_index.up.sql:4:12` */
export function placeOf(file: SqlFile, offset: number): string {
  const { line, column } = locate(file.text, offset);
  return `${file.path}:${line}:${column}`;
}

function remarks({ detail, hint, where, internalQuery, internalPosition }: DatabaseError): string[] {
  const lines: string[] = [];
  if (internalQuery !== undefined) {
    const offset = offsetOfCharacter(internalQuery, Number(internalPosition ?? 1));
    lines.push('in a query inside a function:', ...excerpt(internalQuery, offset));
  }
  if (detail !== undefined) lines.push(...labelled('DETAIL', detail));
  if (hint !== undefined) lines.push(...labelled('HINT', hint));
  if (where !== undefined) lines.push(...labelled('CONTEXT', where));
  return lines;
}

/** At most six lines of each: a deep stack of functions would bury the rest. */
function labelled(label: string, text: string): string[] {
  const lines = text.split(/\r\n|[\r\n]/).map(oneLine);
  const shown = lines.slice(0, 6).map((line, index) => (index === 0 ? `${label}: ${line}` : `  ${line}`));
  return lines.length > 6 ? [...shown, `  … ${lines.length - 6} more`] : shown;
}

function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
