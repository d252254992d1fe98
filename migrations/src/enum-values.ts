import type { Split } from './split.ts';
import { TokenReader } from './tokens.ts';

/**
 * Finds each `ALTER TYPE … ADD VALUE` that must commit before the rest of its file runs, because a later statement
 * spells the new value.
 *
 * Postgres 12 and newer add a value inside a transaction but refuse to use it there (SQLSTATE 55P04, notes of
 * https://www.postgresql.org/docs/current/sql-altertype.html). To run the statement alone costs the file its
 * atomicity, so only a file that spells the value pays that price. A second ADD VALUE that names the value as its
 * neighbour does not use it.
 */
export function valuesUsedLater(text: string, pieces: readonly Split[]): ReadonlySet<Split> {
  const additions = pieces.filter(addsValue);
  if (additions.length === 0) return new Set();
  const uses = lastUses(text, pieces);
  return new Set(
    additions.filter(({ start, end }) => (uses.get(addedLabel(text.slice(start, end))) ?? -1) > end),
  );
}

function addsValue({ words }: Split): boolean {
  return /^alter type .+? add value\b/.test(words);
}

/** The new label without its quotes. */
function addedLabel(statement: string): string {
  const reader = new TokenReader(statement);
  while (reader.next()) {
    if (reader.kind === 'string') return reader.spelling().slice(1, -1);
  }
  return '';
}

/**
 * Where each short text between two quotes stands last. Not by tokens: the value may be spelled inside a dollar quote
 * or a string that is executed. One pass, so that a file of nothing but enum values stays linear.
 */
function lastUses(text: string, pieces: readonly Split[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const piece of pieces) {
    if (addsValue(piece)) continue;
    // A label has at most 63 bytes. The closing quote is only looked at: it may open the next text.
    for (const found of text.slice(piece.start, piece.end).matchAll(/'([^']{1,63})(?=')/g)) {
      uses.set(found[1] ?? '', piece.start + found.index);
    }
  }
  return uses;
}
