import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ConnectionClosedError, TlsRefusedError, TlsUnavailableError } from './errors.ts';
import type { ConnectionParameters } from './parameters.ts';
import { tlsOptions } from './tls-options.ts';
import type { Way } from './ways.ts';

/** https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST */
const tlsRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** A connection to the server on which nothing was said yet but what TLS takes. */
export interface OpenStream {
  readonly stream: Socket;
  readonly encrypted: boolean;
}

/**
 * Connects `socket` and, where `way` says so, begins TLS on it as libpq does. Destroy the socket to end the waiting.
 *
 * @param onStream told of the encrypted stream as soon as there is one: from then on that is what must be destroyed
 * @throws {TlsUnavailableError} when the server has no TLS
 * @throws {TlsRefusedError} when TLS does not come about; {@link ConnectionClosedError}, or the socket's own error
 */
export async function openStream(
  parameters: ConnectionParameters,
  way: Way,
  socket: Socket,
  onStream: (stream: Socket) => void = () => {},
): Promise<OpenStream> {
  const { host, hostaddr, port, tlsNegotiation } = parameters;
  socket.setNoDelay(true);
  if (host.startsWith('/')) socket.connect(`${host}/.s.PGSQL.${port}`);
  else socket.connect(port, hostaddr ?? host);
  await happens(socket, 'connect');
  socket.setKeepAlive(true);
  if (way === 'plain') return { stream: socket, encrypted: false };
  if (tlsNegotiation !== 'direct') {
    socket.write(tlsRequest);
    const [answer] = await happens(socket, 'data');
    if (isAnswer(answer, 'N')) {
      if (way === 'tls') throw new TlsUnavailableError();
      return { stream: socket, encrypted: false };
    }
    // More than the one letter was sent by somebody in between (CVE-2021-23222).
    if (!isAnswer(answer, 'S')) throw new ConnectionClosedError('no answer to the request for TLS');
  }
  // From now on the encrypted stream tells what happens; nobody listens to this one any more.
  socket.on('error', () => {});
  const stream = connectTls({
    ...tlsOptions(parameters),
    socket,
    host,
    // No server name is an address (RFC 6066).
    ...(isIP(host) === 0 && parameters.tlsNamesServer !== false && { servername: host }),
    ...(tlsNegotiation === 'direct' && { ALPNProtocols: ['postgresql'] }),
  });
  onStream(stream);
  try {
    await happens(stream, 'secureConnect');
  } catch (error) {
    if (tlsNegotiation === 'direct' && hasCode(error, 'ECONNRESET')) {
      throw new ConnectionClosedError('the connection was closed: sslnegotiation=direct needs Postgres 17');
    }
    throw refusal(error);
  }
  if (tlsNegotiation === 'direct' && stream.alpnProtocol !== 'postgresql') {
    throw new TlsRefusedError('the server does not take sslnegotiation=direct', undefined);
  }
  return { stream, encrypted: true };
}

/** Waits for an event; an error, or the end, comes first when the connection fails. */
function happens(socket: Socket, event: 'connect' | 'secureConnect' | 'data'): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      socket.off(event, happened).off('error', fail).off('close', close);
    };
    const happened = (...values: unknown[]) => {
      settle();
      resolve(values);
    };
    const fail = (error: Error) => {
      settle();
      // It may fail once more while nobody waits.
      socket.on('error', () => {});
      reject(error);
    };
    const close = () => fail(new ConnectionClosedError());
    socket.once(event, happened).once('error', fail).once('close', close);
  });
}

function isAnswer(answer: unknown, letter: 'S' | 'N'): boolean {
  return Buffer.isBuffer(answer) && answer.toString('latin1') === letter;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** What the network did stays what it is; all else is TLS's. */
function refusal(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ConnectionClosedError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/^(ECONN|EPIPE|ETIMEDOUT)/.test(code) || /^(timeout expired|abandoned)$/.test(error.message))
    return error;
  return new TlsRefusedError(`${words[code] ?? 'TLS did not come about'}: ${error.message}`, error);
}

const untrusted = 'the server’s certificate is not trusted';
const words: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'the server’s certificate is for another name',
  CERT_HAS_EXPIRED: 'the server’s certificate has expired',
  CERT_NOT_YET_VALID: 'the server’s certificate is not valid yet',
  CERT_REVOKED: 'the server’s certificate was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
};
