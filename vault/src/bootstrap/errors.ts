import { Failure } from '@lockstep/foundation';
import type { Address } from './connection-string.ts';

/** Postgres did not answer before the deadline. */
export class PostgresUnreachableError extends Failure {
  constructor(address: Address, timeoutMilliseconds: number, cause: unknown) {
    super(
      `postgres at ${address.host}:${address.port} did not answer within ${timeoutMilliseconds / 1000} s`,
      {
        code: 'postgres-unreachable',
        exitStatus: 3,
        evidence: [`last answer: ${reason(cause)}`],
        hint: 'make status',
        cause,
      },
    );
  }
}

/** Postgres answered and refused the superuser: the password file and the data volume do not belong together. */
export class PostgresRefusedError extends Failure {
  constructor(address: Address, user: string, database: string, cause: unknown) {
    super(`postgres at ${address.host}:${address.port} refused user "${user}" on database "${database}"`, {
      code: 'postgres-refused',
      exitStatus: 3,
      evidence: [
        reason(cause),
        'the data volume keeps the password it was first made with; .env must still hold that one',
      ],
      cause,
    });
  }
}

/** A role's connection string is there, and no connection comes about by it. */
export class RoleUnusableError extends Failure {
  constructor(user: string, cause: unknown) {
    super(`the connection string of ${user} in Vault leads to no connection`, {
      code: 'role-unusable',
      exitStatus: 3,
      evidence: [reason(cause)],
      cause,
    });
  }
}

/** Postgres refused a statement, or ended the connection under it. */
export class PostgresFailedError extends Failure {
  constructor(cause: Error & { code: string }) {
    const timedOut = cause.code === '57014';
    super(
      timedOut ? 'postgres was not done before the deadline' : `postgres: ${cause.message} (${cause.code})`,
      {
        code: 'postgres-failed',
        exitStatus: 3,
        ...(timedOut
          ? { evidence: ['another bootstrap may hold its lock, or the server is overloaded'] }
          : {}),
        cause,
      },
    );
  }
}

/** A file the bootstrap needs is missing, unreadable, empty or not what it should be. */
export class BootstrapFileError extends Failure {
  constructor(path: string, rule: string, cause?: unknown) {
    super(`${path}: ${rule}`, { code: 'bootstrap-file', exitStatus: 2, cause });
  }
}

/** The bootstrap was told to stop. What it had made stays; the next run goes on from there. */
export class InterruptedError extends Failure {
  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}; run it again to go on`, {
      code: 'interrupted',
      exitStatus: signal === 'SIGINT' ? 130 : 143,
    });
  }
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = (cause as { code?: unknown }).code;
  return cause.message || (typeof code === 'string' ? code : cause.name);
}
