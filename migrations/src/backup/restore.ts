import { fingerprintOf } from '../catalog/fingerprint.ts';
import type { Settings } from '../config.ts';
import type { DatabaseProperties } from '../database-properties.ts';
import { createDatabase, reproduceOutside } from '../database-reproduction.ts';
import { RecreateRefusedError } from '../errors.ts';
import { showPath } from '../folder.ts';
import { type DatabaseState, nameTables, readState } from '../history.ts';
import { bytesOf, longestIdentifier, quoteIdentifier } from '../identifiers.ts';
import { keepPrevious } from '../kept.ts';
import { withLock } from '../lock.ts';
import { lockOptions } from '../lock-options.ts';
import { connectMaintenance, dropDatabase } from '../maintenance.ts';
import { type Hooks, type Operation, operate } from '../operation.ts';
import { longAgo, writeMark } from '../recreate/mark.ts';
import type { Reasoned } from '../recreate/previous.ts';
import { replaceDatabase } from '../replace-database.ts';
import type { Session } from '../session.ts';
import { readWatched } from '../watched-read.ts';
import { readContents } from './contents.ts';
import { BackupFailedError, BackupUnusableError, BackupUnverifiedError } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { restoreInto } from './restore-into.ts';
import { type Backup, findBackup, requireWhole } from './store.ts';
import { readServerVersion } from './take.ts';
import { rowDifferences } from './verify-backup.ts';

export interface RestoreRequest {
  /** `latest`, a backup's name in the folder, or the path of its dump. */
  readonly wanted: string;
  /** A new database to restore into; undefined to take the place of the configured one. */
  readonly into: string | undefined;
  /** Checks the backup, and changes nothing. */
  readonly isDryRun: boolean;
}

export interface RestoreResult {
  readonly backup: Backup;
  readonly database: string;
  /** What the replaced database is called now; undefined when none was. */
  readonly kept: string | undefined;
  /** Older ones that go, in development. */
  readonly dropped?: readonly Reasoned[];
  readonly isDryRun: boolean;
  readonly milliseconds: number;
}

/**
 * Restores a backup into a database of its own, compares it with its manifest, and only then lets it take the place of the present
 * one, which is kept under another name; or leaves it as the new database `into`.
 *
 * @throws {BackupUnusableError} when the dump is not whole, or lacks rows and should replace a database
 * @throws {BackupUnverifiedError} when what came out of it is not what went in
 */
export function restoreDatabase(
  settings: Settings,
  request: RestoreRequest,
  hooks: Hooks = {},
): Promise<RestoreResult> {
  return operate(settings, hooks, async (operation) => {
    const { into, isDryRun } = request;
    if (into === undefined) return replace(operation, request);
    if (into === '' || into.includes('\0') || bytesOf(into) > longestIdentifier) {
      throw new BackupFailedError(`${JSON.stringify(into.slice(0, 120))} cannot be the name of a database`, [
        `expected 1 to ${longestIdentifier} bytes`,
      ]);
    }
    const maintenance = await connectMaintenance(operation, into);
    try {
      const backup = await choose(operation, request, undefined);
      if (!isDryRun) await restoreBeside(operation, maintenance, into, backup);
      return {
        backup,
        database: into,
        kept: undefined,
        isDryRun,
        milliseconds: operation.deadline.elapsed(),
      };
    } finally {
      await maintenance.close();
    }
  });
}

async function replace(operation: Operation, request: RestoreRequest): Promise<RestoreResult> {
  const { settings, log } = operation;
  const session = await operation.connect();
  try {
    const state = await readWatched(operation, session, { downSql: false });
    const backup = await choose(operation, request, state.database);
    const { manifest } = backup;
    const { closed = [] } = manifest;
    if (closed.length > 0) {
      throw new BackupUnusableError(
        `the backup ${showPath(backup.path)} lacks what the role that took it may not read`,
        [
          ...closed.slice(0, 10),
          'it cannot take the place of a database; what it holds can be restored beside it',
        ],
        `migrate restore ${request.wanted} --into <new database>`,
      );
    }
    if (manifest.withoutRows.length > 0) {
      throw new BackupUnusableError(
        `the backup ${showPath(backup.path)} is incremental: ${manifest.withoutRows.length} tables have no rows in it`,
        ['it cannot take the place of a database; what it holds can be restored beside it'],
        `migrate restore ${request.wanted} --into <new database>`,
      );
    }
    const done = { backup, database: state.database, isDryRun: request.isDryRun };
    if (request.isDryRun) return { ...done, kept: undefined, milliseconds: operation.deadline.elapsed() };
    const previous = await withLock(session, lockOptions(operation, state), () =>
      replaceDatabase(operation, session, {
        state,
        refuse: (obstacle, cause) =>
          new RecreateRefusedError(`${state.database} cannot be replaced`, obstacle, cause),
        build: async (maintenance, fresh, properties) => {
          await operation.begins(versionOf(manifest));
          log.info(`restoring ${showPath(backup.path)} into a new database beside ${state.database}`);
          await build(operation, maintenance, fresh, properties, backup, state);
        },
        replaced: async (maintenance, replaced) => {
          // Outside development every database is somebody's to drop.
          const stays = { database: replaced, why: 'it was replaced' };
          if (settings.environment !== 'development') return { kept: [stays], dropped: [], left: [] };
          const { database, tables } = state;
          return keepPrevious(operation, maintenance, { database, replaced, tables });
        },
      }),
    );
    const kept = previous.kept[0]?.database;
    return { ...done, kept, dropped: previous.dropped, milliseconds: operation.deadline.elapsed() };
  } finally {
    await session.close();
  }
}

