import { rm, writeFile } from 'node:fs/promises';
import { InterruptedError } from '../errors.ts';
import { applicationNameOf, type Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { databaseArgument, startPgTool } from './pg-run.ts';
import { findPgTool, type PgTool } from './pg-tool.ts';
import { everything, type Reach, withoutSuperuserOnly } from './reach.ts';
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
  { withoutRoles, reach = everything }: { readonly withoutRoles: boolean; readonly reach?: Reach },
): Promise<readonly string[] | undefined> {
  const { settings, signal } = operation;
  const { major } = await readServerVersion(session);
  const tool = await findPgTool('pg_restore', major, settings.backups.pgBin);
  const list =
    reach.superuserOnly.length === 0 ? undefined : await writeList(operation, session, tool, path, reach);
  const args = [
    '--exit-on-error',
    '--single-transaction',
    '--no-password',
    ...(withoutRoles ? ['--no-owner', '--no-privileges'] : []),
    ...(list === undefined ? [] : [`--use-list=${list}`]),
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
    if (list !== undefined) await rm(list, { force: true });
  }
}

/** Writes beside the dump which of its contents this role can restore. */
async function writeList(
  operation: Operation,
  session: Session,
  tool: PgTool,
  path: string,
  reach: Reach,
): Promise<string> {
  const run = startPgTool(tool, ['--list', path], session.parameters, applicationNameOf(operation.settings));
  const chunks: Buffer[] = [];
  for await (const chunk of run.output as AsyncIterable<Buffer>) chunks.push(chunk);
  const end = await run.ended;
  if (end.status !== 0) throw dumpFailure(operation, end, 'pg_restore');
  const list = `${path}.list.partial`;
  await writeFile(list, withoutSuperuserOnly(Buffer.concat(chunks).toString(), reach), { mode: 0o600 });
  return list;
}
