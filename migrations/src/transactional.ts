import type { TokenReader } from './tokens.ts';

/**
 * What Postgres refuses inside a transaction block (SQLSTATE 25001), by the leading words of a statement.
 *
 * Source: the notes "cannot be executed inside a transaction block" on the reference page of each command
 * (https://www.postgresql.org/docs/current/sql-commands.html), and the callers of `PreventInTransactionBlock` in the
 * server's source. REFRESH MATERIALIZED VIEW CONCURRENTLY is not one of them.
 */
const refused: readonly (readonly [RegExp, string])[] = [
  [/^create (unique )?index concurrently\b/, 'CREATE INDEX CONCURRENTLY'],
  [/^drop index concurrently\b/, 'DROP INDEX CONCURRENTLY'],
  [/^reindex (\( [^)]*\) )?(index|table) concurrently\b/, 'REINDEX CONCURRENTLY'],
  [/^reindex \( ([^)]* , )?concurrently( (true|on|1|''))? [,)]/, 'REINDEX CONCURRENTLY'],
  [/^reindex (\( [^)]*\) )?schema\b/, 'REINDEX SCHEMA'],
  [/^reindex (\( [^)]*\) )?database\b/, 'REINDEX DATABASE'],
  [/^reindex (\( [^)]*\) )?system\b/, 'REINDEX SYSTEM'],
  [/^vacuum\b/, 'VACUUM'],
  // Only without a table; a table's own CLUSTER is transactional.
  [/^cluster( verbose| \( [^)]*\))?$/, 'CLUSTER of every table'],
  [/^commit prepared\b/, 'COMMIT PREPARED'],
  [/^rollback prepared\b/, 'ROLLBACK PREPARED'],
  [/^create database\b/, 'CREATE DATABASE'],
  [/^drop database\b/, 'DROP DATABASE'],
  [/^alter database \S+ (set |with )?tablespace\b/, 'ALTER DATABASE … SET TABLESPACE'],
  [/^create tablespace\b/, 'CREATE TABLESPACE'],
  [/^drop tablespace\b/, 'DROP TABLESPACE'],
  [/^alter system\b/, 'ALTER SYSTEM'],
  [/^alter table .* detach partition .* concurrently$/, 'DETACH PARTITION CONCURRENTLY'],
  // Allowed when they touch no replication slot, which their options and the server's state decide; alone they
  // always run.
  [/^create subscription\b/, 'CREATE SUBSCRIPTION'],
  [/^drop subscription\b/, 'DROP SUBSCRIPTION'],
  [/^alter subscription \S+ refresh\b/, 'ALTER SUBSCRIPTION … REFRESH'],
  [/^alter subscription \S+ (set|add|drop) publication\b/, 'ALTER SUBSCRIPTION … PUBLICATION'],
  [/^alter subscription \S+ set \( ([^)]* , )?failover\b/, 'ALTER SUBSCRIPTION … SET (failover)'],
  [/^alter subscription \S+ set \( ([^)]* , )?two_phase\b/, 'ALTER SUBSCRIPTION … SET (two_phase)'],
];

/**
 * Names the words for which Postgres refuses a statement inside a transaction block; undefined when it does not.
 *
 * What only the catalog can tell is not seen here: REINDEX or CLUSTER of a partitioned table (run/partitioned.ts), and a
 * CALL of a procedure that commits. Postgres refuses those inside the migration's transaction, which then leaves nothing
 * behind. What a DO does is in its body (sql/do-body.ts).
 *
 * @param words the statement's leading words, as {@link LeadingWords} spells them
 */
export function outsideTransaction(words: string): string | undefined {
  return refused.find(([pattern]) => pattern.test(words))?.[1];
}

/** Most words that any rule looks at; the longest is ALTER TABLE … DETACH PARTITION … CONCURRENTLY. */
const longestLead = 32;

/** First words of the statements that some rule is about; of any other statement one word is kept. */
const leads = new Set(
  'abort alter begin cluster commit copy create discard drop end prepare reindex release rollback savepoint set start vacuum'.split(
    ' ',
  ),
);

/**
 * Collects the words a statement begins with: unquoted ones in lower case, quoted ones with their quotes, constants
 * as `''`, all joined by one space. So no rule is met by what stands inside quotes.
 */
export class LeadingWords {
  readonly #words: string[] = [];
  #full = false;

  add(reader: TokenReader): void {
    if (this.#full) return;
    if (reader.kind === 'string') this.#words.push("''");
    else this.#words.push(reader.spelling().replace(/\s/g, '_'));
    this.#full = this.#words.length >= longestLead || !leads.has(this.#words[0] ?? '');
  }

  get first(): string | undefined {
    return this.#words[0];
  }

  /** The words so far. */
  text(): string {
    return this.#words.join(' ');
  }
}
