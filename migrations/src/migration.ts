import type { TransactionControl } from './control.ts';
import type { Environment } from './strategy.ts';

/** Which way a migration is applied. */
export type Direction = 'up' | 'down';

/** One SQL statement of a file, without its terminating semicolon. */
export interface Statement {
  /**
   * From the first token to the last; comments inside are kept, comments before it are not. Only a BEGIN that asks for
   * an isolation level and has nothing else to do is `set transaction …` here.
   */
  readonly text: string;
  /** Where `text` begins in {@link SqlFile.text}, in UTF-16 code units. */
  readonly offset: number;
  /**
   * Set when Postgres refuses the statement inside a transaction block: the words that say so, as in
   * `CREATE INDEX CONCURRENTLY`; or when its file asks for it. Such a statement runs alone.
   */
  readonly outsideTransaction: string | undefined;
  /** Set where the file has transactions of its own: what this statement does to the one it stands in. */
  readonly control?: TransactionControl;
}

/** One direction of a migration, as read from disk. */
export interface SqlFile {
  /** As shown to a person: relative to the working directory when under it. */
  readonly path: string;
  /** The last segment of `path`. */
  readonly name: string;
  /** Decoded UTF-8 without a byte order mark; line endings as in the file. */
  readonly text: string;
  readonly statements: readonly Statement[];
  /** Of the statements, not the bytes: comments, blank space and line endings do not count. */
  readonly checksum: string;
}

/** The words for which statements of a file run outside a transaction, each once. */
export function wordsOutside({ statements }: SqlFile): string[] {
  return [...new Set(statements.flatMap(({ outsideTransaction }) => outsideTransaction ?? []))];
}

/** How many transactions of its own a file has: what it ends itself. Most have none. */
export function ownTransactions({ statements }: SqlFile): number {
  return statements.filter(({ control }) => control !== undefined && control.kind !== 'begin').length;
}

/** `000007 add_index`; a script of the layout alphabetical has its name alone. */
export function titleOf({ label, description }: Pick<Migration, 'label' | 'description'>): string {
  return description === '' ? label : `${label} ${description}`;
}

/** One version: an up file and, when reversible, a down file. */
export interface Migration {
  readonly version: bigint;
  /** The version as the file name spells it, padding kept: `000007`. */
  readonly label: string;
  /** The words after the version: `add_index`. */
  readonly description: string;
  readonly up: SqlFile;
  readonly down: SqlFile | undefined;
  /** The environment it is for alone, where it lies in the overlay of one. */
  readonly overlay?: Environment;
}
