import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, BlockList, isIP, type Socket } from 'node:net';
import { DevVaultAddressError, PortTakenError } from './errors.ts';
import { readRequest } from './http-request.ts';
import { sendAnswer, sendRefusal } from './http-response.ts';
import { acceptListMethod } from './list-method.ts';
import { ApiRefusal } from './refusal.ts';
import { EmbeddedVault } from './vault.ts';

/** How to start a development Vault. */
export interface DevVaultOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** A loopback address; `127.0.0.1` by default. */
  readonly host?: string | undefined;
  /** True allows any address: inside a container the network is the container's own. */
  readonly anyAddress?: boolean | undefined;
  /** Generated when left out. */
  readonly rootToken?: string | undefined;
  /** Generated when left out. */
  readonly unsealKey?: string | undefined;
  /** False starts a Vault that somebody has to initialise first, by `PUT sys/init`. */
  readonly initialised?: boolean | undefined;
  /** Told of defects of this server; never of requests or secrets. Silent by default. */
  readonly onDefect?: ((error: unknown) => void) | undefined;
}

/** A development Vault that listens. */
export interface DevVault {
  /** `http://127.0.0.1:18200` */
  readonly address: string;
  readonly port: number;
  /** Empty when it is not initialised. */
  readonly rootToken: string;
  readonly unsealKey: string;
  /** Ends every connection and stops listening. What was stored is gone. */
  close(): Promise<void>;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Starts a development Vault on the loopback interface: KV version 2 at `secret/`, tokens, AppRole, ACL policies; all
 * in memory, all gone when it ends. Unsealed, unless `initialised` is false.
 *
 * @throws {DevVaultAddressError} for any address that other machines could reach, unless `anyAddress`
 * @throws {PortTakenError} when somebody else listens there
 */
export async function startDevVault(options: DevVaultOptions): Promise<DevVault> {
  const host =
    options.anyAddress === true
      ? (options.host ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1')
      : loopbackHost(options.host ?? '127.0.0.1');
  const vault = new EmbeddedVault();
  const keys =
    options.initialised === false
      ? { rootToken: '', unsealKey: '' }
      : vault.initialise({ rootToken: options.rootToken, unsealKey: options.unsealKey });
  if (keys.unsealKey !== '') vault.seal.unseal(keys.unsealKey);

  const server = createVaultServer(vault, options.onDefect ?? (() => undefined));
  const sockets = new Set<Socket>();
  server.prependListener('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listen(server, host, options.port);
  const sweeper = setInterval(() => vault.sweep(), 60_000).unref();
  const { port } = server.address() as AddressInfo;
  return {
    ...keys,
    port,
    address: `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        clearInterval(sweeper);
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function createVaultServer(vault: EmbeddedVault, onDefect: (error: unknown) => void): Server {
  const server = createServer(
    // A client that dribbles its request is cut off; checked every second.
    {
      headersTimeout: 5_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 60_000,
      connectionsCheckingInterval: 1_000,
    },
    (message, response) => void respond(vault, message, response, onDefect),
  );
  acceptListMethod(server);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable) return socket.destroy();
    const status = clientErrors[error.code ?? ''] ?? '400 Bad Request';
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{"errors":[]}\n`,
    );
    return socket;
  });
  return server;
}

const clientErrors: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_INVALID_METHOD: '405 Method Not Allowed',
};

async function respond(
  vault: EmbeddedVault,
  message: IncomingMessage,
  response: ServerResponse,
  onDefect: (error: unknown) => void,
): Promise<void> {
  try {
    const request = await readRequest(message);
    sendAnswer(response, request.operation, vault.answer(request));
  } catch (error) {
    if (message.destroyed && !message.complete) return;
    if (!(error instanceof ApiRefusal)) onDefect(error);
    if (response.headersSent) return void response.destroy();
    sendRefusal(response, error instanceof ApiRefusal ? error : new ApiRefusal(500, 'internal error'));
  }
}

function loopbackHost(host: string): string {
  // Not looked up: a name may point anywhere, this one included.
  const address = host === 'localhost' ? '127.0.0.1' : host.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(address);
  if (family === 0 || !loopback.check(address, family === 6 ? 'ipv6' : 'ipv4'))
    throw new DevVaultAddressError(host);
  return address;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE' || error.code === 'EACCES'
          ? new PortTakenError(host, port, error)
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
}
