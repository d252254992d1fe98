import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { freePorts, StackFolder } from './support/stack-folder.ts';

let stack: StackFolder;
afterEach(() => stack.remove());

/** The ports that a command uses without being given any: each service’s, by its URL. */
async function ports(): Promise<Record<string, number>> {
  const { stdout } = await stack.bare(['status', '--format', 'json']);
  const { services } = JSON.parse(stdout) as { services: { service: string; url?: string }[] };
  return Object.fromEntries(
    services.flatMap(({ service, url }) => (url === undefined ? [] : [[service, Number(new URL(url).port)]])),
  );
}

it('F8.4 ports given once hold for every later command, until the stack is stopped', async () => {
  stack = await StackFolder.make();
  const given = {
    postgres: stack.ports['POSTGRES_PORT'],
    one: stack.ports['ONE_PORT'],
    two: stack.ports['TWO_PORT'],
  };
  expect((await stack.run(['up'])).status).toBe(0);
  expect(await ports()).toEqual(given);
  const pids = await stack.pids();
  const again = await stack.bare(['up']);
  expect(again.status, again.stderr).toBe(0);
  expect(again.stderr).toMatch(/^as the running stack was given: .*\bONE_PORT=\d+.* \(until make down\)$/m);
  expect(await stack.pids()).toEqual(pids);
  // A line that is written into .env since is what the person wants now.
  const [free = 0] = await freePorts(1);
  const env = join(stack.root, '.env');
  const before = readFileSync(env, 'utf8');
  writeFileSync(env, `${before}ONE_PORT=${free}\n`);
  const moved = await stack.bare(['up']);
  expect(moved.status, moved.stderr).toBe(0);
  expect(await ports()).toEqual({ ...given, one: free });
  writeFileSync(env, before);
  expect((await stack.bare(['down'])).status).toBe(0);
  const files = await ports();
  for (const [service, port] of Object.entries(given)) expect(files[service]).not.toBe(port);
});
