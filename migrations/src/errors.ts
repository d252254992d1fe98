import { Failure, type PhaseTiming } from '@lockstep/foundation';
import type { SchemaNotReadyError } from './gate.ts';
import type { Disagreement } from './history/agreement.ts';
import { type Json, jsonVersion } from './json.ts';
import type { Anomaly } from './plan.ts';

/** A command, option or argument that does not exist or does not fit. */
export class UsageError extends Failure {
  constructor(fact: string, hint: string | undefined = 'migrate --help') {
    super(fact, { code: 'usage', exitStatus: 2, hint });
  }
}

/** The configuration file cannot be read, or is no mapping of settings. */
export class ConfigFileError extends Failure {
  constructor(fact: string, evidence: readonly string[], cause?: unknown) {
    super(fact, { code: 'config-file', exitStatus: 2, subject: 'config', evidence, cause });
  }
}

/** Postgres was not there in time, or never answered. */
export class DatabaseUnreachableError extends Failure {
  readonly address: string;

  constructor(address: string, timeout: string, reason: string, cause: unknown) {
    super(`Postgres at ${address} was not there within ${timeout}`, {
      code: 'database-unreachable',
      exitStatus: 3,
      evidence: [reason],
      cause,
    });
    this.address = address;
  }
}

/** Postgres answered and said no: a wrong password, no such database, no right to connect. Waiting would not help. */
export class DatabaseRefusedError extends Failure {
  constructor(address: string, reason: string, evidence: readonly string[], cause: unknown) {
    super(`Postgres at ${address} refused: ${reason}`, {
      code: 'database-refused',
      exitStatus: 3,
      evidence,
      cause,
    });
  }
}

/** The connection was lost for good: again and again, or where nothing can be begun anew. */
export class ConnectionLostError extends Failure {
  constructor(fact: string, evidence: readonly string[], cause: unknown) {
    super(fact, { code: 'connection-lost', exitStatus: 3, evidence, cause });
  }
}

/** A proxy hands the server's sessions from one client to the next: a lock would exclude nobody. */
export class SharedSessionError extends Failure {
  constructor({ host, port }: { readonly host: string; readonly port: number }, evidence: string) {
    super(`Postgres at ${host}:${port} is behind a proxy that shares its sessions`, {
      code: 'shared-session',
      exitStatus: 3,
      evidence: [evidence, 'the migration lock would exclude nobody; nothing was changed'],
      hint: 'connect to the server itself, or to a pool with pool_mode = session',
    });
  }
}

/** Postgres refused something that the migrator itself needed, such as reading or writing the history. */
export class ServerError extends Failure {
  constructor(message: string, evidence: readonly string[], cause: unknown) {
    super(`Postgres refused what the migrator needs: ${message}`, {
      code: 'server',
      exitStatus: 3,
      evidence,
      cause,
    });
  }
}

export class UnsupportedServerError extends Failure {
  constructor(version: string) {
    super(`Postgres ${version} is too old: 15 or newer is needed`, {
      code: 'unsupported-server',
      exitStatus: 3,
    });
  }
}

/** A table of the history is there, and this role may not read it. */
export class HistoryClosedError extends Failure {
  constructor(table: string, role: string, owner: string | undefined, reason: string, cause: unknown) {
    super(`the role ${role} may not read the history in ${table}`, {
      code: 'history-closed',
      exitStatus: 3,
      evidence: [reason],
      hint: `${owner === undefined ? 'the role that migrates' : `the role ${owner}`}, which owns the table`,
      cause,
    });
  }
}

/** A failure whose JSON document says more than the error itself. */
export abstract class DocumentedFailure extends Failure {
  /** What stands in the document beside `success`, `command` and `error`. */
  abstract readonly document: Readonly<Record<string, Json>>;
}

/** What `migrate check` was asked for does not hold. */
export class CheckFailedError extends DocumentedFailure {
  /** What the receipt says; undefined when it is not there or nothing is applied. */
  readonly version: bigint | undefined;
  /** What it was asked to say at least; undefined when any version would do. */
  readonly required: bigint | undefined;

