import { type DatabaseNames, keptPattern, namesAt } from './database-names.ts';
import { findDatabases } from './maintenance.ts';
import type { Operation } from './operation.ts';
import type { Session } from './session.ts';
import { isUntouched } from './untouched.ts';

/** Names of this second, or of the first one later than every database that is kept: the newest name is the newest. */
export async function freeNames(maintenance: Session, database: string): Promise<DatabaseNames> {
  const [newest = ''] = await findDatabases(maintenance, keptPattern(database));
  for (let at = Date.now(); ; at += 1000) {
    const names = namesAt(database, new Date(at));
    if (names.kept > newest) return names;
  }
}

/** A recreate that was just done. */
export interface Replacement {
  readonly database: string;
  /** The name that the database it replaced has now. */
  readonly replaced: string;
  /** The history table, quoted for SQL. */
  readonly history: string;
}

/** Which database is kept, and which are not. */
export interface Keeping {
  readonly stays: string;
  readonly others: readonly string[];
}

/**
 * Chooses which one of the databases that were replaced is kept; the others are to be dropped.
 *
 * The newest is kept, but passed over when it is itself what a recreate made and nobody changed since: so a file edited
 * twice in a row does not cost the rows. Never fails: the next recreate tries again.
 */
export async function keepOne(
  operation: Operation,
  maintenance: Session,
  { database, replaced, history }: Replacement,
): Promise<Keeping> {
  try {
    // Newest first; `replaced` is the newest.
    const kept = await findDatabases(maintenance, keptPattern(database));
    const stays = kept.length > 1 ? await newestChanged(operation, kept, history) : replaced;
    if (stays !== replaced) {
      operation.log.info(`nothing was changed in ${database} since it was recreated: ${stays} stays kept`);
    }
    const others = kept.filter((name) => name !== stays);
    for (const other of others) operation.log.info(`dropping ${other}: ${stays} is kept now`);
    return { stays, others };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    operation.log.warn(`older databases of ${database} were not dropped: ${reason}`);
    return { stays: replaced, others: [] };
  }
}

/** When nobody changed any of them, the oldest. */
async function newestChanged(
  operation: Operation,
  kept: readonly string[],
  history: string,
): Promise<string> {
  for (const name of kept.slice(0, -1)) {
    const session = await operation.connect(name);
    if (!(await isUntouched(session, history).finally(() => session.close()))) return name;
  }
  return kept.at(-1) ?? '';
}
