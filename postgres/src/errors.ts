import { Failure } from '@lockstep/foundation';

/** A file of certificates or keys that a connection string names cannot be used. */
export class TlsFileError extends Failure {
  constructor(parameter: string, file: string, reason: string, cause?: unknown) {
    super(`${parameter} cannot be used: ${file}`, {
      code: 'tls-file',
      exitStatus: 2,
      evidence: [reason],
      cause,
    });
  }
}

/** TLS is wanted, and the server has none. */
export class TlsUnavailableError extends Error {
  constructor() {
    super('the server does not support TLS, and sslmode asks for it');
    this.name = 'TlsUnavailableError';
  }
}

/** TLS did not come about: the certificate is not trusted, or has another name. */
export class TlsRefusedError extends Error {
  constructor(reason: string, cause: unknown) {
    super(reason, { cause });
    this.name = 'TlsRefusedError';
  }
}

/** The server does not log in as the connection string wants it to (`channel_binding=require`). */
export class WeakLoginError extends Error {
  constructor() {
    super(
      'the server does not bind its login to the TLS connection, and channel_binding=require asks for it',
    );
    this.name = 'WeakLoginError';
  }
}

/** A standby where a primary is wanted, or the other way round (`target_session_attrs`); waiting may help. */
export class OtherServerError extends Error {
  constructor(wanted: string, found: string) {
    super(`the server is ${found}, and target_session_attrs=${wanted} asks for another`);
    this.name = 'OtherServerError';
  }
}

/** The other side closed the connection before it said anything. */
export class ConnectionClosedError extends Error {
  constructor(reason = 'the connection was closed') {
    super(reason);
    this.name = 'ConnectionClosedError';
  }
}
