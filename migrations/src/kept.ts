import { type DatabaseNames, namesAt } from './database-names.ts';
import { DatabaseRefusedError } from './errors.ts';
import type { Operation } from './operation.ts';
import { type Authorship, type OwnTables, readAuthorship } from './recreate/authorship.ts';
import { chooseKept, type Judged } from './recreate/keep-rule.ts';
import {
  findPrevious,
  newestTime,
  type PreviousDatabases,
  putAside,
  type Reasoned,
  stampOf,
  sweepTexts,
} from './recreate/previous.ts';
import type { Session } from './session.ts';

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
  readonly tables: OwnTables;
}

/** Which databases are kept, and which are not. */
export interface Keeping extends PreviousDatabases {
  /** What drops the others, and what earlier runs left, as SQL for the server to do in its own time. */
  readonly left: readonly string[];
}

/**
 * Chooses which of the databases that were replaced are kept, by {@link chooseKept}; the others are out of the reach of undo when this
 * returns. Never fails: the next recreate tries again.
 */
export async function keepPrevious(
  operation: Operation,
  maintenance: Session,
  { database, replaced, tables }: Replacement,
): Promise<Keeping> {
  const { log } = operation;
  try {
    const judged = await judgeAll(operation, await findPrevious(maintenance, database), tables);
    const chosen = chooseKept(judged);
    const [stays] = chosen.kept;
    if (stays !== undefined && stays.database !== replaced) {
      log.info(`nothing was changed in ${database} since it was recreated: ${stays.database} stays kept`);
    }
    const kept: Reasoned[] = [...chosen.kept];
    const dropped: Reasoned[] = [];
    for (const one of chosen.dropped) {
      const obstacle = await putAside(maintenance, one.database);
      if (obstacle !== undefined) {
        kept.push({ database: one.database, why: obstacle });
        continue;
      }
      log.info(`dropping ${one.database}: ${stays?.database ?? replaced} is kept now`);
      dropped.push(one);
    }
    return { kept, dropped, left: await sweepTexts(maintenance, database) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn(`older databases of ${database} were not dropped: ${reason}`);
    return { kept: [{ database: replaced, why: 'it was replaced' }], dropped: [], left: [] };
  }
}

/** Looks into each of the previous databases. */
export async function judgeAll(
  operation: Operation,
  names: readonly string[],
  tables: OwnTables,
): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const database of names) {
    judged.push({ database, at: stampOf(database), holds: await judge(operation, database, tables) });
  }
  return judged;
}

async function judge(operation: Operation, database: string, tables: OwnTables): Promise<Authorship> {
  try {
    const session = await operation.connect(database);
    return await readAuthorship(session, tables).finally(() => session.close());
  } catch (error) {
    if (error instanceof DatabaseRefusedError) return { kind: 'changed' };
    throw error;
  }
}
