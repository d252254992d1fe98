import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { count } from '@lockstep/foundation';
import type { Port, Service, Stack } from '../compose/stack.ts';
import { PreflightError } from '../errors.ts';

/** A published port that cannot be used, and by whom it is held when that could be found. */
export interface TakenPort {
  readonly service: string;
  readonly port: Port;
  readonly reason: string;
}

/** Tries every published port of the services `wanted`. */
export async function findTakenPorts(
  stack: Stack,
  wanted: (service: string) => boolean,
): Promise<TakenPort[]> {
  const ports = [...stack.services.values()]
    .filter(({ name }) => wanted(name))
    .flatMap(({ name, ports }) => ports.map((port) => ({ service: name, port })));
  const tried = await Promise.all(
    ports.map(async ({ service, port }) => ({
      service,
      port,
      code: await tryPort(port.host, port.published),
    })),
  );
  return tried.flatMap(({ service, port, code }) =>
    code === undefined ? [] : [{ service, port, reason: reasonOf(port, code) }],
  );
}

/** @throws {PreflightError} that names each taken port, its holder and the setting that moves it */
export function refuseTakenPorts(taken: readonly TakenPort[]): void {
  const [first] = taken;
  if (first === undefined) return;
  const settings = taken.map(({ port: { setting } }) => setting).filter((setting) => setting !== undefined);
  throw new PreflightError(`${count(taken.length, 'port')} ${taken.length === 1 ? 'is' : 'are'} not free`, {
    evidence: taken.map(({ service, port: { published, setting }, reason }) => {
      const name = setting === undefined ? service : `${setting} (${service})`;
      return `${name} ${published}: ${reason}`;
    }),
    ...(settings.length === 0
      ? {}
      : { hint: `another number in .env, such as ${settings[0]}=${otherPort(first)}` }),
  });
}

/**
 * What an engine's refusal to publish a port means, in a line, and the remedy: it says so only when the port was taken after it
 * was looked at, or by something this machine does not show. Undefined for any other refusal.
 */
export function explainPortRefusal(service: Pick<Service, 'ports'>, said: string): string[] | undefined {
  if (!/address already in use|port is already allocated|bind.*in use|ports are not available/i.test(said))
    return undefined;
  const numbers = [...said.matchAll(/:(\d{1,5})\b/g)].map(([, digits]) => Number(digits));
  const port = service.ports.find(({ published }) => numbers.includes(published)) ?? service.ports[0];
  if (port === undefined) return undefined;
  const name = port.setting === undefined ? `port ${port.published}` : `${port.setting} ${port.published}`;
  const holder = portHolder(port.published) ?? 'another program';
  const other = otherPort({ port });
  return [
    `${name} is taken by ${holder}`,
    port.setting === undefined
      ? 'publish another port in the compose file, then make up'
      : `set another number in .env, such as ${port.setting}=${other}, then make up`,
  ];
}

function otherPort({ port: { published } }: Pick<TakenPort, 'port'>): number {
  return published + 1000 <= 65_535 ? published + 1000 : published - 1000;
}

/** Listens on a port for a moment; returns the code of the error, or undefined when the port is free. */
export function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function reasonOf({ host, published }: Port, code: string): string {
  if (code === 'EADDRINUSE') return `taken by ${portHolder(published) ?? 'another program'}`;
  if (code === 'EACCES') return 'this user may not listen on it; ports below 1024 are the system’s';
  if (code === 'EADDRNOTAVAIL') return `this machine has no address ${host}`;
  return code;
}

/** Who listens on a port, as `pid 123 (node server.js)`; undefined where the system does not tell. */
export function portHolder(port: number): string | undefined {
  try {
    const inodes = new Set([
      ...listeningInodes('/proc/net/tcp', port),
      ...listeningInodes('/proc/net/tcp6', port),
    ]);
    if (inodes.size === 0) return undefined;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (holdsSocket(pid, inodes)) return `pid ${pid} (${programOf(pid)})`;
    }
    return 'a program of another user';
  } catch {
    return undefined;
  }
}

/** Field 2 is the local address with the port in hexadecimal, 4 the state (0A: listening), 10 the inode (proc(5)). */
function listeningInodes(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync(table, 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([, local = '', , state, , , , , , inode = '']) =>
      local.endsWith(wanted) && state === '0A' ? [inode] : [],
    );
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((name) => {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1];
        return inode !== undefined && inodes.has(inode);
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

/** The program's name alone: its arguments may hold secrets. */
function programOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
