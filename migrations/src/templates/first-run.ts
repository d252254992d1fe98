import { DatabaseError } from 'pg';
import { type DatabaseProperties, readProperties } from '../database-properties.ts';
import type { DatabaseState } from '../history.ts';
import { connectMaintenance, leaveOn } from '../maintenance.ts';
import type { Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { isPristine } from './surroundings.ts';
import { type TemplateSource, Templates } from './templates.ts';

/** A copy waits for sessions that came in meanwhile, and keeps others out while it does. */
const longestCopy = 2000;

/** What a database is before its first migration; undefined when somebody has made anything in it already. */
export async function readBeforeFirst(
  session: Session,
  { present }: DatabaseState,
): Promise<DatabaseProperties | undefined> {
  if (present.version || present.history) return undefined;
  const [pristine, properties] = await Promise.all([isPristine(session), readProperties(session)]);
  return pristine && properties.mayCreate && properties.owns ? properties : undefined;
}

/**
 * Keeps the database that was just migrated from nothing as a template, unless somebody is in it already. The server makes the copy
 * while the app that waits for this run is still starting.
 */
export async function keepFirst(operation: Operation, source: TemplateSource): Promise<void> {
  const { database } = source;
  try {
    const maintenance = await connectMaintenance(operation, database);
    try {
      const [row] = await maintenance.query(
        `select exists (select from pg_stat_activity where datname = $1 and backend_type = 'client backend') as used`,
        [database],
      );
      if (row?.['used'] === true) return;
      const texts = await new Templates(operation, maintenance, source).keepingTexts();
      if (texts.length > 0) await leaveOn(maintenance, [`set statement_timeout = ${longestCopy}`, ...texts]);
    } finally {
      await maintenance.close();
    }
  } catch (error) {
    if (error instanceof DatabaseError || !operation.signal.aborted) {
      const reason = error instanceof Error ? error.message : String(error);
      operation.log.debug(`no template was kept: ${reason}`);
      return;
    }
    throw error;
  }
}
