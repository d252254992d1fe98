import { execFile, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestStack, type TestStack, testEngine } from '../support/stack.ts';

/** A file with the pid of a dockerd that may be restarted: one that nobody else uses. */
const pidFile = process.env['LOCKSTEP_DOCKERD'];
const required = (process.env['LOCKSTEP_REQUIRE'] ?? '').split(',').includes('dockerd');
const mayRestart = testEngine !== 'docker' || pidFile !== undefined || required;
if (!mayRestart) console.log('not run here: dockerd restarted under the stack (LOCKSTEP_DOCKERD is not set)');

let stack: TestStack;
beforeAll(async () => {
  stack = await createTestStack();
  const up = await stack.stack('up');
  expect(up.status, up.stderr).toBe(0);
});
afterAll(() => stack?.destroy());

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function until(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not in ${seconds} s: ${what}`);
    await sleep(100);
  }
}

/** Ends the daemon with SIGTERM, as a service manager does, and starts it anew. */
async function restartDockerd(file: string): Promise<void> {
  const pid = Number((await readFile(file, 'utf8')).trim());
  const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').filter((word) => word !== '');
  process.kill(pid, 'SIGTERM');
  await until('dockerd ended', 60, async () => !isAlive(pid));
  const log = openSync(`${file}.log`, 'a');
  const child = spawn(argv[0] ?? 'dockerd', argv.slice(1), { detached: true, stdio: ['ignore', log, log] });
  child.unref();
  await writeFile(file, `${child.pid}\n`);
  await until('dockerd answered', 60, () =>
    promisify(execFile)('docker', ['version']).then(
      () => true,
      () => false,
    ),
  );
}

/** Ends the API service that serves this stack's socket; Podman's containers have no daemon above them. */
async function endPodmanService(): Promise<void> {
  const socket = stack.path('.lockstep/podman.sock');
  for (const name of await readdir('/proc')) {
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (/^\d+$/.test(name) && line.includes('service') && line.includes(socket)) {
      process.kill(Number(name), 'SIGKILL');
      await until('the service ended', 10, async () => !isAlive(Number(name)));
      return;
    }
  }
}

test.runIf(mayRestart)(
  'the engine is restarted under the stack: `up` brings all of it back, with its rows',
  async () => {
    const created = await fetch(`${stack.servicesUrl}/services`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ slug: 'kept', title: 'Kept' }),
    });
    expect(created.status).toBe(201);
    if (testEngine === 'docker') await restartDockerd(pidFile ?? 'LOCKSTEP_DOCKERD names the file');
    else await endPodmanService();
    const up = await stack.stack('up');
    expect(up.status, up.stderr).toBe(0);
    const listed = (await (await fetch(`${stack.servicesUrl}/services`)).json()) as {
      items: { slug: string }[];
    };
    expect(listed.items.map(({ slug }) => slug)).toEqual(['kept']);
    expect((await fetch(`${stack.contentUrl}/ready`)).status).toBe(200);
  },
);
