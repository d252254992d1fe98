import { valuesUsedLater } from './enum-values.ts';
import { ForbiddenSqlError, UnfinishedSqlError } from './file-errors.ts';
import type { Statement } from './migration.ts';
import { mostMistakes, type Split, type SqlMistake, split } from './split.ts';
import { endsTransaction } from './sql/do-body.ts';
import { askedByFile, asksForNoTransaction } from './sql/no-transaction.ts';
import { type Arranged, arrange } from './sql/transactions.ts';
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
 * A migration runs in a transaction of its own. So a text that is one transaction already, as many are written for
 * golang-migrate, loses its BEGIN and COMMIT; one of several keeps them, as statements with a `control`. Savepoints are
 * free to use.
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
  const each = asksForNoTransaction(text);
  const { single, statements: arranged, mistakes: misplaced } = arrange(pieces, { each });
  const report = (mistake: SqlMistake) => {
    if (mistakes.length < 2 * mostMistakes) mistakes.push(mistake);
  };
  for (const mistake of misplaced) report(mistake);
  const alone = usedInTheirTransaction(text, arranged);
  const statements = arranged.map(({ piece, control, enclosed }): Statement => {
    const { start, end, words } = piece;
    const written = text.slice(start, end);
    if (control !== undefined) {
      const offset = start;
      return single
        ? { text: `set transaction ${control.modes}`, offset, outsideTransaction: undefined }
        : { text: written, offset, outsideTransaction: undefined, control };
    }
    const refused = alone.has(piece) ? 'ALTER TYPE … ADD VALUE' : refusedInTransaction(words, written);
    const rule = contentRule(words, written) ?? (enclosed ? enclosedRule(refused) : undefined);
    if (rule !== undefined) report({ offset: start, rule });
    const outside = refused ?? (each && !enclosed ? askedByFile : undefined);
    return { text: written, offset: start, outsideTransaction: outside };
  });
  return { statements, mistakes: mistakes.sort((a, b) => a.offset - b.offset).slice(0, mostMistakes) };
}

/** Each ADD VALUE whose value is used in the same transaction; what another transaction uses is there by then. */
function usedInTheirTransaction(text: string, arranged: readonly Arranged[]): ReadonlySet<Split> {
  const transactions = new Map<number, Split[]>();
  for (const { piece, transaction } of arranged) {
    const others = transactions.get(transaction);
    if (others === undefined) transactions.set(transaction, [piece]);
    else others.push(piece);
  }
  return new Set([...transactions.values()].flatMap((pieces) => [...valuesUsedLater(text, pieces)]));
}

function refusedInTransaction(words: string, statement: string): string | undefined {
  return words === 'do' ? endsTransaction(statement) : outsideTransaction(words);
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

function enclosedRule(outside: string | undefined): string | undefined {
  return outside === undefined
    ? undefined
    : `${outside} cannot run between BEGIN and COMMIT: take these two out of the file`;
}
