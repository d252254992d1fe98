import { count, nearest, SettingsReader } from '@lockstep/foundation';
import type { LogFormat, LogLevel } from '@lockstep/foundation/log';
import { type ConnectionParameters, parseConnectionString, toParameters } from './connection-string.ts';
import { parseTableName, type TableName } from './identifiers.ts';
import { readSecretSetting, refuseBoth, secretVariables } from './secret-file.ts';
import { type Approach, approaches, type Environment, environments, strategies } from './strategy.ts';

/** Where to read the connection string when none was given. */
export interface VaultAccess {
  readonly address: string;
  readonly credentials:
    | { readonly kind: 'approle'; readonly roleIdFile: string; readonly secretIdFile: string }
    | { readonly kind: 'token'; readonly token: string };
  readonly path: string;
  readonly key: string;
}

export type ConnectionSource =
  | { readonly kind: 'given'; readonly parameters: ConnectionParameters }
  | { readonly kind: 'vault'; readonly access: VaultAccess };

/** Everything the migrator can be told; checked, frozen. */
export interface Settings {
  readonly service: string | undefined;
  /** The folder of migrations. */
  readonly path: string;
  /** Whether somebody named that folder, or it is the default. */
  readonly pathStated: boolean;
  readonly connection: ConnectionSource;
  readonly environment: Environment | undefined;
  /** Undefined when unstated: then the environment chooses. */
  readonly approach: Approach | undefined;
  readonly timeoutMilliseconds: number;
  /** golang-migrate's table; without a schema the connection's current one. */
  readonly table: TableName;
}

/** What only the command line needs besides. */
export interface CommandSettings extends Settings {
  readonly format: 'text' | 'json';
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** Settings that are suspicious and not wrong. */
  readonly warnings: readonly string[];
}

/** Values of command-line options by their long name, as in `{ '--timeout': '30s' }`. */
export type Flags = Readonly<Record<string, string | true | undefined>>;

const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const longestService = 48;

/** The MIGRATION_* variables there are, and what the aggressive strategy accepts of those it has no use for. */
const migrationVariables: Readonly<Record<string, readonly string[] | undefined>> = {
  MIGRATION_SERVICE: undefined,
  MIGRATION_ENVIRONMENT: undefined,
  MIGRATION_APPROACH: undefined,
  MIGRATION_TIMEOUT: undefined,
  MIGRATION_BACKUP: ['none', 'false'],
  MIGRATION_VALIDATION: ['minimal'],
  MIGRATION_MANUAL_APPROVAL: ['none', 'false'],
};

/**
 * Reads the migrator's settings: flag over environment over default.
 *
 * @param environment usually `process.env`
 * @param terminal whether a person reads the log
 * @throws {SettingsError} that lists every mistake
 */
export function readConfig(
  flags: Flags,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  terminal = false,
): CommandSettings {
  const values: Record<string, string | undefined> = { ...environment };
  for (const [flag, value] of Object.entries(flags)) values[flag] = value === true ? 'true' : value;
  const reader = new SettingsReader(values, (name) =>
    name.startsWith('--') ? 'the command line' : 'the environment',
  );
  const fileOf = (name: string) => (isSecret(name) ? reader.text(`${name}_FILE`) : undefined);
  /** The first of `names` that is set, by itself or as `_FILE`, else the last. */
  const pick = (...names: [string, ...string[]]) =>
    names.find((name) => flags[name] !== undefined || (reader.text(name) ?? fileOf(name)) !== undefined) ??
    names.at(-1) ??
    names[0];
  for (const [flag, value] of Object.entries(flags)) {
    if (value === '') reader.mistake(flag, 'expected a value', '');
  }

  refuseBoth(reader);
  const service = readService(reader, pick('--service', 'MIGRATION_SERVICE'));
  const environmentName = pick('--environment', 'MIGRATION_ENVIRONMENT');
  const stated = reader.oneOf(environmentName, environments);
  const approach = readApproach(reader, flags, pick('--approach', 'MIGRATION_APPROACH'));
  if (approach === 'aggressive' && stated === 'production') {
    reader.mistake(
      environmentName,
      'production and the aggressive strategy exclude each other',
      'production',
    );
  }
  const pathName = pick('--path', 'MIGRATIONS_PATH');
  const settings: CommandSettings = {
    service,
    path: readPath(reader, pathName),
    pathStated: reader.text(pathName) !== undefined,
    connection: readConnection(reader, pick, service),
    environment: stated,
    approach,
    timeoutMilliseconds: reader.duration(
      pick('--timeout', 'MIGRATION_TIMEOUT'),
      strategies.aggressive.timeoutMilliseconds,
    ),
    table: readTable(reader),
    format: reader.oneOf('--format', ['text', 'json'], 'text'),
    log: {
      level: reader.oneOf('LOG_LEVEL', logLevels, 'info'),
      format: reader.oneOf('LOG_FORMAT', ['text', 'json'], terminal ? 'text' : 'json'),
    },
    warnings: checkMigrationVariables(reader, environment),
  };
  reader.finish();
  return Object.freeze(settings);
}

function isSecret(name: string): boolean {
  return secretVariables.some((secret) => secret === name);
}

