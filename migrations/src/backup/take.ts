import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { count } from '@lockstep/foundation';
import { fingerprintOf } from '../catalog/fingerprint.ts';
import { describeDuration, InterruptedError } from '../errors.ts';
import { showPath } from '../folder.ts';
import type { DatabaseState } from '../history.ts';
import { applicationNameOf, type Operation } from '../operation.ts';
import type { Session } from '../session.ts';
import { readContents } from './contents.ts';
import { BackupFailedError } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { type PgEnd, type PgRun, startPgTool } from './pg-run.ts';
import { findPgTool, type PgTool } from './pg-tool.ts';
import { describeClosed, exclusions, type Reach, readReach, within } from './reach.ts';
import { type Backup, dropOldest, nameOf, prepareFolder, writeFailure, writeManifest } from './store.ts';
import { type Rehearse, verifyBackup } from './verify-backup.ts';

/** What a backup is to hold. */
export interface BackupRequest {
  readonly kind: Manifest['kind'];
  /** Tables, quoted for SQL, whose rows an incremental one holds. */
  readonly touched?: ReadonlySet<string>;
  /** Whether it is restored into a scratch database and compared before it counts. */
  readonly verified: boolean;
  /** Runs in the copy that verifying restores, after the comparison. */
  readonly rehearse?: Rehearse;
}

const progressMilliseconds = 5000;

/**
 * Takes a backup of the session's database into the folder of the settings.
 *
 * pg_dump, the fingerprint and the counted rows see one snapshot, so writers may go on meanwhile. The dump is streamed to a
 * file of a temporary name, which gets its own only once it is whole and on disk; the manifest follows.
 *
 * @throws {PgToolMissingError} {BackupFailedError} {BackupUnverifiedError} and then no new backup stays
 */
export async function takeBackup(
  operation: Operation,
  session: Session,
  state: DatabaseState,
  request: BackupRequest,
): Promise<Backup> {
  const { settings, log, deadline } = operation;
  const { folder, keep } = settings.backups;
  return deadline.during('backup', async () => {
    const server = await readServerVersion(session);
    const tool = await findPgTool('pg_dump', server.major, settings.backups.pgBin);
    await prepareFolder(folder);
    const createdAt = new Date();
    const name = nameOf(state.database, request.kind, createdAt);
    const path = join(folder, `${name}.dump`);
    const partial = `${path}.partial`;
    log.info(`taking ${request.kind === 'full' ? 'a full' : 'an incremental'} backup of ${state.database}`);
    const reach = await readReach(session);
    const closed = describeClosed(reach);
    if (closed.length > 0)
      log.warn(`not in the backup, as ${state.role} may not read it: ${closed.slice(0, 10).join(', ')}`);
    const { contents, written, withoutRows } = await inSnapshot(session, async (snapshot) => {
      const { rows, catalog } = await readContents(session, state.tables);
      const before = { rows, catalog: within(catalog, reach) };
      const left = [...before.rows.keys()].filter(
        (table) => request.touched !== undefined && !request.touched.has(table),
      );
      const file = await dump(operation, session, tool, { partial, snapshot, withoutRows: left, reach });
      return { contents: before, written: file, withoutRows: left };
    });
    const { current } = state.history;
    let manifest: Manifest = {
      format: 1,
      database: state.database,
      service: settings.service ?? null,
      kind: request.kind,
      createdAt: createdAt.toISOString(),
      version: current === undefined || current.version < 0n ? null : String(current.version),
      serverVersion: server.version,
      pgDumpVersion: tool.version,
      dump: `${name}.dump`,
      ...written,
      fingerprint: fingerprintOf(contents.catalog),
      rows: Object.fromEntries(contents.rows),
      withoutRows,
      ...(closed.length === 0 ? {} : { closed }),
      verifiedAt: null,
    };
    try {
      if (request.verified) {
        const backup = { manifest, path: partial };
        await verifyBackup(operation, session, state, { backup, contents, reach }, request.rehearse);
        manifest = { ...manifest, verifiedAt: new Date().toISOString() };
      }
      await rename(partial, path).catch((error: unknown) => {
        throw writeFailure(folder, error);
      });
      await writeManifest(folder, manifest);
    } catch (error) {
      for (const leftover of [partial, path]) await rm(leftover, { force: true }).catch(() => {});
      throw error;
    }
    const size = `${Math.ceil(written.bytes / 1024).toLocaleString('en')} KiB`;
    log.info(`backup ${showPath(path)}: ${size}${request.verified ? ', verified' : ''}`);
    const dropped = await dropOldest(folder, state.database, keep);
    if (dropped.length > 0)
      log.info(`dropped ${count(dropped.length, 'older backup')}: ${dropped.join(', ')}`);
    return { manifest, path };
  });
}

