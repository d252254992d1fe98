import { basename } from 'node:path';
import { type LogFormat, type LogLevel, logLevels, SettingsReader } from '@lockstep/foundation';
import { type Address, parseAddress } from './connection-string.ts';
import { parseServices, type Service } from './service.ts';

/** What the bootstrap is told by its environment; paths are as given, files are not yet read. */
export interface BootstrapSettings {
  readonly vaultAddress: string;
  readonly vaultTokenFile: string;
  readonly postgresAddress: Address;
  readonly postgresUser: string;
  readonly postgresPasswordFile: string;
  /** Whether the server is the stack's alone: then app roles may connect to no database but their own. */
  readonly ownsServer: boolean;
  readonly services: readonly Service[];
  readonly policiesPath: string;
  /** Each role's folder for `role_id` and `secret_id`, by the role's name. */
  readonly credentialsFolders: ReadonlyMap<string, string>;
  readonly timeoutMilliseconds: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/**
 * Reads the environment; the only place in this workspace that does.
 *
 * @throws {SettingsError} listing every mistake
 */
export function readBootstrapSettings(
  environment: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): BootstrapSettings {
  const reader = new SettingsReader(environment);
  const vaultAddress = reader.httpUrl('VAULT_ADDR');
  if (reader.text('VAULT_ADDR') === undefined) reader.required('VAULT_ADDR', "Vault's URL");
  const vaultTokenFile = reader.required('VAULT_TOKEN_FILE', 'the file that holds the root token');
  const addressText = reader.required('POSTGRES_ADDRESS', 'host:port of Postgres, as the services see it');
  const postgresAddress = parseAddress(addressText);
  if (addressText !== '' && postgresAddress === undefined) {
    reader.mistake('POSTGRES_ADDRESS', 'expected host:port', addressText);
  }
  const postgresPasswordFile = reader.required(
    'POSTGRES_PASSWORD_FILE',
    "the file that holds the superuser's password",
  );
  const servicesText = reader.required('BOOTSTRAP_SERVICES', 'service:database pairs');
  const { services, mistakes } = parseServices(servicesText);
  if (servicesText !== '') for (const rule of mistakes) reader.mistake('BOOTSTRAP_SERVICES', rule);
  const settings = {
    vaultAddress: vaultAddress ?? '',
    vaultTokenFile,
    postgresAddress: postgresAddress ?? { host: '', port: 0 },
    postgresUser: reader.text('POSTGRES_USER') ?? 'postgres',
    postgresPasswordFile,
    ownsServer: reader.oneOf('POSTGRES_SERVER', ['own', 'shared'], 'shared') === 'own',
    services,
    policiesPath: reader.required('POLICIES_PATH', 'the folder of the policies, one .hcl file a role'),
    credentialsFolders: readFolders(reader, services),
    timeoutMilliseconds: reader.duration('BOOTSTRAP_TIMEOUT', 30_000),
    logLevel: reader.oneOf('LOG_LEVEL', logLevels, 'info'),
    logFormat: reader.oneOf<LogFormat>('LOG_FORMAT', ['text', 'json'], isTerminal ? 'text' : 'json'),
  };
  reader.finish();
  return Object.freeze(settings);
}

/** One folder a line; its last segment is the role's name. */
function readFolders(reader: SettingsReader, services: readonly Service[]): Map<string, string> {
  const text = reader.required('CREDENTIALS_FOLDERS', 'a folder for each role, one a line');
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const folders = new Map(lines.map((line) => [basename(line.trim()), line.trim()]));
  for (const { migrator, app } of text === '' ? [] : services) {
    for (const { name } of [migrator, app]) {
      if (!folders.has(name)) reader.mistake('CREDENTIALS_FOLDERS', `names no folder called ${name}`);
    }
  }
  return folders;
}
