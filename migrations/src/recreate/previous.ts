import { DatabaseError } from 'pg';
import { escapePattern, goneName, gonePattern, keptPattern, timeIn } from '../database-names.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { dropText, findByUse } from '../maintenance.ts';
import type { Session } from '../session.ts';

/** A previous database, and why it is kept, or is not. */
export interface Reasoned {
  readonly database: string;
  readonly why: string;
}

/** What became of the databases that recreates and undos set aside. */
export interface PreviousDatabases {
  /** Newest first. */
  readonly kept: readonly Reasoned[];
  readonly dropped: readonly Reasoned[];
}

/** The previous databases that can be brought back, newest first: no invalid one, none that is closed to connections. */
export async function findPrevious(maintenance: Session, database: string): Promise<string[]> {
  const { usable } = await findByUse(maintenance, keptPattern(database));
  return usable.filter((name) => timeIn(name) !== undefined);
}

/** The time in the name of a previous database, as it stands there: `20250102T030405`. */
export function stampOf(name: string): string {
  return name.slice(-'20250102T030405'.length);
}

/** The newest time in a name beside `database`, whoever owns what has it. */
export async function newestTime(maintenance: Session, database: string): Promise<Date | undefined> {
  const rows = await maintenance.query('select datname from pg_database where datname ~ $1', [
    `^${escapePattern(database)}__(before|gone|new)_`,
  ]);
  return rows
    .map(({ datname }) => timeIn(String(datname)))
    .filter((time) => time !== undefined)
    .sort((a, b) => a.getTime() - b.getTime())
    .at(-1);
}

/**
 * What drops all that is left over of previous databases: those that are to go ({@link putAside}), and those that an interrupted
 * DROP DATABASE left, which are good for nothing else.
 */
export async function sweepTexts(maintenance: Session, database: string): Promise<string[]> {
  const gone = await findByUse(maintenance, gonePattern(database));
  const { invalid } = await findByUse(maintenance, keptPattern(database));
  return [...gone.usable, ...gone.invalid, ...invalid].map(dropText);
}

/**
 * Takes a previous database out of reach of undo, by a rename; {@link sweepTexts} drops it. Returns why not, when somebody is in it
 * or Postgres refuses: then it stays as it is.
 */
export async function putAside(maintenance: Session, name: string): Promise<string | undefined> {
  const [row] = await maintenance.query(
    `select count(*)::int as sessions from pg_stat_activity
     where datname = $1 and usesysid is not null
       and (usename <> current_user or application_name <> current_setting('application_name'))`,
    [name],
  );
  if (Number(row?.['sessions']) > 0) return 'somebody is in it';
  try {
    await maintenance.query(
      `alter database ${quoteIdentifier(name)} rename to ${quoteIdentifier(goneName(name))}`,
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return `${error.message} (${error.code})`;
  }
}
