import type { DatabaseError } from 'pg';
import type { SqlFile, Statement } from '../migration.ts';
import { noTransactionMarker } from './no-transaction.ts';

/** A procedure that commits (2D000), and what Postgres refuses in a transaction and only the catalog knew of (25001). */
export function markerHint(
  { cause, statement }: { readonly cause: DatabaseError; readonly statement: Statement | undefined },
  file: SqlFile,
): string | undefined {
  const { code } = cause;
  const text = statement?.text ?? '';
  const commits = code === '2D000' && /^(call|do)\b/i.test(text);
  // A routine may not run such a statement anywhere, and SET TRANSACTION has the same code for another reason.
  const refused =
    code === '25001' && /^(alter|analyze|cluster|create|drop|refresh|reindex|vacuum)\b/i.test(text);
  if (!commits && !refused) return undefined;
  if (file.statements.some(({ control }) => control !== undefined)) return undefined;
  return `the comment ${noTransactionMarker} in ${file.name} (runs it outside one)`;
}
