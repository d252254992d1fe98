import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the range from which systems take the local port of an outgoing connection: one of the many that tests open would take a
 * port from there between the moment it is chosen and the moment a server listens on it.
 */
const lowest = 20_000;
const amount = 12_000;
const given = new Set<number>();

/** A port nobody listens on at this moment, and that this process has not been given before. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = lowest + Math.floor(Math.random() * amount);
    if (given.has(port)) continue;
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    given.add(port);
    return port;
  }
  throw new Error('no port was free');
}
