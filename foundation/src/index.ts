export { mapAtMost } from './at-most.ts';
export { Deadline, type PhaseTiming } from './deadline.ts';
export { Failure, type FailureDetail, renderFailure, toFailure } from './failure.ts';
export { createLog, type Log, type LogFormat, type LogLevel, logLevels } from './log.ts';
export { markSecret, redact, redactField, redactJson } from './redaction.ts';
export { parseDuration, type SettingSource, SettingsError, SettingsReader } from './settings.ts';
export { count, nearest } from './words.ts';
