import { InterruptedError } from '../errors.ts';
import { applicationNameOf, type Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { databaseArgument, startPgTool } from './pg-run.ts';
import { findPgTool } from './pg-tool.ts';
import type { Backup } from './store.ts';
import { dumpFailure, readServerVersion } from './take.ts';

/**
 * Restores a dump into the empty database of `session`, wholly or not at all.
 *
 * @returns what Postgres or pg_restore said when it refused; undefined when it is restored
 * @throws {InterruptedError} or {BackupFailedError} when the deadline passed
 */
export async function restoreInto(
  operation: Operation,
  session: Session,
  { path }: Backup,
  { withoutRoles }: { readonly withoutRoles: boolean },
): Promise<readonly string[] | undefined> {
  const { settings, signal } = operation;
  const { major } = await readServerVersion(session);
  const tool = await findPgTool('pg_restore', major, settings.backups.pgBin);
  const args = [
    '--exit-on-error',
    '--single-transaction',
    '--no-password',
    ...(withoutRoles ? ['--no-owner', '--no-privileges'] : []),
    databaseArgument(session.parameters.database),
    path,
  ];
  const run = startPgTool(tool, args, session.parameters, applicationNameOf(settings));
  run.output.resume();
  signal.addEventListener('abort', run.stop, { once: true });
  try {
    const end = await run.ended;
    if (end.status === 0) return undefined;
    if (signal.aborted || signal.reason instanceof InterruptedError)
      throw dumpFailure(operation, end, 'pg_restore');
    return end.complaint.length > 0 ? end.complaint : ['pg_restore was killed'];
  } finally {
    signal.removeEventListener('abort', run.stop);
  }
}
