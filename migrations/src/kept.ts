import { type DatabaseNames, namesAt } from './database-names.ts';
import type { Operation } from './operation.ts';
import {
  findPrevious,
  newestTime,
  type PreviousDatabases,
  putAside,
  type Reasoned,
  sweepTexts,
} from './recreate/previous.ts';
import type { Session } from './session.ts';
import { isUntouched } from './untouched.ts';

/** Names of this second, or of the first one later than every database beside: the newest name is the newest. */
export async function freeNames(maintenance: Session, database: string): Promise<DatabaseNames> {
  const newest = await newestTime(maintenance, database);
  const next = newest === undefined ? 0 : newest.getTime() + 1000;
  return namesAt(database, new Date(Math.max(Date.now(), next)));
}

/** A recreate that was just done. */
export interface Replacement {
  readonly database: string;
  /** The name that the database it replaced has now. */
  readonly replaced: string;
  /** The history table, quoted for SQL. */
  readonly history: string;
}

/** Which databases are kept, and which are not. */
export interface Keeping extends PreviousDatabases {
  /** What drops the others, and what earlier runs left, as SQL for the server to do in its own time. */
  readonly left: readonly string[];
}

/**
 * Chooses which one of the databases that were replaced is kept; the others are out of reach of undo when this returns.
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
    const previous = await findPrevious(maintenance, database);
    const stays = previous.length > 1 ? await newestChanged(operation, previous, history) : replaced;
    if (stays !== replaced) {
      operation.log.info(`nothing was changed in ${database} since it was recreated: ${stays} stays kept`);
    }
    const kept: Reasoned[] = [];
    const dropped: Reasoned[] = [];
    for (const name of previous) {
      if (name === stays) {
        kept.push({ database: name, why: 'it is the newest that somebody changed' });
        continue;
      }
      const obstacle = await putAside(maintenance, name);
      if (obstacle === undefined) {
        operation.log.info(`dropping ${name}: ${stays} is kept now`);
        dropped.push({ database: name, why: `${stays} is kept now` });
      } else kept.push({ database: name, why: obstacle });
    }
    return { kept, dropped, left: await sweepTexts(maintenance, database) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    operation.log.warn(`older databases of ${database} were not dropped: ${reason}`);
    return { kept: [{ database: replaced, why: 'it was replaced' }], dropped: [], left: [] };
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
