import { count, Failure } from '@lockstep/foundation';

/** A wrong argument, or a project that is not one. Exit status 2. */
export class UsageError extends Failure {
  constructor(fact: string, detail: { evidence?: readonly string[]; hint?: string } = {}) {
    super(fact, { code: 'usage', exitStatus: 2, ...detail });
  }
}

/** Everything that is wrong in the compose files, all at once, each with its place. Exit status 2. */
export class StackFileError extends Failure {
  constructor(mistakes: readonly string[]) {
    super(`${count(mistakes.length, 'mistake')} in the stack's files`, {
      code: 'stack-file',
      exitStatus: 2,
      evidence: mistakes,
    });
  }
}

/** `.env` cannot be used as it is. Exit status 2. */
export class EnvFileError extends Failure {
  constructor(fact: string, evidence: readonly string[], hint?: string, cause?: unknown) {
    super(fact, {
      code: 'env-file',
      exitStatus: 2,
      evidence,
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** No engine, or not the named one, is there; says why for each that was tried. Exit status 3. */
export class EngineUnavailable extends Failure {
  constructor(fact: string, reasons: readonly string[], hint: string | undefined) {
    super(fact, {
      code: 'engine-unavailable',
      exitStatus: 3,
      evidence: reasons,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** Something the stack needs from this machine is missing: a free port, a folder, a program. Exit status 3. */
export class PreflightError extends Failure {
  constructor(fact: string, detail: { evidence?: readonly string[]; hint?: string; cause?: unknown } = {}) {
    super(fact, { code: 'preflight', exitStatus: 3, ...detail });
  }
}

/** The stack is another checkout's, and nobody said that this one may have it. Nothing was changed. Exit status 7. */
export class ForeignStackError extends Failure {
  constructor(fact: string, evidence: readonly string[], hint: string) {
    super(fact, { code: 'foreign-stack', exitStatus: 7, evidence, hint });
  }
}

/** One or more services did not become ready; the evidence holds each one's own words. Exit status 1. */
export class ServiceFailed extends Failure {
  constructor(fact: string, evidence: readonly string[], hint?: string) {
    super(fact, { code: 'service-failed', exitStatus: 1, evidence, ...(hint === undefined ? {} : { hint }) });
  }
}

/** The engine itself refused or broke; the evidence holds its own words. Exit status 1. */
export class EngineError extends Failure {
  constructor(fact: string, evidence: readonly string[] = [], cause?: unknown) {
    super(fact, { code: 'engine', exitStatus: 1, evidence, cause });
  }
}

/** What destroys was not confirmed, or nobody could be asked; nothing was changed. Exit status 7. */
export class ConfirmationMissing extends Failure {
  constructor(fact: string, evidence: readonly string[]) {
    super(fact, {
      code: 'confirmation-missing',
      exitStatus: 7,
      evidence: [...evidence, 'nothing was changed'],
    });
  }
}

/** A person or the system asked to stop. Exit status 130 (SIGINT) or 143 (SIGTERM). */
export class Interrupted extends Failure {
  constructor(signal: 'SIGINT' | 'SIGTERM', evidence: readonly string[] = []) {
    super('interrupted', { code: 'interrupted', exitStatus: signal === 'SIGINT' ? 130 : 143, evidence });
  }
}

/** The `code` of a system error (`ENOENT`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** What a system error says, for people: `permission denied`, `no space left on device`. */
export function systemReason(error: unknown): string {
  const code = systemCode(error);
  const known: Record<string, string> = {
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no space left on the device',
    EDQUOT: 'the disk quota is used up',
    ENOENT: 'not found',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of the path is not a folder',
    ELOOP: 'too many symbolic links',
    EMFILE: 'too many open files',
  };
  if (code !== undefined && known[code] !== undefined) return known[code];
  return error instanceof Error ? error.message : String(error);
}
