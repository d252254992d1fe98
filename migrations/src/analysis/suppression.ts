import type { SqlFile, Statement } from '../migration.ts';

/**
 * A comment that hushes a rule: `-- lockstep: allow drop-column: nothing reads it since 3.1`, right before the statement it is
 * about; with `allow-file` for the whole file.
 */
export interface Suppression {
  readonly code: string;
  /** Empty when the comment gives none, which is a mistake. */
  readonly reason: string;
  /** In UTF-16 code units of the file. */
  readonly offset: number;
  /** The statement it stands before; undefined: the whole file. */
  readonly statement: Statement | undefined;
}

const pattern =
  /^[ \t]*--[ \t]*lockstep:[ \t]*allow(-file)?\b[ \t]*([^\s:,]*)[ \t]*(?:[:,]|because\b)?[ \t]*(.*)$/gim;

/** Finds them in the comments between the statements. What stands inside of quotes is in no such place. */
export function suppressionsOf({ text, statements }: SqlFile): Suppression[] {
  const found: Suppression[] = [];
  let from = 0;
  for (const statement of [...statements, undefined]) {
    const gap = text.slice(from, statement?.offset ?? text.length);
    for (const { 1: whole, 2: code = '', 3: reason = '', index } of gap.matchAll(pattern)) {
      found.push({
        code: code.toLowerCase(),
        reason: reason.trim(),
        offset: from + index,
        statement: whole === undefined ? statement : undefined,
      });
    }
    if (statement !== undefined) from = statement.offset + statement.text.length;
  }
  return found;
}
