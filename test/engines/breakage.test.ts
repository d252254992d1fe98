import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { containers, incarnation, inspect, owned } from '../support/containers.ts';
import { createTestStack, edit, ended, type TestStack } from '../support/stack.ts';

let stack: TestStack | undefined;
afterEach(async () => {
  await stack?.destroy();
  stack = undefined;
});

async function started(settings: Readonly<Record<string, string>> = {}): Promise<TestStack> {
  const made = await createTestStack(settings);
  stack = made;
  const up = await made.stack('up');
  expect(up.status, up.stderr + up.stdout).toBe(0);
  return made;
}

const ready = (url: string) =>
  fetch(`${url}/ready`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ status }) => status,
    () => 'no answer',
  );

/** Waits until both apps are ready; at most a minute. */
async function bothReady(made: TestStack): Promise<void> {
  const until = Date.now() + 60_000;
  for (;;) {
    const answers = await Promise.all([made.servicesUrl, made.contentUrl].map(ready));
    if (answers.every((answer) => answer === 200)) return;
    if (Date.now() > until) expect(answers).toEqual([200, 200]);
    await sleep(200);
  }
}

test('kill -9 of each server in turn: the engine brings it back, and `up` finds all in order', async () => {
  const made = await started();
  for (const service of ['services-api', 'content-api', 'postgres', 'vault']) {
    const before = await incarnation(made, service);
    const { State } = await inspect(made, service);
    process.kill(State.Pid, 'SIGKILL');
    const until = Date.now() + 60_000;
    while ((await incarnation(made, service)) === before && Date.now() < until) await sleep(200);
    expect(await incarnation(made, service), service).not.toBe(before);
    await bothReady(made);
  }
  const up = await made.stack('up');
  expect(up.status, up.stderr).toBe(0);
  await bothReady(made);
});

test('kill -9 of a migrating init container: nothing half done is left, and the next `up` goes on', async () => {
  const made = await createTestStack();
  stack = made;
  const slow = made.path('services-api/migrations/000900_slow.up.sql');
  await writeFile(slow, 'create table slow (id int);\nselect pg_sleep(20);\n');
  await writeFile(slow.replace('.up.', '.down.'), 'drop table slow;\n');
  const child = made.begin('up');
  const end = ended(child);
  const until = Date.now() + 60_000;
  for (;;) {
    const state = await inspect(made, 'services-api-migrations').then(
      ({ State }) => State,
      () => undefined,
    );
    const logs =
      state?.Status === 'running' ? (await made.stack('logs', 'services-api-migrations')).stdout : '';
    if (state !== undefined && logs.includes('000015')) {
      process.kill(state.Pid, 'SIGKILL');
      break;
    }
    if (Date.now() > until) throw new Error('the slow migration never ran');
    await sleep(100);
  }
  const killed = await end;
  expect(killed.status).toBe(1);
  expect(killed.stderr).toContain('services-api-migrations: failed with exit status 137');
  expect(await ready(made.contentUrl)).toBe(200);
  expect(await ready(made.servicesUrl)).toBe('no answer');
  await edit(slow, (text) => text.replace('pg_sleep(20)', '1'));
  const up = await made.stack('up');
  expect(up.status, up.stderr).toBe(0);
  await bothReady(made);
});

test('an app that is started by hand, past every condition, does not serve on a schema that is not there', async () => {
  const made = await createTestStack();
  stack = made;
  const broken = made.path('services-api/migrations/000001_create_services.up.sql');
  await edit(broken, (text) => `${text}\nselect nonsense;\n`);
  expect((await made.stack('up')).status).toBe(1);
  const { Id, State } = await inspect(made, 'services-api');
  expect(State.Status).toMatch(/created|configured|initialized/);
  await containers(made, 'start', Id);
  await sleep(4_000);
  expect(await ready(made.servicesUrl)).toBe('no answer');
  expect((await made.stack('logs', 'services-api')).stdout).toMatch(/receipt|schema|migrat/i);
});

test('Ctrl-C while the stack starts: status 130, what ran runs on, and `up` again completes it', async () => {
  const made = await createTestStack();
  stack = made;
  const child = made.begin('up');
  const end = ended(child);
  const until = Date.now() + 60_000;
  while ((await owned(made, 'container')).length < 7 && Date.now() < until) await sleep(100);
  child.kill('SIGINT');
  const interrupted = await end;
  expect(interrupted.status, interrupted.stderr).toBe(130);
  expect(interrupted.stderr).toMatch(/^stack: interrupted$/m);
  const up = await made.stack('up');
  expect(up.status, up.stderr).toBe(0);
});

test('two cold `up` at once agree: one waits for the other, and both end well', async () => {
  const made = await createTestStack();
  stack = made;
  const both = await Promise.all([made.stack('up'), made.stack('up')]);
  expect(
    both.map(({ status }) => status),
    both.map(({ stderr }) => stderr).join('\n'),
  ).toEqual([0, 0]);
  expect(both.map(({ stderr }) => stderr).join('')).toContain('waiting for another command on this stack');
});

