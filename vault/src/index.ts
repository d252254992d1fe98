export {
  createSecretId,
  ensureAppRoleAuth,
  ensureKvMount,
  type KvEntry,
  readAppRole,
  readEntry,
  readPolicy,
  readRoleId,
  waitUntilReady,
  writeAppRole,
  writeEntry,
  writePolicy,
} from './admin.ts';
export { type ReadOptions, readSecret, type SecretAccess } from './client.ts';
export { readCredentialsFile } from './credentials-file.ts';
export { type DevVault, type DevVaultOptions, startDevVault } from './embedded/server.ts';
export {
  CredentialsFileError,
  EntryChangedError,
  NotVaultError,
  SecretKeyMissingError,
  SecretPathMissingError,
  SecretValueError,
  VaultFailingError,
  VaultFailure,
  VaultForbiddenError,
  VaultLoginRefusedError,
  VaultMountError,
  VaultRequestError,
  VaultSealedError,
  VaultSettingError,
  VaultStandbyError,
  VaultUninitialisedError,
  VaultUnreachableError,
} from './errors.ts';
export type { VaultRequest } from './exchange.ts';
export type { Json, JsonObject } from './json.ts';
export { checkAddress, checkEntryPath } from './path.ts';
export {
  type AppRoleCredentials,
  openVault,
  type VaultAnswer,
  type VaultHealth,
  type VaultLogin,
  type VaultOptions,
  VaultSession,
} from './session.ts';
