import { type LogLevel, logLevels, markSecret, SettingsReader } from '@lockstep/foundation';
import { parseConnectionString } from '@lockstep/postgres';
import type { ConnectionSource } from './connection-source.ts';

/** Where an app listens. Port 0 lets the system choose one; the `listening` event names it. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Everything an app reads from its environment; docs/services.md lists the variables. */
export interface ServiceSettings {
  readonly listen: ListenAddress;
  readonly connection: ConnectionSource;
  readonly logLevel: LogLevel;
  /** Vault, the database and the gate together; default 30 s. */
  readonly startTimeoutMilliseconds: number;
  /** From the signal to the end; then requests still in flight are cut off. Default 8 s: compose kills after 10. */
  readonly drainTimeoutMilliseconds: number;
}

/**
 * Reads the settings of an app. A connection string given directly wins over Vault.
 *
 * @throws {SettingsError} listing every mistake at once
 */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ServiceSettings {
  const reader = new SettingsReader(environment);
  const settings = {
    listen: readListenAddress(reader),
    connection: readConnectionSource(reader),
    logLevel: reader.oneOf('LOG_LEVEL', logLevels, 'info'),
    startTimeoutMilliseconds: reader.duration('START_TIMEOUT', 30_000),
    drainTimeoutMilliseconds: reader.duration('DRAIN_TIMEOUT', 8_000),
  };
  reader.finish();
  return Object.freeze(settings);
}

function readListenAddress(reader: SettingsReader): ListenAddress {
  const text = reader.text('LISTEN_ADDRESS') ?? '127.0.0.1:8080';
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9][A-Za-z0-9.-]{0,252})):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port <= 65_535) return { host, port };
  reader.mistake('LISTEN_ADDRESS', 'expected host:port, such as 127.0.0.1:8080 or [::1]:8080', text);
  return { host: '', port: 0 };
}

function readConnectionSource(reader: SettingsReader): ConnectionSource {
  const direct = reader.text('DATABASE_CONNECTION_STRING');
  if (direct !== undefined) {
    const parameters = parseConnectionString(direct);
    if ('rule' in parameters) reader.mistake('DATABASE_CONNECTION_STRING', parameters.rule);
    return { kind: 'direct', connectionString: direct };
  }
  const otherwise = 'or give DATABASE_CONNECTION_STRING';
  reader.required('VAULT_ADDR', `the address of Vault, ${otherwise}`);
  const address = reader.httpUrl('VAULT_ADDR') ?? '';
  const path = reader.required('VAULT_SECRET_PATH', `such as secret/data/services-api/app, ${otherwise}`);
  const token = reader.text('VAULT_TOKEN');
  if (token !== undefined) {
    markSecret(token);
    return {
      kind: 'vault',
      access: { address, path, key: 'connection_string', credentials: { kind: 'token', token } },
    };
  }
  const meaning = 'a file, or give VAULT_TOKEN';
  const roleIdFile = reader.required('VAULT_ROLE_ID_FILE', meaning);
  const secretIdFile = reader.required('VAULT_SECRET_ID_FILE', meaning);
  return {
    kind: 'vault',
    access: {
      address,
      path,
      key: 'connection_string',
      credentials: { kind: 'approle', roleIdFile, secretIdFile },
    },
  };
}