test('a paused server is woken; a network removed by hand is told of with what cures it', async () => {
  const made = await started();
  await containers(made, 'pause', (await inspect(made, 'postgres')).Id);
  expect((await made.stack('status')).stdout).toMatch(/^postgres +stopped *\n +paused$/m);
  const woken = await made.stack('up');
  expect(woken.status, woken.stderr).toBe(0);
  await bothReady(made);

  for (const id of await owned(made, 'container')) await containers(made, 'stop', id);
  // Podman removes the containers with it.
  const force = made.engine === 'podman' ? ['--force'] : [];
  await containers(made, 'network', 'rm', ...force, `${made.project}_backend`);
  const up = await made.stack('up');
  if (up.status !== 0) {
    expect(up.stderr).toContain('make down, then make up');
    expect((await made.stack('down')).status).toBe(0);
    expect((await made.stack('up')).status).toBe(0);
  }
  await bothReady(made);
});

test('another engine is refused while this one runs the stack, and a reset takes what is no longer in the files', async () => {
  const made = await started();
  const other = await made.stack('--engine', 'embedded', 'up');
  expect(other.status).toBe(3);
  expect(other.stderr).toContain(`stack: the stack runs on ${made.engine}\n`);
  const orphan = `${made.project}_left-behind`;
  const label = `com.docker.compose.project=${made.project}`;
  await containers(made, 'volume', 'create', '--label', label, orphan);
  const gone = await made.stack('down', '--volumes');
  expect(gone.status, gone.stderr).toBe(0);
  expect(await owned(made, 'volume')).toEqual([]);
});

test('a port that is taken is named with its setting, before anything is started', async () => {
  const made = await createTestStack();
  stack = made;
  const server = createServer().listen(made.ports.vault, '127.0.0.1');
  await once(server, 'listening');
  const up = await made.stack('up');
  server.close();
  expect(up.status).toBe(3);
  expect(up.stderr).toContain('VAULT_PORT');
  expect(await owned(made, 'container')).toEqual([]);
});

/** A small file system of its own, for root: `size` as mount takes it. */
async function mountSmall(folder: string, size: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=1777`, 'tmpfs', folder]);
}

test('a full data volume fails the start and says so; with room again, `up` goes on', async () => {
  const made = await createTestStack();
  stack = made;
  const volume = made.path('small disk');
  await mountSmall(volume, '260m');
  try {
    await edit(made.path('compose.yaml'), (text) =>
      text.replace(
        /^volumes:\n {2}postgres: \{\}$/m,
        `volumes:\n  postgres:\n    driver_opts: { type: none, o: bind, device: "${volume}" }`,
      ),
    );
    const big = made.path('services-api/migrations/000900_fill.up.sql');
    // Unlogged, so that it is the table that fills the disk; should it be the log all the same, Postgres itself ends.
    await writeFile(
      big,
      'create unlogged table filler as select repeat(md5(i::text), 30) as text from generate_series(1, 1000000) as i;\n',
    );
    await writeFile(big.replace('.up.', '.down.'), 'drop table filler;\n');
    const up = await made.stack('up');
    expect(up.status).toBe(1);
    const logs = (await made.stack('logs')).stdout;
    expect(up.stderr + logs).toContain('No space left on device');
    expect(up.stderr).toMatch(/000900_fill\.up\.sql|connection to Postgres was lost/);
    expect(await ready(made.servicesUrl)).toBe('no answer');
    await rm(big);
    await rm(big.replace('.up.', '.down.'));
    await promisify(execFile)('mount', ['-o', 'remount,size=1g', volume]);
    const again = await made.stack('up');
    expect(again.status, again.stderr).toBe(0);
    await bothReady(made);
  } finally {
    await made.stack('down', '--volumes');
    await promisify(execFile)('umount', [volume]);
  }
});

const faketime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

test.each(['-3d', '+3d'])(
  'clocks that differ by %s between containers stop neither migrations nor apps',
  async (skew) => {
    await access(faketime);
    const made = await createTestStack();
    stack = made;
    const clocked = ['services-api', 'services-api-migrations'].map((service) =>
      [
        `  ${service}:`,
        `    volumes: ["${faketime}:/faketime.so:ro"]`,
        '    environment:',
        '      LD_PRELOAD: /faketime.so',
        `      FAKETIME: "${skew}"`,
        '      FAKETIME_DONT_FAKE_MONOTONIC: "1"',
        '      DONT_FAKE_MONOTONIC: "1"',
      ].join('\n'),
    );
    await edit(made.path('compose.override.yaml'), (text) => {
      const ports = text.replace(/^ {2}services-api:\n/m, `${clocked[0]}\n`);
      return `${ports}${clocked[1]}\n`;
    });
    const up = await made.stack('up');
    expect(up.status, up.stderr).toBe(0);
    const { stdout } = await made.stack(
      'shell',
      '--service',
      'services-api',
      '--',
      'node',
      '-p',
      'Date.now()',
    );
    const days = (Number(stdout) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(Number.parseInt(skew, 10));
    await bothReady(made);
  },
);
