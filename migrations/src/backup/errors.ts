import { Failure } from '@lockstep/foundation';
import { DocumentedFailure } from '../errors.ts';
import type { Json } from '../json.ts';

/** No pg_dump or pg_restore of the server's major version is there. */
export class PgToolMissingError extends Failure {
  constructor(fact: string, evidence: readonly string[]) {
    super(fact, { code: 'pg-tool', exitStatus: 3, evidence });
  }
}

/** A backup could not be taken or restored; no half-written file stays. */
export class BackupFailedError extends Failure {
  constructor(fact: string, evidence: readonly string[], cause?: unknown) {
    super(fact, { code: 'backup-failed', exitStatus: 3, evidence, cause });
  }
}

/** There is no such backup, or its file is not what was written. */
export class BackupUnusableError extends Failure {
  constructor(fact: string, evidence: readonly string[], hint = 'migrate backup --list') {
    super(fact, { code: 'backup-unusable', exitStatus: 3, evidence, hint });
  }
}

/** Restored into a scratch database, a backup did not give what it was taken of. */
export class BackupUnverifiedError extends DocumentedFailure {
  readonly document: Readonly<Record<string, Json>>;

  constructor(path: string, evidence: readonly string[]) {
    super(`the backup ${path} does not restore to what it was taken of`, {
      code: 'backup-unverified',
      exitStatus: 6,
      evidence,
    });
    this.document = { verified: false, path };
  }
}