  constructor(
    reason: SchemaNotReadyError,
    required: bigint | undefined,
    evidence: readonly string[],
    hint: string | undefined,
  ) {
    const { code, message, version } = reason;
    super(message, {
      code,
      exitStatus: code === 'schema-dirty' ? 5 : 3,
      evidence,
      cause: reason,
      ...(hint === undefined ? {} : { hint }),
    });
    this.version = version;
    this.required = required;
  }

  get document() {
    return { ready: false, version: jsonVersion(this.version), required: jsonVersion(this.required) };
  }
}

/** A tracking table is there and is not what golang-migrate or this migrator made. */
export class HistoryTableError extends Failure {
  constructor(table: string, reason: string, cause?: unknown) {
    super(`the table ${table} cannot hold the history: ${reason}`, {
      code: 'history-table',
      exitStatus: 3,
      evidence: ['another table can be named with MIGRATIONS_TABLE'],
      cause,
    });
  }
}

/** No schema of search_path exists, so that a table without one has no place to be. */
export class NoSchemaError extends Failure {
  constructor(table: string, searchPath: string) {
    const missing = searchPath.trim() === '' ? 'search_path is empty' : `no schema of search_path exists`;
    super(`the table ${table} has no schema to be in: ${missing}`, {
      code: 'no-schema',
      exitStatus: 3,
      evidence: searchPath.trim() === '' ? [] : [`search_path: ${searchPath.replace(/\p{C}+/gu, ' ')}`],
      hint: 'create the schema, or name one with MIGRATIONS_TABLE=schema.table',
    });
  }
}

/** Somebody kept a lock on the tables of the history until the deadline. */
export class HistoryLockedError extends Failure {
  constructor(database: string, timeout: string, holders: readonly string[], cause: unknown) {
    super(`the history of ${database} could not be read within ${timeout}`, {
      code: 'history-locked',
      exitStatus: 3,
      evidence: holders,
      cause,
    });
  }
}

/** Another migrator kept the lock until the deadline. */
export class LockHeldError extends Failure {
  constructor(database: string, timeout: string, holder: string | undefined, hint: string) {
    super(`the lock on ${database} was not free after ${timeout}`, {
      code: 'lock-held',
      exitStatus: 4,
      evidence: [`holder: ${holder ?? 'gone again each time it was asked for'}`],
      hint,
    });
  }
}

/** A migration let go of the lock (`pg_advisory_unlock_all()`), and another migrator took it. What ran is not recorded. */
export class LockLostError extends Failure {
  constructor(cause: unknown) {
    super('the migration let go of the migration lock, and another migrator took it', {
      code: 'lock-lost',
      exitStatus: 4,
      evidence: ['pg_advisory_unlock_all() and its like let go of all locks of a session'],
      cause,
    });
  }
}

