import type { DatabaseError } from 'pg';
import type { SqlFile, Statement } from './migration.ts';
import { excerpt, locate, offsetOfCharacter } from './position.ts';
import { findInvisible } from './sql/invisible.ts';
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
  const place = `${placeOf(file, offset)}  ${message}`;
  return [place, ...excerpt(file.text, offset), ...invisibleLines(file, statement, error), ...remarks(error)];
}

/** Names and syntax (42), schemas (3F), and values (22), which may be in strings. */
const ofCharacters = /^(42|3F|22)/;
const mostInvisible = 3;

/** Characters near the error that a person does not see, or takes for others. */
function invisibleLines(file: SqlFile, statement: Statement, error: DatabaseError): string[] {
  const code = error.code ?? '';
  if (!ofCharacters.test(code)) return [];
  const found = findInvisible(statement.text, code.startsWith('22'));
  const lines = found.slice(0, mostInvisible).map(({ offset, name }) => {
    const { line, column } = locate(file.text, statement.offset + offset);
    return `at ${line}:${column} is ${name}`;
  });
  const more = found.length - mostInvisible;
  return more > 0 ? [...lines, `and ${more} more such characters`] : lines;
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
