import { randomUUID } from 'node:crypto';
import { Failure } from '@lockstep/foundation';
import type { Settings } from '../config.ts';
import type { Json } from '../json.ts';

export type AuditedOperation = 'MIGRATION_EXECUTE' | 'MIGRATION_ROLLBACK';

/** One moment of an operation, in the words that auditors of the systems before this one know. */
export interface AuditEvent {
  readonly audit_id: string;
  readonly operation_type: AuditedOperation;
  readonly outcome: 'started' | 'succeeded' | 'failed';
  /** As `migrate` calls it: `up`, `restore`. */
  readonly command: string;
  readonly service: string;
  /** Where it leads or led; empty when that is not known. */
  readonly migration_version: string;
  readonly environment: string;
  readonly correlation_id: string;
  readonly trace_id: string;
  readonly user_id: string;
  readonly migration_details: {
    readonly approach: string;
    readonly backup_status: 'success' | 'failed' | 'skipped';
    readonly validation_result: 'passed' | 'failed' | 'skipped';
    readonly duration_seconds: number;
    readonly affected_tables: readonly string[];
    /** The failure's code and fact; null unless it failed. */
    readonly error: { readonly code: string; readonly message: string } | null;
  };
  readonly audit_timestamp: string;
}

/** What an event tells besides its settings. */
export interface Moment {
  readonly operation: AuditedOperation;
  readonly command: string;
  readonly outcome: AuditEvent['outcome'];
  readonly milliseconds: number;
  readonly version?: string | undefined;
  /** What the command reported; undefined before its end. */
  readonly report?: Readonly<Record<string, Json>> | undefined;
  readonly error?: unknown;
}

/** Makes the event of a moment. */
export function toAuditEvent(settings: Settings, correlationId: string, moment: Moment): AuditEvent {
  const { audit, strategy } = settings;
  const failure = moment.error instanceof Failure ? moment.error : undefined;
  return {
    audit_id: randomUUID(),
    operation_type: moment.operation,
    outcome: moment.outcome,
    command: moment.command,
    service: settings.service ?? '',
    migration_version: moment.version ?? textOf(moment.report?.['to'] ?? moment.report?.['version']),
    environment: settings.environment ?? '',
    correlation_id: correlationId,
    trace_id: audit.traceId ?? '',
    user_id: audit.userId ?? 'system',
    migration_details: {
      approach: strategy.name,
      backup_status: backupStatus(moment, failure),
      validation_result: validationResult(moment, failure),
      duration_seconds: Math.round(moment.milliseconds) / 1000,
      affected_tables: tablesOf(moment.report?.['affectedTables']),
      error: failure === undefined ? null : { code: failure.code, message: failure.message },
    },
    audit_timestamp: new Date().toISOString(),
  };
}

function backupStatus({ report }: Moment, failure: Failure | undefined): 'success' | 'failed' | 'skipped' {
  const failed = ['backup-failed', 'backup-unverified', 'backup-unusable', 'pg-tool'];
  if (failure !== undefined && failed.includes(failure.code)) return 'failed';
  return report?.['backup'] === undefined || report['backup'] === null ? 'skipped' : 'success';
}

function validationResult({ report }: Moment, failure: Failure | undefined): 'passed' | 'failed' | 'skipped' {
  const failed = ['preflight', 'not-compliant', 'data-check', 'rollback-unproven', 'applications'];
  if (failure !== undefined && failed.includes(failure.code)) return 'failed';
  return report?.['compliant'] === true ? 'passed' : 'skipped';
}

function textOf(value: Json | undefined): string {
  return value === undefined || value === null ? '' : String(value);
}

function tablesOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