/** A migration failed on its own account. */
export class MigrationFailedError extends Failure {
  constructor(fact: string, evidence: readonly string[], hint: string | undefined, cause: unknown) {
    super(fact, {
      code: 'migration-failed',
      exitStatus: 1,
      evidence,
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** The deadline passed while migrations ran. */
export class DeadlinePassedError extends Failure {
  constructor(fact: string, evidence: readonly string[], hint: string | undefined, cause?: unknown) {
    super(fact, {
      code: 'deadline-passed',
      exitStatus: 8,
      evidence,
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** A signal, or a caller's own, ended the run. What ran was rolled back, and the lock released. */
export class InterruptedError extends Failure {
  readonly by: string;

  /** @param by the signal: `SIGTERM` ends with status 143, every other with 130 */
  constructor(by: string, during = '', evidence: readonly string[] = []) {
    super(`interrupted by ${by}${during}`, {
      code: 'interrupted',
      exitStatus: by === 'SIGTERM' ? 143 : 130,
      evidence,
    });
    this.by = by;
  }
}

/** Something is dirty, edited, missing or out of order, and the strategy may not repair it. */
export class RefusedError extends Failure {
  readonly anomalies: readonly Anomaly[];

  constructor(
    fact: string,
    anomalies: readonly Anomaly[],
    evidence: readonly string[],
    hint: string,
    cause?: unknown,
  ) {
    const dirty = anomalies.some(({ kind }) => kind === 'dirty');
    super(fact, { code: dirty ? 'dirty' : 'refused', exitStatus: dirty ? 5 : 6, evidence, hint, cause });
    this.anomalies = anomalies;
  }
}

/** Somebody changed the receipt by hand; in development it is put right, elsewhere somebody must say which is. */
export class ReceiptDisagreesError extends Failure {
  constructor(name: string, { receipt, history }: Disagreement) {
    super(`the receipt of ${name} says ${receipt ?? 'none'}, and its history ${history}`, {
      code: 'receipt-disagrees',
      exitStatus: 6,
      evidence: [
        'golang-migrate did not write that row, and lockstep writes both at once: it was changed by hand',
        'force runs nothing; its version is the one that the schema is at',
      ],
      hint: `migrate force ${history}`,
    });
  }
}

/** Somebody must say yes, and did not. */
export class ApprovalMissingError extends Failure {
  constructor(fact: string, evidence: readonly string[], hint: string | undefined) {
    super(fact, {
      code: 'approval-missing',
      exitStatus: 7,
      evidence,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** The steps are applied, and the rows or what was left behind are not as they should be. */
export class DataCheckError extends Failure {
  constructor(name: string, wrong: readonly string[]) {
    super(
      `the steps are applied, and ${wrong.length} of the checks of ${name} ${wrong.length === 1 ? 'does' : 'do'} not hold`,
      {
        code: 'data-check',
        exitStatus: 6,
        evidence: wrong,
      },
    );
  }
}

/** The strategy insists on a record of what it does, and the sink does not take one. */
export class AuditUnreachableError extends Failure {
  constructor(strategy: string, sink: string, reason: string) {
    super(`the audit sink ${sink} does not take events, and the ${strategy} strategy insists on it`, {
      code: 'audit-unreachable',
      exitStatus: 3,
      evidence: [reason, 'nothing was changed'],
    });
  }
}

/** What was to be recorded of a dirty database is no longer so. */
export class ResolveRefusedError extends Failure {
  constructor(database: string, reason: string) {
    super(`nothing was recorded for ${database}: ${reason}`, {
      code: 'resolve-refused',
      exitStatus: 5,
      evidence: [],
      hint: 'migrate resolve',
    });
  }
}

/** A baseline is for databases without a history, and this one has one. */
export class BaselineRefusedError extends Failure {
  constructor(database: string, version: bigint | undefined) {
    super(`${database} has a history`, {
      code: 'baseline-refused',
      exitStatus: 6,
      evidence: [
        version === undefined
          ? 'it has rows of earlier migrations'
          : `it says ${version < 0n ? 'none' : version}`,
      ],
      hint: 'migrate status',
    });
  }
}

/** A recreate or undo was asked for, and cannot be done here. */
export class RecreateRefusedError extends Failure {
  constructor(fact: string, evidence: readonly string[], cause?: unknown) {
    super(fact, { code: 'recreate-refused', exitStatus: 3, evidence, cause });
  }
}

/** The same failure with one more line of evidence; still an instance of its class. */
export function withEvidence(failure: Failure, line: string): Failure {
  return Object.create(failure, { evidence: { value: [...failure.evidence, line], enumerable: true } });
}

/** `vault 12 ms, database 40 ms, lock 29,950 ms`. */
export function describePhases(phases: readonly PhaseTiming[]): string {
  return phases
    .map(({ phase, milliseconds }) => `${phase} ${Math.round(milliseconds).toLocaleString('en')} ms`)
    .join(', ');
}

/** `30 s`, `500 ms`, `5 min`. */
export function describeDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${Number((milliseconds / 1000).toFixed(1))} s`;
}
