import { Failure } from '@lockstep/foundation';

/** The database gave no answer: not there, starting, shutting down, or the connection broke. Waiting may help. */
export class DatabaseUnreachableError extends Failure {
  constructor(reason: string, detail: { waitedMilliseconds?: number; cause?: unknown } = {}) {
    const { waitedMilliseconds, cause } = detail;
    const waited = waitedMilliseconds === undefined ? '' : ` in ${Math.round(waitedMilliseconds / 1000)} s`;
    super(`the database did not answer${waited}`, {
      code: 'database-unreachable',
      exitStatus: 3,
      evidence: [reason],
      hint: 'make status',
      cause,
    });
  }
}

/** The database answered and let nobody in: wrong credentials, no such database, no right to connect. */
export class DatabaseRefusedError extends Failure {
  constructor(reason: string, cause: unknown) {
    super('the database refused the connection', {
      code: 'database-refused',
      exitStatus: 3,
      evidence: [reason],
      hint: 'make doctor',
      cause,
    });
  }
}

/** A connection string that cannot be used; its text never appears, because it holds a password. */
export class ConnectionStringError extends Failure {
  constructor(origin: string, rule: string) {
    super(`the connection string from ${origin} is wrong`, {
      code: 'connection-string',
      exitStatus: 2,
      evidence: [rule],
    });
  }
}

/** The app cannot listen where it was told to. */
export class ListenError extends Failure {
  constructor(address: string, reason: string, cause: unknown) {
    super(`cannot listen on ${address}: ${reason}`, {
      code: 'listen',
      exitStatus: 3,
      hint: 'set LISTEN_ADDRESS to a free address, such as 127.0.0.1:0',
      cause,
    });
  }
}
