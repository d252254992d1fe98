import { type ConnectionParameters, parseConnectionString, toParameters } from '@lockstep/postgres';
import { readSecretSetting } from './secret-file.ts';
import type { SettingSources } from './setting-sources.ts';

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
  | { readonly kind: 'vault'; readonly access: VaultAccess }
  /** Nothing was named, and nothing is needed. */
  | { readonly kind: 'none' };

/** A string given directly wins over Vault, Vault over DB_HOST and its like. */
export function readConnection(
  sources: SettingSources,
  service: string | undefined,
  offline: boolean,
): ConnectionSource {
  const { reader } = sources;
  const name = sources.pick('databaseUrl');
  const secret = readSecretSetting(reader, name);
  if (secret.text !== undefined) {
    const parameters = parseConnectionString(secret.text);
    if (!('rule' in parameters)) return { kind: 'given', parameters };
    reader.mistake(secret.name, `${secret.prefix}${parameters.rule}`);
    return unknown;
  }
  // Its file could not be read, which is noted: what comes after it must not take its place.
  if (secret.name !== name) return unknown;
  const addressName = sources.firstOf('VAULT_ADDR', 'VAULT_ENDPOINT');
  if (reader.text(addressName) !== undefined) return readVault(sources, addressName, service);
  if (reader.text('DB_NAME') !== undefined || reader.text('DB_HOST') !== undefined) return readParts(sources);
  if (offline) return { kind: 'none' };
  reader.mistake(
    'DATABASE_CONNECTION_STRING',
    'required: where Postgres is; or VAULT_ADDR to read it from Vault, or DB_HOST, DB_NAME and DB_ADMIN_USER',
  );
  return unknown;
}

/** Where scratch databases are made, when not beside the one that is migrated. */
export function readScratch({ reader, pick }: SettingSources): ConnectionParameters | undefined {
  const secret = readSecretSetting(reader, pick('scratchUrl'));
  if (secret.text === undefined) return undefined;
  const parameters = parseConnectionString(secret.text);
  if (!('rule' in parameters)) return parameters;
  reader.mistake(secret.name, `${secret.prefix}${parameters.rule}`);
  return undefined;
}

function readVault(
  { reader }: SettingSources,
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

function readParts({ reader }: SettingSources): ConnectionSource {
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
