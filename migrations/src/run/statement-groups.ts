import type { Statement } from '../migration.ts';
import { askedByFile } from '../sql/no-transaction.ts';

/** Statements of a file that share a transaction, or one that stands alone, outside of any. */
export interface StatementGroup {
  /** Those that begin and end it included. */
  readonly statements: readonly Statement[];
  /** The statement that runs outside of any transaction. */
  readonly alone: Statement | undefined;
  /** What the file ends the transaction by; undefined where the migrator commits. */
  readonly end: Statement | undefined;
  readonly isReadOnly: boolean;
  /** Whether nothing of it remains, because the file rolls it back. */
  readonly isTakenBack: boolean;
  /** Whether a record cannot stand in it: it is rolled back, prepared for later, or read only. */
  readonly isRecordedApart: boolean;
}

/** Takes the statements of a file apart: neighbours share a transaction as far as the file lets them. */
export function groupStatements(statements: readonly Statement[]): StatementGroup[] {
  const groups: StatementGroup[] = [];
  let open: Statement[] = [];
  let chained = false;
  const close = (end?: Statement) => {
    if (open.length > 0) {
      const isReadOnly = open.some(asksForReadOnly) || (chained && groups.at(-1)?.isReadOnly === true);
      groups.push(toGroup(open, end, isReadOnly));
    }
    chained = end?.control?.chain === true;
    open = [];
  };
  for (const statement of statements) {
    const { outsideTransaction, control } = statement;
    if (outsideTransaction !== undefined) {
      close();
      groups.push({
        statements: [statement],
        alone: statement,
        end: undefined,
        isReadOnly: false,
        isTakenBack: false,
        isRecordedApart: true,
      });
      continue;
    }
    open.push(statement);
    if (control !== undefined && control.kind !== 'begin') close(statement);
  }
  close();
  return groups;
}

function toGroup(
  statements: readonly Statement[],
  end: Statement | undefined,
  isReadOnly: boolean,
): StatementGroup {
  const kind = end?.control?.kind;
  return {
    statements,
    alone: undefined,
    end,
    isReadOnly,
    isTakenBack: kind === 'rollback' || isReadOnly,
    isRecordedApart: kind === 'rollback' || kind === 'prepare' || isReadOnly,
  };
}

function asksForReadOnly({ control }: Statement): boolean {
  return control?.modes.includes('read only') === true;
}

/**
 * Whether a statement that runs alone is one transaction all the same, of which nothing remains when it fails. A CALL and a
 * DO may commit on their way, as REINDEX and its like do.
 */
export function isWhole({ outsideTransaction, text }: Statement): boolean {
  const isOrdinary =
    outsideTransaction === askedByFile || outsideTransaction?.startsWith('ALTER TYPE') === true;
  return isOrdinary && !/^(call|do|reindex|cluster)\b/i.test(text);
}
