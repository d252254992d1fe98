import { controlOf, spellControl, type TransactionControl } from '../control.ts';
import type { Split, SqlMistake } from '../split.ts';

/** A statement, and what it does to the transactions of its file where that has any of its own. */
export interface Arranged {
  readonly piece: Split;
  readonly control: TransactionControl | undefined;
  /** Which of the server's transactions it is in, from 0. */
  readonly transaction: number;
  /** Whether it stands between a BEGIN and the end of that transaction. */
  readonly enclosed: boolean;
}

/** How the statements of a file make transactions. */
export interface Arrangement {
  /**
   * Whether all of it is one transaction that commits: then the migrator's own takes its place, and of the controls only
   * a BEGIN that asks for something is left.
   */
  readonly single: boolean;
  readonly statements: readonly Arranged[];
  readonly mistakes: readonly SqlMistake[];
}

/**
 * Tells the transactions of a file apart as the server does that is sent the whole file as one simple query, which is
 * how golang-migrate sends it: what stands before a BEGIN belongs to its transaction, and COMMIT ends one that nobody
 * began. https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
 *
 * A transaction that is never ended is committed with the migration. SETs before and after the only transaction do not
 * make it several.
 *
 * @param each whether each statement outside of BEGIN and COMMIT is a transaction of its own
 */
export function arrange(pieces: readonly Split[], { each }: { readonly each: boolean }): Arrangement {
  const statements: Arranged[] = [];
  const mistakes: SqlMistake[] = [];
  let transaction = 0;
  let enclosed = false;
  for (const piece of pieces) {
    const control = controlOf(piece.words);
    if (control?.kind === 'begin') enclosed = true;
    if (control !== undefined && control.kind !== 'begin' && !enclosed) {
      if (control.chain || control.kind === 'prepare') {
        mistakes.push({ offset: piece.start, rule: `${spellControl(piece)} needs a BEGIN before it` });
      }
      // There is nothing to end: Postgres only warns, too.
      if (each || statements.at(-1)?.transaction !== transaction) continue;
    }
    statements.push({ piece, control, transaction, enclosed });
    if (control !== undefined && control.kind !== 'begin') {
      transaction += 1;
      enclosed = control.chain;
    }
  }
  const single = isSingle(statements);
  return { single, statements: single ? withoutControls(statements) : statements, mistakes };
}

function isSingle(statements: readonly Arranged[]): boolean {
  const controls = statements.flatMap(({ control }) => control ?? []);
  if (controls.some(({ kind, chain, modes }) => !isPlain(kind) || chain || modes.includes('read only')))
    return false;
  const working = new Set(
    statements.filter(({ piece, control }) => control === undefined && !isSetting(piece)).map(transactionOf),
  );
  return working.size <= 1;
}

function isPlain(kind: TransactionControl['kind']): boolean {
  return kind === 'begin' || kind === 'commit';
}

function transactionOf({ transaction }: Arranged): number {
  return transaction;
}

/** What outlasts its transaction when that commits, so that it may as well stand in the next. */
function isSetting({ words }: Split): boolean {
  return /^(set (?!local\b|transaction\b|constraints\b)|reset$|show$)/.test(words);
}

function withoutControls(statements: readonly Arranged[]): Arranged[] {
  return statements.filter(({ control }) => control === undefined || control.modes !== '');
}
