import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { moveTakenPorts } from './free-ports.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Listens on a port, on one the system chooses when 0; returns its number. */
async function listen(port = 0): Promise<number> {
  const server = createServer();
  servers.push(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A number with free ports at 0, 100 and 200 above it. */
async function roomForThree(): Promise<number> {
  for (;;) {
    const [first = 0] = [await listen()];
    for (const server of servers.splice(0)) {
      server.close();
      await once(server, 'close');
    }
    if (first > 60_000) continue;
    try {
      for (const distance of [0, 1, 100, 101, 200, 201]) await listen(first + distance);
      return first;
    } catch {
      // Another of them is taken: look elsewhere.
    } finally {
      for (const server of servers.splice(0)) server.close();
    }
  }
}

const ports = (first: number) => [
  { setting: 'A_PORT', host: '127.0.0.1', published: first },
  { setting: 'B_PORT', host: '127.0.0.1', published: first + 1 },
];

describe('the ports of a new clone', () => {
  it('stay when they are free', async () => {
    expect(await moveTakenPorts(ports(await roomForThree()))).toEqual(new Map());
  });

  it('move together, past every clone before, when one of them is taken', async () => {
    const first = await roomForThree();
    await listen(first + 1);
    await listen(first + 100);
    expect(await moveTakenPorts(ports(first))).toEqual(
      new Map([
        ['A_PORT', first + 200],
        ['B_PORT', first + 201],
      ]),
    );
  });

  it('stay when there is no room above them', async () => {
    await listen(65_530).catch(() => undefined);
    expect(await moveTakenPorts(ports(65_530))).toEqual(new Map());
  });

  it('stay when what is wrong with them is not that they are taken', async () => {
    const elsewhere = { setting: 'A_PORT', host: '203.0.113.1', published: 18_081 };
    expect(await moveTakenPorts([elsewhere])).toEqual(new Map());
  });
});
