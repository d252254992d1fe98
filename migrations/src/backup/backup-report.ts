import { count } from '@lockstep/foundation';
import { showPath } from '../folder.ts';
import type { Json } from '../json.ts';
import type { Report, ReportNames } from '../report.ts';
import { columns } from '../report-columns.ts';
import type { BackupResult } from './backup.ts';
import type { RestoreResult } from './restore.ts';
import type { Backup } from './store.ts';

/** `backup`. */
export function reportBackup({ backup, milliseconds }: BackupResult, { service }: ReportNames): Report {
  const { manifest, path } = backup;
  const verified = manifest.verifiedAt === null ? 'not verified' : 'verified by restoring it';
  return {
    text: `${service ?? manifest.database}: backup at ${manifest.version ?? 'none'}, ${sizeOf(backup)}, ${verified}, ${Math.round(milliseconds)} ms\n  ${showPath(path)}`,
    json: { ...jsonBackup(backup), milliseconds: Math.round(milliseconds) },
  };
}

/** `backup --list`. */
export function reportBackups(backups: readonly Backup[]): Report {
  const rows = backups.map((backup) => {
    const { manifest } = backup;
    return [
      manifest.dump,
      manifest.database,
      manifest.kind,
      manifest.version ?? 'none',
      sizeOf(backup),
      manifest.verifiedAt === null ? 'not verified' : 'verified',
    ];
  });
  const titles = ['backup', 'database', 'kind', 'version', 'size', ''];
  return {
    text: [count(backups.length, 'backup'), ...(rows.length === 0 ? [] : columns([titles, ...rows]))].join(
      '\n',
    ),
    json: { backups: backups.map(jsonBackup) },
  };
}

/** `restore`. */
export function reportRestore(result: RestoreResult, { service, undoCommand }: ReportNames): Report {
  const { backup, database, kept, dropped, isDryRun, milliseconds } = result;
  const { manifest, path } = backup;
  const at = `at ${manifest.version ?? 'none'}, of ${manifest.createdAt.replace(/\.\d+Z$/, 'Z')}`;
  const verb = isDryRun ? 'would be restored' : 'was restored';
  const lines = [
    `${service ?? database} ${verb} from ${showPath(path)}: ${at}, ${Math.round(milliseconds)} ms`,
    ...(isDryRun ? ['  the dump is whole; nothing was changed'] : []),
    ...(kept === undefined
      ? []
      : [`  the database as it was is kept as ${kept}`, `  in development ${undoCommand} brings it back`]),
    ...(dropped ?? []).map((one) => `  ${one.database} is dropped: ${one.why}`),
  ];
  return {
    text: lines.join('\n'),
    json: {
      ...jsonBackup(backup),
      service: service ?? null,
      database,
      kept: kept ?? null,
      dropped: (dropped ?? []).map((one) => ({ ...one })),
      dryRun: isDryRun,
      milliseconds: Math.round(milliseconds),
    },
  };
}

function sizeOf({ manifest }: Backup): string {
  return `${Math.ceil(manifest.bytes / 1024).toLocaleString('en')} KiB`;
}

function jsonBackup({ manifest, path }: Backup): Readonly<Record<string, Json>> {
  const { service, database, kind, createdAt, version, bytes, sha256, fingerprint, verifiedAt } = manifest;
  return {
    service,
    database,
    kind,
    createdAt,
    version,
    path: showPath(path),
    bytes,
    sha256,
    fingerprint,
    verifiedAt,
    tables: Object.keys(manifest.rows).length,
    tablesWithoutRows: manifest.withoutRows.length,
    leftOut: manifest.closed ?? [],
  };
}
