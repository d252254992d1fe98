import { expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { strategies } from './strategy.ts';

const url = 'postgres://u:p@db/d';

test('a flag wins over the environment, the environment over the default', () => {
  const defaults = readConfig({}, { DATABASE_CONNECTION_STRING: url });
  expect(defaults).toMatchObject({
    service: undefined,
    path: './migrations',
    environment: undefined,
    strategy: { name: 'aggressive', timeoutMilliseconds: 30_000 },
    table: { schema: undefined, name: 'schema_migrations' },
    format: 'text',
    log: { level: 'info', format: 'json' },
    warnings: [],
  });
  const environment = {
    DATABASE_CONNECTION_STRING: url,
    MIGRATION_TIMEOUT: '5m',
    MIGRATIONS_PATH: 'a',
    MIGRATION_SERVICE: 'one',
  };
  const both = readConfig({ '--timeout': '7', '--path': 'b', '--aggressive': true }, environment, true);
  expect(both).toMatchObject({
    path: 'b',
    service: 'one',
    strategy: { name: 'aggressive', timeoutMilliseconds: 7000 },
  });
  expect(both.log.format).toBe('text');
  expect(Object.isFrozen(both)).toBe(true);
});

test('a direct string wins over Vault, Vault over the parts of DB_HOST', () => {
  const vault = {
    VAULT_ADDR: 'http://vault:8200/',
    VAULT_ROLE_ID_FILE: 'r',
    VAULT_SECRET_ID_FILE: 's',
    MIGRATION_SERVICE: 'shop',
  };
  const parts = { DB_HOST: 'old', DB_NAME: 'd', DB_ADMIN_USER: 'u', DB_ADMIN_PASSWORD: '^%&{@/' };
  expect(
    readConfig({}, { ...vault, ...parts, DB_ADMIN_CONN_STRING: 'host=db user=u dbname=d' }).connection,
  ).toMatchObject({
    kind: 'given',
    parameters: { host: 'db' },
  });
  expect(readConfig({}, { ...vault, ...parts }).connection).toEqual({
    kind: 'vault',
    access: {
      address: 'http://vault:8200',
      credentials: { kind: 'approle', roleIdFile: 'r', secretIdFile: 's' },
      path: 'secret/data/shop/migrator',
      key: 'connection_string',
    },
  });
  expect(readConfig({}, parts).connection).toMatchObject({
    kind: 'given',
    parameters: { host: 'old', port: 5432, password: '^%&{@/' },
  });
});

test('an empty variable counts as absent, an empty flag is a mistake', () => {
  expect(
    readConfig({}, { DATABASE_CONNECTION_STRING: url, MIGRATION_TIMEOUT: '', MIGRATION_APPROACH: '' })
      .strategy.name,
  ).toBe('aggressive');
  expect(() => readConfig({ '--path': '' }, { DATABASE_CONNECTION_STRING: url })).toThrow(
    '1 setting is wrong',
  );
});

test('what an AppRole login lacks is named', () => {
  const evidence = (environment: Record<string, string>) => {
    try {
      readConfig({}, { VAULT_ADDR: 'http://vault:8200', ...environment });
    } catch (error) {
      return (error as { evidence: readonly string[] }).evidence;
    }
    return [];
  };
  expect(evidence({})).toEqual([
    'VAULT_ROLE_ID_FILE: required: VAULT_ADDR needs an AppRole login, or VAULT_TOKEN',
    'VAULT_SECRET_PATH: required: where in Vault the connection string is',
  ]);
  expect(evidence({ VAULT_SECRET_ID_FILE: 's', VAULT_SECRET_PATH: 'p' })).toEqual([
    'VAULT_ROLE_ID_FILE: required: an AppRole login takes a role id and a secret id',
  ]);
  expect(evidence({ VAULT_ADDR: 'vault:8200', VAULT_TOKEN: 't', VAULT_SECRET_PATH: 'p' })).toEqual([
    'VAULT_ADDR: expected an http:// or https:// URL without credentials or query, got "vault:8200" (from the environment)',
  ]);
});

test('the environment chooses a strategy, and each of its values can be overridden', () => {
  const strategy = (environment: Record<string, string>) =>
    readConfig({}, { DATABASE_CONNECTION_STRING: url, ...environment }).strategy;
  expect(strategy({ MIGRATION_ENVIRONMENT: 'staging' })).toEqual(strategies.careful);
  expect(strategy({ MIGRATION_ENVIRONMENT: 'production' })).toEqual(strategies.conservative);
  expect(
    strategy({
      MIGRATION_ENVIRONMENT: 'production',
      MIGRATION_APPROACH: 'careful',
      MIGRATION_TIMEOUT: '20m',
      MIGRATION_LOCK_TIMEOUT: '1s',
      MIGRATION_BACKUP: 'false',
      MIGRATION_VALIDATION: 'extensive',
      MIGRATION_MANUAL_APPROVAL: 'true',
    }),
  ).toEqual({
    ...strategies.careful,
    timeoutMilliseconds: 1_200_000,
    lockTimeoutMilliseconds: 1000,
    backup: 'none',
    validation: 'extensive',
    approval: 'manual',
  });
  expect(strategy({ MIGRATION_ENVIRONMENT: 'production', MIGRATION_MANUAL_APPROVAL: 'false' }).approval).toBe(
    'none',
  );
});

test('a configuration file stands below flag and environment, and its mistakes are told with all others', () => {
  const file = { name: 'migrate.yaml', values: { timeout: '50s', service: 'filed' }, mistakes: [] };
  const environment = { DATABASE_CONNECTION_STRING: url, MIGRATION_SERVICE: 'stated' };
  expect(readConfig({}, environment, false, file)).toMatchObject({
    service: 'stated',
    strategy: { timeoutMilliseconds: 50_000 },
  });
  const wrong = {
    ...file,
    values: { timeout: 'soon' },
    mistakes: [
      { name: 'lockTimout', rule: 'unknown setting; did you mean lockTimeout? (from migrate.yaml)' },
    ],
  };
  const evidence = () => {
    try {
      readConfig({ '--format': 'xml' }, environment, false, wrong);
    } catch (error) {
      return (error as { evidence: readonly string[] }).evidence;
    }
    return [];
  };
  expect(evidence()).toEqual([
    'lockTimout: unknown setting; did you mean lockTimeout? (from migrate.yaml)',
    'timeout: expected a duration such as 30s, 500ms or 5m, got "soon" (from migrate.yaml)',
    '--format: expected text, json, got "xml" (from the command line)',
  ]);
});
