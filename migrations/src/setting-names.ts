/** How one setting is spelled on the command line, in the environment, and in the configuration file. */
export interface SettingName {
  /** The option as commander reads it, with its value's placeholder: `--timeout <duration>`. */
  readonly flag?: string;
  /** Variables, the first one that is set wins. */
  readonly variables?: readonly string[];
  /** Whether the configuration file may hold it, under the key of {@link settingNames}. */
  readonly inFile?: true;
  /** Whether the configuration file may give it as a list. */
  readonly isList?: true;
  /** The help of the flag; the first variable's name is added to it. */
  readonly words?: string;
  /** The heading under which `--help` lists it. */
  readonly group?: SettingGroup;
}

export type SettingGroup = 'Where' | 'How' | 'Safeguards' | 'Records';

/**
 * Every setting there is. The command line, the environment's and the file's known names, and their help are read from
 * this table; what a value must look like is config.ts's, and that of the room it is for.
 */
export const settingNames = {
  service: {
    flag: '--service <name>',
    variables: ['MIGRATION_SERVICE'],
    inFile: true,
    words: 'the service, as shown in messages',
    group: 'Where',
  },
  path: {
    flag: '--path <folder>',
    variables: ['MIGRATIONS_PATH'],
    inFile: true,
    words: 'the folder of migrations; default: ./migrations',
    group: 'Where',
  },
  layout: {
    flag: '--layout <name>',
    variables: ['MIGRATIONS_LAYOUT'],
    inFile: true,
    words: 'versioned (1_name.up.sql), or alphabetical: plain .sql files, recorded by name',
    group: 'Where',
  },
  databaseUrl: {
    flag: '--database-url <url>',
    variables: ['DATABASE_CONNECTION_STRING', 'DB_ADMIN_CONN_STRING'],
    inFile: true,
    words: 'URL or key=value pairs; wins over Vault',
    group: 'Where',
  },
  table: {
    flag: '--table <name>',
    variables: ['MIGRATIONS_TABLE'],
    inFile: true,
    words: 'table or schema.table of the history; default: schema_migrations',
    group: 'Where',
  },
  environment: {
    flag: '--environment <name>',
    variables: ['MIGRATION_ENVIRONMENT'],
    inFile: true,
    words: 'development, staging or production',
    group: 'How',
  },
  approach: {
    flag: '--approach <name>',
    variables: ['MIGRATION_APPROACH'],
    inFile: true,
    words: 'aggressive, careful or conservative; not set: the environment chooses',
    group: 'How',
  },
  timeout: {
    flag: '--timeout <duration>',
    variables: ['MIGRATION_TIMEOUT'],
    inFile: true,
    words: 'for waiting, Vault, lock and SQL together; the strategy has a default',
    group: 'How',
  },
  lockTimeout: {
    flag: '--lock-timeout <duration>',
    variables: ['MIGRATION_LOCK_TIMEOUT'],
    inFile: true,
    words: 'how long a statement may queue for a table lock before it steps aside and tries again',
    group: 'How',
  },
  config: {
    flag: '--config <file>',
    variables: ['MIGRATION_CONFIG'],
    words: 'a YAML file of settings; what is stated elsewhere wins over it',
    group: 'How',
  },
  format: { flag: '--format <format>', words: 'text, or json: one document on stdout', group: 'How' },
  backup: {
    flag: '--backup <kind>',
    variables: ['MIGRATION_BACKUP'],
    inFile: true,
    words: 'none, incremental or full, before anything is changed',
    group: 'Safeguards',
  },
  validation: {
    flag: '--validation <level>',
    variables: ['MIGRATION_VALIDATION'],
    inFile: true,
    words: 'minimal, moderate or extensive',
    group: 'Safeguards',
  },
  approval: {
    flag: '--approval <kind>',
    variables: ['MIGRATION_APPROVAL', 'MIGRATION_MANUAL_APPROVAL'],
    inFile: true,
    words: 'none, prompt (yes is typed) or manual (a plan file that was signed off)',
    group: 'Safeguards',
  },
  outsideWindow: {
    flag: '--outside-window <reason>',
    variables: ['MIGRATION_OUTSIDE_WINDOW'],
    words: 'why this run may begin outside the maintenance window of environments.json',
    group: 'Safeguards',
  },
  backupFolder: {
    flag: '--backup-folder <folder>',
    variables: ['MIGRATION_BACKUP_FOLDER'],
    inFile: true,
    words: 'where backups are kept; default: ./backups',
    group: 'Safeguards',
  },
  backupKeep: {
    flag: '--backup-keep <number>',
    variables: ['MIGRATION_BACKUP_KEEP'],
    inFile: true,
    words: 'how many backups of a database are kept; default: 10',
    group: 'Safeguards',
  },
  pgBin: {
    flag: '--pg-bin <folder>',
    variables: ['MIGRATION_PG_BIN'],
    inFile: true,
    words: "the folder of pg_dump and pg_restore of the server's major version; looked for when not set",
    group: 'Safeguards',
  },
  specification: {
    flag: '--specification <file>',
    variables: ['MIGRATION_SPECIFICATION'],
    inFile: true,
    words: 'SQL, or Markdown with sql blocks, that says what the schema must be',
    group: 'Safeguards',
  },
  ignore: {
    flag: '--ignore <patterns>',
    variables: ['MIGRATION_IGNORE'],
    inFile: true,
    isList: true,
    words: 'what a comparison of schemas passes over, as in "table events_*, grant * to reporter"',
    group: 'Safeguards',
  },
  strict: {
    flag: '--strict',
    variables: ['MIGRATION_STRICT'],
    inFile: true,
    words: 'a comparison of schemas fails for what the files do not make, too',
    group: 'Safeguards',
  },
  scratchUrl: {
    flag: '--scratch-url <url>',
    variables: ['MIGRATION_SCRATCH_URL'],
    inFile: true,
    words: 'a server for scratch databases, where the role may not make any on its own',
    group: 'Safeguards',
  },
  templateSpace: {
    flag: '--template-space <MiB>',
    variables: ['MIGRATION_TEMPLATE_SPACE'],
    inFile: true,
    words: 'how much disk the templates of a development database may take; default: 1024, 0 for none',
    group: 'How',
  },
  auditUrl: {
    flag: '--audit-url <url>',
    variables: ['MIGRATION_AUDIT_URL', 'GRAFANA_ENDPOINT'],
    inFile: true,
    words: 'Loki, where each operation is told of; user:password@ in it is sent as a header',
    group: 'Records',
  },
  auditSpool: {
    flag: '--audit-spool <file>',
    variables: ['MIGRATION_AUDIT_SPOOL'],
    inFile: true,
    words: 'where events wait that Loki did not take; default: ./migrate-audit.ndjson',
    group: 'Records',
  },
  outputs: {
    flag: '--outputs <file>',
    variables: ['MIGRATION_OUTPUTS', 'GITHUB_OUTPUT'],
    inFile: true,
    words: 'key=value lines for a pipeline are added to it',
    group: 'Records',
  },
  metrics: {
    flag: '--metrics <file>',
    variables: ['MIGRATION_METRICS'],
    inFile: true,
    words: "Prometheus text for a textfile collector, replaced at each run's end",
    group: 'Records',
  },
  correlationId: { variables: ['CORRELATION_ID'] },
  traceId: { variables: ['TRACE_ID'] },
  userId: { variables: ['USER_ID'] },
  logLevel: { variables: ['LOG_LEVEL'], inFile: true },
  logFormat: { variables: ['LOG_FORMAT'], inFile: true },
} as const satisfies Readonly<Record<string, SettingName>>;

export type SettingKey = keyof typeof settingNames;

/** Each setting with its names, typed alike. */
export const settingEntries: readonly (readonly [SettingKey, SettingName])[] = Object.entries(
  settingNames,
) as (readonly [SettingKey, SettingName])[];

/** Everything that may name the setting, the strongest first: `--timeout`, `MIGRATION_TIMEOUT`, `timeout`. */
export function spellings(key: SettingKey): readonly [string, ...string[]] {
  const { flag, variables = [], inFile }: SettingName = settingNames[key];
  const names = [...(flag === undefined ? [] : [longName(flag)]), ...variables, ...(inFile ? [key] : [])];
  return [names[0] ?? key, ...names.slice(1)];
}

/** `--timeout` of `--timeout <duration>`. */
export function longName(flag: string): string {
  return flag.split(' ')[0] ?? flag;
}
