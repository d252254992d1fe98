export { type ConnectionParameters, parseConnectionString } from '@lockstep/postgres';
export { type AdoptResult, baselineDatabase, forceVersion } from './adopt.ts';
export type { AppliedStep } from './apply.ts';
export type { Catalog, CatalogObject } from './catalog/catalog.ts';
export { compareCatalogs, type Difference, describeDifferences } from './catalog/differences.ts';
export {
  NotCompliantError,
  RollbackUnprovenError,
  ScratchUnavailableError,
  SpecificationError,
} from './catalog/errors.ts';
export { fingerprintOf } from './catalog/fingerprint.ts';
export { type RollbacksResult, type VerifyResult, verifyRollbacks, verifySchema } from './catalog/verify.ts';
export { type CheckRequest, type CheckResult, checkSchema } from './check.ts';
export { type CommandSettings, readConfig, type Settings } from './config.ts';
export { type FileSettings, readConfigFile } from './config-file.ts';
export type { ConnectionSource, VaultAccess } from './connection-settings.ts';
export {
  ApprovalMissingError,
  BaselineRefusedError,
  CheckFailedError,
  ConfigFileError,
  ConnectionLostError,
  DatabaseRefusedError,
  DatabaseUnreachableError,
  DeadlinePassedError,
  HistoryClosedError,
  HistoryLockedError,
  HistoryTableError,
  InterruptedError,
  LockHeldError,
  LockLostError,
  MigrationFailedError,
  NoSchemaError,
  RecreateRefusedError,
  RefusedError,
  ServerError,
  SharedSessionError,
  UnsupportedServerError,
} from './errors.ts';
export {
  IrreversibleError,
  MigrationFilesError,
  MigrationsFolderError,
  NoMigrationsError,
  UnknownVersionError,
} from './file-errors.ts';
export {
  checkReceipt,
  type Queryable,
  type Requirement,
  type SchemaNotReadyCode,
  SchemaNotReadyError,
} from './gate.ts';
export {
  type HistoryResult,
  type PlanResult,
  readHistory,
  readPlan,
  readStatus,
  readVersion,
  type StatusResult,
  type VersionResult,
} from './inspect.ts';
export { loadMigrations } from './load.ts';
export { lockKey } from './lock.ts';
export { type MigrateResult, migrateTo, recreateDatabase } from './migrate.ts';
export type { Direction, Migration, SqlFile, Statement } from './migration.ts';
export type { Hooks } from './operation.ts';
export type { Anomaly, History, MigrationState, Plan, Step, Target } from './plan.ts';
export { computePlan, describeStates } from './plan.ts';
export type { Flags } from './setting-sources.ts';
export {
  type Approach,
  approaches,
  type Environment,
  environments,
  type Strategy,
  strategies,
} from './strategy.ts';
export { prepareTestingTemplate, type TestingTemplate } from './templates/testing.ts';
export { undo } from './undo.ts';