function versionOf({ version }: Manifest): bigint | undefined {
  return version === null || !/^\d+$/.test(version) ? undefined : BigInt(version);
}

/** Finds the backup and makes sure that it is whole. */
async function choose(
  { settings, deadline }: Operation,
  { wanted, into }: RestoreRequest,
  database: string | undefined,
): Promise<Backup> {
  const { connection } = settings;
  const own = connection.kind === 'given' ? connection.parameters.database : undefined;
  const backup = await findBackup(
    settings.backups.folder,
    wanted,
    database ?? own ?? into ?? '',
    into === undefined,
  );
  await deadline.during('backup', () => requireWhole(backup));
  return backup;
}

async function build(
  operation: Operation,
  maintenance: Session,
  name: string,
  properties: DatabaseProperties,
  backup: Backup,
  state: DatabaseState,
): Promise<void> {
  await operation.deadline.during('sql', () => createDatabase(maintenance, name, properties));
  const session = await operation.connect(name);
  try {
    await fill(operation, session, backup, state);
    const missed = await operation.deadline.during('sql', () => reproduceOutside(session, properties));
    for (const line of missed) operation.log.warn(`not reproduced in the restored database: ${line}`);
    if (operation.settings.environment === 'development') {
      await operation.deadline.during('sql', () =>
        // Somebody wrote what is in it, and somebody may have written since in what it replaces.
        writeMark(session, state.tables.history, { held: longAgo, from: undefined }).catch((error: unknown) =>
          operation.log.debug(`not marked: ${String(error)}`),
        ),
      );
    }
  } finally {
    await session.close();
  }
}

async function restoreBeside(
  operation: Operation,
  maintenance: Session,
  name: string,
  backup: Backup,
): Promise<void> {
  await operation.begins(versionOf(backup.manifest));
  operation.log.info(`restoring ${showPath(backup.path)} into the new database ${name}`);
  await maintenance.query(`create database ${quoteIdentifier(name)} template template0`);
  try {
    const session = await operation.connect(name);
    try {
      await fill(operation, session, backup, undefined);
    } finally {
      await session.close();
    }
  } catch (error) {
    maintenance.settle();
    await dropDatabase(maintenance, name).catch(() => {
      operation.log.warn(`the half restored database ${name} was left behind`);
    });
    throw error;
  }
}

async function fill(
  operation: Operation,
  session: Session,
  backup: Backup,
  state: DatabaseState | undefined,
): Promise<void> {
  const { manifest, path } = backup;
  await operation.deadline.during('sql', async () => {
    const refused = await restoreInto(operation, session, backup, { withoutRoles: false });
    if (refused !== undefined) throw new BackupUnverifiedError(showPath(path), refused);
    const lines = await differencesFrom(operation, session, manifest, state);
    if (lines.length > 0) throw new BackupUnverifiedError(showPath(path), lines);
  });
}

async function differencesFrom(
  operation: Operation,
  session: Session,
  manifest: Manifest,
  state: DatabaseState | undefined,
): Promise<string[]> {
  const tables = state?.tables ?? (await tablesIn(operation, session));
  await session.query('begin isolation level repeatable read read only');
  try {
    const { catalog, rows } = await readContents(session, tables);
    const { major } = await readServerVersion(session);
    // Another major version puts views and expressions into other words.
    const comparable = Number.parseInt(manifest.serverVersion, 10) === major;
    const differs = comparable && fingerprintOf(catalog) !== manifest.fingerprint;
    return [
      ...(differs ? ['its schema is not the one whose fingerprint the manifest has'] : []),
      ...rowDifferences(new Map(Object.entries(manifest.rows)), rows, manifest.withoutRows),
    ];
  } finally {
    await session.query('rollback').catch(() => {});
  }
}

async function tablesIn({ settings, scripts }: Operation, session: Session) {
  const { tables } = await readState(session, settings.table, { downSql: false, scripts });
  return nameTables(tables.schema, { schema: tables.schema, name: tables.name });
}
