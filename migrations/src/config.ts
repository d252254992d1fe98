import type { LogFormat, LogLevel } from '@lockstep/foundation/log';
import type { ConnectionParameters } from '@lockstep/postgres';
import { type IgnoreRule, parsePattern, splitPatterns } from './catalog/ignore.ts';
import type { ComplianceSettings } from './catalog/scope.ts';
import type { FileSettings } from './config-file.ts';
import { type ConnectionSource, readConnection, readScratch } from './connection-settings.ts';
import type { MaintenanceWindow } from './environments/window.ts';
import { parseTableName, type TableName } from './identifiers.ts';
import { type Layout, layouts } from './layout.ts';
import {
  type AuditSettings,
  type RecordFiles,
  readAudit,
  readRecordFiles,
} from './records/record-settings.ts';
import { refuseBoth } from './secret-file.ts';
import type { SettingKey } from './setting-names.ts';
import { type Flags, openSources, type SettingSources } from './setting-sources.ts';
import { readStrategy, type StrategySettings } from './strategy-settings.ts';

/** Everything the migrator can be told; checked, frozen. */
export interface Settings extends StrategySettings {
  readonly service: string | undefined;
  /** The folder of migrations. */
  readonly path: string;
  /** Whether somebody named that folder, or it is the default. */
  readonly pathStated: boolean;
  readonly layout: Layout;
  readonly connection: ConnectionSource;
  /** golang-migrate's table; without a schema the connection's current one. */
  readonly table: TableName;
  /** The file that says what the schema must be. */
  readonly specification: string | undefined;
  /** What a comparison of schemas passes over, and whether anything else may be there. */
  readonly compliance: ComplianceSettings;
  readonly backups: BackupSettings;
  readonly audit: AuditSettings;
  /** Another server for scratch databases. */
  readonly scratch: ConnectionParameters | undefined;
  /** How much disk the templates of a development database may take together, in bytes; 0 for none. */
  readonly templateBytes: number;
  /** When the environment may migrate; none: always. */
  readonly windows: readonly MaintenanceWindow[];
  /** Why a run may begin outside of them. */
  readonly outsideWindow: string | undefined;
}

export type { AuditSettings };

/** Where backups go, and by which programs. */
export interface BackupSettings {
  readonly folder: string;
  /** How many of a database are kept, 1 at least. */
  readonly keep: number;
  /** The folder of pg_dump and pg_restore; looked for when undefined. */
  readonly pgBin: string | undefined;
}

/** What only the command line needs besides. */
export interface CommandSettings extends Settings {
  readonly format: 'text' | 'json';
  readonly records: RecordFiles;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** Settings that are suspicious and not wrong. */
  readonly warnings: readonly string[];
}

const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const longestService = 48;

/**
 * Reads the migrator's settings: flag over environment over configuration file over default.
 *
 * @param environment usually `process.env`
 * @param terminal whether a person reads the log
 * @param file what config-file.ts read of `--config`
 * @param offline whether no database will be asked, so that none need be named
 * @throws {SettingsError} that lists every mistake
 */
export function readConfig(
  flags: Flags,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  terminal = false,
  file: FileSettings | undefined = undefined,
  offline = false,
): CommandSettings {
  const sources = openSources(flags, environment, file);
  const { reader, pick } = sources;
  refuseBoth(reader);
  const service = readService(sources);
  const path = pick('path');
  const settings: CommandSettings = {
    service,
    ...readStrategy(sources, {
      aggressive: flags['--aggressive'] !== undefined,
      requireApproval: flags['--require-approval'] !== undefined,
    }),
    path: readPath(sources, path),
    pathStated: reader.text(path) !== undefined,
    layout: reader.oneOf(pick('layout'), layouts, 'versioned'),
    connection: readConnection(sources, service, offline),
    table: readTable(sources),
    specification: readFileName(sources, 'specification'),
    compliance: {
      ignore: readIgnored(sources),
      isStrict: reader.oneOf(pick('strict'), ['true', 'false'], 'false') === 'true',
    },
    backups: {
      folder: readFileName(sources, 'backupFolder') ?? './backups',
      keep: reader.integer(pick('backupKeep'), { min: 1, max: 10_000 }, 10),
      pgBin: readFileName(sources, 'pgBin'),
    },
    scratch: readScratch(sources),
    templateBytes: 1024 * 1024 * reader.integer(pick('templateSpace'), { min: 0, max: 1_000_000 }, 1024),
    windows: file?.windows ?? [],
    outsideWindow: reader.text(pick('outsideWindow')),
    audit: readAudit(sources),
    records: readRecordFiles(sources),
    format: reader.oneOf('--format', ['text', 'json'], 'text'),
    log: {
      level: reader.oneOf(pick('logLevel'), logLevels, 'info'),
      format: reader.oneOf(pick('logFormat'), ['text', 'json'], terminal ? 'text' : 'json'),
    },
    warnings: sources.warnings,
  };
  reader.finish();
  return Object.freeze(settings);
}

function readService({ reader, pick }: SettingSources): string | undefined {
  const name = pick('service');
  const service = reader.text(name);
  if (service === undefined) return undefined;
  if (/^[a-z0-9](?:[a-z0-9_-]|\.(?!\.))*$/i.test(service) && service.length <= longestService) return service;
  reader.mistake(
    name,
    `expected letters, digits, ".", "_" and "-", at most ${longestService}, a letter or digit first`,
    service,
  );
  return undefined;
}

function readPath({ reader }: SettingSources, name: string): string {
  const path = reader.text(name) ?? './migrations';
  if (path.includes('\0')) reader.mistake(name, 'a path cannot hold a NUL character', path);
  return path;
}

function readFileName({ reader, pick }: SettingSources, key: SettingKey): string | undefined {
  const name = pick(key);
  const path = reader.text(name);
  if (path?.includes('\0')) reader.mistake(name, 'a path cannot hold a NUL character', path);
  return path;
}

/** Every wrong entry is a mistake of its own. */
function readIgnored({ reader, pick }: SettingSources): IgnoreRule[] {
  const name = pick('ignore');
  return splitPatterns(reader.text(name) ?? '').flatMap((text) => {
    const rule = parsePattern(text);
    if (!('mistake' in rule)) return [rule];
    reader.mistake(name, rule.mistake, text);
    return [];
  });
}

function readTable({ reader, pick }: SettingSources): TableName {
  const name = pick('table');
  const text = reader.text(name) ?? 'schema_migrations';
  const table = parseTableName(text);
  if (!('rule' in table)) return table;
  reader.mistake(name, table.rule, text);
  return { schema: undefined, name: text };
}