function readService(reader: SettingsReader, name: string): string | undefined {
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

function readPath(reader: SettingsReader, name: string): string {
  const path = reader.text(name) ?? './migrations';
  if (path.includes('\0')) reader.mistake(name, 'a path cannot hold a NUL character', path);
  return path;
}

function readApproach(reader: SettingsReader, flags: Flags, name: string): Approach | undefined {
  const approach = reader.oneOf(name, approaches);
  if (flags['--aggressive'] === undefined) return approach;
  if (name === '--approach')
    reader.mistake('--aggressive', 'cannot stand beside --approach; give one of them');
  return 'aggressive';
}

function readTable(reader: SettingsReader): TableName {
  const text = reader.text('MIGRATIONS_TABLE') ?? 'schema_migrations';
  const table = parseTableName(text);
  if (!('rule' in table)) return table;
  reader.mistake('MIGRATIONS_TABLE', table.rule, text);
  return { schema: undefined, name: text };
}

type Pick = (...names: [string, ...string[]]) => string;

/** A string given directly wins over Vault, Vault over DB_HOST and its like. */
function readConnection(reader: SettingsReader, pick: Pick, service: string | undefined): ConnectionSource {
  const name = pick('--database-url', 'DATABASE_CONNECTION_STRING', 'DB_ADMIN_CONN_STRING');
  const secret = readSecretSetting(reader, name);
  if (secret.text !== undefined) {
    const parameters = parseConnectionString(secret.text);
    if (!('rule' in parameters)) return { kind: 'given', parameters };
    reader.mistake(secret.name, `${secret.prefix}${parameters.rule}`);
    return unknown;
  }
  // Its file could not be read, which is noted: what comes after it must not take its place.
  if (secret.name !== name) return unknown;
  const addressName = pick('VAULT_ADDR', 'VAULT_ENDPOINT');
  if (reader.text(addressName) !== undefined) return readVault(reader, addressName, service);
  if (reader.text('DB_NAME') !== undefined || reader.text('DB_HOST') !== undefined) return readParts(reader);
  reader.mistake(
    'DATABASE_CONNECTION_STRING',
    'required: where Postgres is; or VAULT_ADDR to read it from Vault, or DB_HOST, DB_NAME and DB_ADMIN_USER',
  );
  return unknown;
}

function readVault(
  reader: SettingsReader,
  addressName: string,
  service: string | undefined,
): ConnectionSource {
  const address = reader.httpUrl(addressName) ?? '';
  const roleIdFile = reader.text('VAULT_ROLE_ID_FILE');
  const secretIdFile = reader.text('VAULT_SECRET_ID_FILE');
  const token = reader.text('VAULT_TOKEN');
  if ((roleIdFile === undefined) !== (secretIdFile === undefined)) {
    const absent = roleIdFile === undefined ? 'VAULT_ROLE_ID_FILE' : 'VAULT_SECRET_ID_FILE';
    reader.mistake(absent, 'required: an AppRole login takes a role id and a secret id');
  } else if (roleIdFile === undefined && token === undefined) {
    reader.mistake('VAULT_ROLE_ID_FILE', 'required: VAULT_ADDR needs an AppRole login, or VAULT_TOKEN');
  }
  const path = reader.text('VAULT_SECRET_PATH') ?? (service && `secret/data/${service}/migrator`);
  if (path === undefined) {
    reader.mistake('VAULT_SECRET_PATH', 'required: where in Vault the connection string is');
  }
  const credentials =
    roleIdFile === undefined || secretIdFile === undefined
      ? ({ kind: 'token', token: token ?? '' } as const)
      : ({ kind: 'approle', roleIdFile, secretIdFile } as const);
  return {
    kind: 'vault',
    access: { address, credentials, path: path ?? '', key: 'connection_string' },
  };
}

function readParts(reader: SettingsReader): ConnectionSource {
  const pairs = new Map<string, string>();
  const set = (key: string, value: string | undefined) => value !== undefined && pairs.set(key, value);
  set('host', reader.text('DB_HOST'));
  set('port', String(reader.integer('DB_PORT', { min: 1, max: 65_535 }, 5432)));
  set('dbname', reader.required('DB_NAME', 'the database to migrate'));
  set('user', reader.required('DB_ADMIN_USER', 'who owns the database'));
  set('password', readSecretSetting(reader, 'DB_ADMIN_PASSWORD').text);
  const parameters = toParameters(pairs);
  if (!('rule' in parameters)) return { kind: 'given', parameters };
  if (pairs.get('dbname') && pairs.get('user')) reader.mistake('DB_HOST', parameters.rule);
  return unknown;
}

/** Stands in after a mistake was noted; `finish` throws before anyone sees it. */
const unknown: ConnectionSource = {
  kind: 'vault',
  access: { address: '', credentials: { kind: 'token', token: '' }, path: '', key: '' },
};

/** Returns warnings about variables that look like ours and are not; notes wishes that no strategy grants yet. */
function checkMigrationVariables(
  reader: SettingsReader,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const unknownNames = Object.keys(environment).filter(
    (name) =>
      /^MIGRATIONS?_/.test(name) && !(name in migrationVariables) && !/^MIGRATIONS_(PATH|TABLE)$/.test(name),
  );
  for (const [name, accepted] of Object.entries(migrationVariables)) {
    const value = reader.text(name);
    if (accepted === undefined || value === undefined || accepted.includes(value)) continue;
    reader.mistake(
      name,
      `only ${accepted.join(' or ')} so far; the aggressive strategy is the one there is`,
      value,
    );
  }
  const candidates = [...Object.keys(migrationVariables), 'MIGRATIONS_PATH', 'MIGRATIONS_TABLE'];
  if (unknownNames.length > 5)
    return [`${count(unknownNames.length, 'unknown MIGRATION_* setting')} ignored`];
  return unknownNames.map((name) => {
    const meant = nearest(name, candidates);
    return `${name}: unknown setting, ignored${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  });
}