export interface ServerVersion {
  readonly major: number;
  readonly version: string;
}

export async function readServerVersion(session: Session): Promise<ServerVersion> {
  const [row] = await session.query(
    `select current_setting('server_version_num')::int / 10000 as major, current_setting('server_version') as version`,
  );
  return { major: Number(row?.['major']), version: String(row?.['version']).split(' ')[0] ?? '' };
}

async function inSnapshot<T>(session: Session, work: (snapshot: string) => Promise<T>): Promise<T> {
  await session.query('begin isolation level repeatable read read only');
  try {
    const [row] = await session.query('select pg_export_snapshot() as snapshot');
    return await work(String(row?.['snapshot']));
  } finally {
    await session.query('rollback').catch(() => {});
  }
}

interface DumpRequest {
  readonly partial: string;
  readonly snapshot: string;
  readonly withoutRows: readonly string[];
  readonly reach: Reach;
}

async function dump(
  operation: Operation,
  session: Session,
  tool: PgTool,
  { partial, snapshot, withoutRows, reach }: DumpRequest,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const { settings, deadline, signal } = operation;
  const args = [
    '--format=custom',
    '--no-password',
    `--snapshot=${snapshot}`,
    `--lock-wait-timeout=${Math.max(1, Math.floor(deadline.remaining()))}`,
    ...exclusions(reach),
    ...withoutRows.map((table) => `--exclude-table-data=${table}`),
  ];
  const run = startPgTool(tool, args, session.parameters, applicationNameOf(settings));
  signal.addEventListener('abort', run.stop, { once: true });
  try {
    const written = await writeOut(operation, run, partial);
    const end = await run.ended;
    if (end.status !== 0) throw dumpFailure(operation, end);
    return written;
  } catch (error) {
    run.stop();
    await run.ended;
    await rm(partial, { force: true }).catch(() => {});
    throw error instanceof BackupFailedError || error instanceof InterruptedError
      ? error
      : writeFailure(settings.backups.folder, error);
  } finally {
    signal.removeEventListener('abort', run.stop);
  }
}

/** Streams the dump to disk; returns once it is there for certain. */
async function writeOut(
  { log }: Operation,
  run: PgRun,
  path: string,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  let told = Date.now();
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of run.output as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
      if (Date.now() - told < progressMilliseconds) continue;
      told = Date.now();
      log.info(`backup: ${Math.round(bytes / 1024 / 1024).toLocaleString('en')} MiB so far`);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** The failure of a program that ended badly, or was ended by us. */
export function dumpFailure(operation: Operation, end: PgEnd, program = 'pg_dump'): Error {
  const { signal, deadline, settings } = operation;
  if (signal.reason instanceof InterruptedError) return signal.reason;
  const late = `the ${describeDuration(settings.strategy.timeoutMilliseconds)} had passed`;
  const evidence = deadline.passed || signal.aborted ? [late, ...end.complaint] : end.complaint;
  return new BackupFailedError(`${program} did not finish`, evidence);
}
