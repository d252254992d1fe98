import { controlRule, unwrap } from './control.ts';
import { valuesUsedLater } from './enum-values.ts';
import { ForbiddenSqlError, UnfinishedSqlError } from './file-errors.ts';
import type { Statement } from './migration.ts';
import { mostMistakes, type SqlMistake, split } from './split.ts';
import { outsideTransaction } from './transactional.ts';

/** The statements of an SQL text, and every rule it breaks; only without mistakes are the statements all there. */
export interface ParsedSql {
  readonly statements: readonly Statement[];
  /** Ascending by offset; the first {@link mostMistakes} of them. */
  readonly mistakes: readonly SqlMistake[];
}

/**
 * Splits SQL text into its statements.
 *
 * A migration runs in a transaction of its own. So a text wholly wrapped in BEGIN and COMMIT, as many are written for
 * golang-migrate, loses these two; any other transaction control is a mistake; savepoints are free to use.
 *
 * @throws {UnfinishedSqlError} when a quote or comment is never closed
 * @throws {ForbiddenSqlError} for the first other rule broken; {@link parseSql} finds them all
 */
export function parseStatements(text: string): Statement[] {
  const { statements, mistakes } = parseSql(text);
  const [first] = mistakes;
  if (first === undefined) return [...statements];
  if (first.unfinished !== undefined) throw new UnfinishedSqlError(first.offset, first.unfinished);
  throw new ForbiddenSqlError(first.offset, first.rule);
}

/** Splits SQL text as {@link parseStatements} does, but collects every mistake instead of throwing the first. */
export function parseSql(text: string): ParsedSql {
  const { pieces, mistakes } = split(text);
  const { inner, wrapped } = unwrap(pieces);
  const alone = valuesUsedLater(text, inner);
  const statements = inner.map((piece, index): Statement => {
    const { start, end, words } = piece;
    const outside = alone.has(piece) ? 'ALTER TYPE … ADD VALUE' : outsideTransaction(words);
    const place = { first: index === 0, last: index === inner.length - 1 };
    const rule =
      controlRule(words, place) ??
      contentRule(words, text.slice(start, end)) ??
      (wrapped ? wrapRule(outside) : undefined);
    if (rule !== undefined && mistakes.length < 2 * mostMistakes) mistakes.push({ offset: start, rule });
    return { text: text.slice(start, end), offset: start, outsideTransaction: outside };
  });
  return { statements, mistakes: mistakes.sort((a, b) => a.offset - b.offset).slice(0, mostMistakes) };
}

/** What a statement may not be, wherever it stands. */
function contentRule(words: string, statement: string): string | undefined {
  // Postgres takes STDIN and STDOUT for each other.
  if (/^copy\b.* to std(in|out)\b/.test(words)) return 'COPY TO STDOUT has no output here';
  if (/^set (session |local )?standard_conforming_strings (=|to) (off|false|0)\b/.test(words)) {
    return 'standard_conforming_strings must stay on: statements are told apart by its rules';
  }
  if (
    /^set (session |local )?(client_encoding (=|to)|names)/.test(words) &&
    !/utf-?8|unicode/i.test(statement)
  ) {
    return 'client_encoding must stay UTF8: the files are, and Postgres would read other letters out of them';
  }
  if (words === 'discard all')
    return 'DISCARD ALL is not allowed here: it would let go of the migration lock';
  return undefined;
}

function wrapRule(outside: string | undefined): string | undefined {
  return outside === undefined
    ? undefined
    : `${outside} cannot run between BEGIN and COMMIT: take these two out of the file`;
}
