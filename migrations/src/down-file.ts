import { ForbiddenSqlError, IrreversibleError, UnfinishedSqlError } from './file-errors.ts';
import { judgeMarkers } from './files/directions.ts';
import type { SqlFile } from './migration.ts';
import { printable } from './printable.ts';
import { toSqlFile } from './sql-file.ts';
import type { Standing } from './standing.ts';
import { parseStatements } from './statements.ts';

/**
 * The SQL that takes an applied version down: its down file, else the down SQL that the history recorded, shown as
 * `history of 000007_add_index (down)`.
 *
 * @throws {IrreversibleError} when there is neither, or what was recorded cannot be split into statements
 */
export function downFile({ version, label, description, migration, row }: Standing): SqlFile {
  if (migration?.down !== undefined) return migration.down;
  const name = printable(description === '' ? label : `${label}_${description}`);
  // A down file alone would be a mistake of its own.
  const hint = migration === undefined ? `bring back the files of ${name}` : `add ${name}.down.sql`;
  const text = row?.downSql;
  if (text === undefined) {
    const reason = 'it has no down file, and the history holds no down SQL for it';
    throw new IrreversibleError(version, name, reason, hint);
  }
  const [wrong] = judgeMarkers(text, 'down').mistakes;
  if (wrong !== undefined)
    throw new IrreversibleError(version, name, `the down SQL in the history is wrong: ${wrong.rule}`, hint);
  try {
    return toSqlFile(`history of ${name} (down)`, text, parseStatements(text));
  } catch (error) {
    if (!(error instanceof UnfinishedSqlError || error instanceof ForbiddenSqlError)) throw error;
    const reason = `it has no down file, and the down SQL in the history is wrong: ${error.message}`;
    throw new IrreversibleError(version, name, reason, hint, error);
  }
}
