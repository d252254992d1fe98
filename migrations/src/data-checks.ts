import { DatabaseError } from 'pg';
import type { SqlFile } from './migration.ts';
import type { Session } from './session.ts';
import { TokenReader } from './tokens.ts';

/** A question that a migration file asks of the rows: `-- check: select count(*) = 0 from orders where total is null`. */
export interface DataCheck {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly sql: string;
}

/** Finds the checks that a file declares, each on a line of its own; none inside a string or the body of a function. */
export function readChecks({ path, text }: SqlFile): DataCheck[] {
  const strings: [number, number][] = [];
  const reader = new TokenReader(text);
  for (let more = reader.next(); more; more = reader.next()) {
    if (reader.kind === 'string' || reader.kind === 'quoted word') strings.push([reader.start, reader.end]);
  }
  return [...text.matchAll(/^[ \t]*--[ \t]*check:[ \t]*(\S.*?)[ \t;]*\r?$/gim)].flatMap((match) => {
    const inside = strings.some(([start, end]) => match.index >= start && match.index < end);
    const line = text.slice(0, match.index).split('\n').length;
    return inside ? [] : [{ path, line, sql: match[1] ?? '' }];
  });
}

/**
 * Asks each check in a read-only transaction; returns what does not hold, a line each.
 *
 * A check holds when it gives one row of one column, and that is true.
 */
export async function runChecks(session: Session, checks: readonly DataCheck[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const { path, line, sql } of checks) {
    await session.query('begin read only');
    try {
      const rows = await session.query(sql);
      const values = rows.flatMap((row) => Object.values(row));
      if (values.length !== 1) {
        wrong.push(
          `${path}:${line}  the check gave ${rows.length} rows; one row of one column is wanted: ${sql}`,
        );
      } else if (values[0] !== true) {
        wrong.push(`${path}:${line}  the check does not hold: ${sql}`);
      }
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      wrong.push(`${path}:${line}  the check cannot be asked: ${error.message} (${error.code}): ${sql}`);
    } finally {
      await session.query('rollback').catch(() => {});
    }
  }
  return wrong;
}
