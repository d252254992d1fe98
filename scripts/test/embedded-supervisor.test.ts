import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { freePorts, isRunning, oneService, pidsWith, StackFolder, until } from './support/stack-folder.ts';

let stack: StackFolder;
afterEach(() => stack.remove());

describe('the supervisor', () => {
  it('when killed, takes its services with it, and the next up heals', async () => {
    stack = await StackFolder.make();
    await stack.run(['up']);
    const before = Object.values(await stack.pids());
    process.kill(stack.supervisorPid(), 'SIGKILL');
    await until('no service runs', () => before.every((pid) => !isRunning(pid)));
    expect(await stack.states()).toMatchObject({ postgres: 'stopped', one: 'stopped' });
    expect((await stack.run(['up'])).status).toBe(0);
    expect(await stack.states()).toMatchObject({ postgres: 'healthy', one: 'healthy', two: 'healthy' });
  });

  it('when paused, is said not to answer, and the next up replaces it', async () => {
    stack = await StackFolder.make();
    await stack.run(['up']);
    const paused = stack.supervisorPid();
    process.kill(paused, 'SIGSTOP');
    expect(await stack.run(['status'])).toEqual({
      status: 1,
      stdout: '',
      stderr: `stack: the supervisor of the embedded engine does not answer\n  pid ${paused}; make up replaces it, make down ends it\n`,
    });
    expect((await stack.run(['up'])).status).toBe(0);
    expect(isRunning(paused)).toBe(false);
    expect(await stack.states()).toMatchObject({ postgres: 'healthy', one: 'healthy', two: 'healthy' });
    process.kill(stack.supervisorPid(), 'SIGSTOP');
    expect((await stack.run(['down'])).status).toBe(0);
    expect(Object.values(await stack.pids()).filter(isRunning)).toEqual([]);
  });

  it.each(['deleted', 'moved'])('stops everything when its project is %s', async (change) => {
    stack = await StackFolder.make();
    await stack.run(['up']);
    const { root } = stack;
    const running = [stack.supervisorPid(), ...Object.values(await stack.pids())];
    expect(running.filter(isRunning).length).toBeGreaterThan(3);
    renameSync(root, `${root} moved`);
    if (change === 'deleted') rmSync(`${root} moved`, { recursive: true });
    await until('nothing runs', () => !running.some(isRunning));
    if (change === 'moved') renameSync(`${root} moved`, root);
    else mkdirSync(root);
  });

  it('F8.1 of a copied folder starts a stack of its own, and leaves the first one’s processes alone', async () => {
    stack = await StackFolder.make();
    await stack.run(['up']);
    const before = await stack.pids();
    const copy = `${stack.root} copied`;
    // With its locks, its state and its socket, as `cp -a` does it.
    expect(spawnSync('cp', ['-a', stack.root, copy]).status).toBe(0);
    const inCopy = (words: string[], env: Record<string, string> = {}) =>
      stack.run(['--project-directory', copy, ...words], env);
    const stopped = await inCopy(['status']);
    expect(stopped.stdout).not.toMatch(/healthy/);
    expect(await inCopy(['down'])).toMatchObject({
      status: 0,
      stderr: 'nothing was running; the volumes are kept\n',
    });
    const taken = await inCopy(['up']);
    expect(taken.status, taken.stderr).toBe(3);
    expect(taken.stderr).toContain('3 ports are not free');
    const [one = '', two = '', three = ''] = (await freePorts(3)).map(String);
    const ports = { POSTGRES_PORT: one, ONE_PORT: two, TWO_PORT: three };
    const up = await inCopy(['up'], ports);
    expect(up.status, up.stderr).toBe(0);
    expect((await inCopy(['reset'], ports)).status).toBe(0);
    expect((await inCopy(['down', '--volumes'], ports)).status).toBe(0);
    expect(await stack.pids()).toEqual(before);
    expect((await stack.ask('one')).pid).toBe(before['one']);
  });

  it('restarts at up what is paused, and nothing else', async () => {
    stack = await StackFolder.make();
    await stack.run(['up']);
    const before = await stack.pids();
    for (const name of ['postgres', 'one']) process.kill(before[name] ?? 0, 'SIGSTOP');
    expect((await stack.run(['up'])).status).toBe(0);
    const after = await stack.pids();
    expect(after['two']).toBe(before['two']);
    for (const name of ['postgres', 'one']) {
      expect(after[name]).not.toBe(before[name]);
      expect(isRunning(before[name])).toBe(false);
    }
    expect(await stack.states()).toMatchObject({ postgres: 'healthy', one: 'healthy', two: 'healthy' });
  });

  it('when killed together with its watchdog, leaves services that the next up finds and ends', async () => {
    stack = await StackFolder.make();
    await stack.run(['up']);
    const before = Object.values(await stack.pids());
    await stack.killSupervisorAndWatchdog();
    expect(before.filter((pid) => pid !== undefined).every(isRunning)).toBe(true);
    expect((await stack.run(['up'])).status).toBe(0);
    expect(before.filter(isRunning)).toEqual([]);
    expect(stack.read('.lockstep/embedded/supervisor.log')).toMatch(
      /^ended what a dead supervisor left running: /m,
    );
  });

  it('ends by down what a dead supervisor and its watchdog left', async () => {
    stack = await StackFolder.make({
      compose: oneService(
        'x-embedded: { entrypoint: [node, programs/stubborn.mjs] }\nstop_grace_period: 300ms',
      ),
    });
    await stack.run(['up']);
    await until('it runs', () => existsSync(join(stack.root, 'pids')));
    const { only } = await stack.pids();
    await stack.killSupervisorAndWatchdog();
    expect(isRunning(only)).toBe(true);
    expect((await stack.run(['doctor'])).stdout).toContain(
      "the embedded engine's supervisor died; still running: only",
    );
    expect((await stack.run(['down'])).status).toBe(0);
    expect(isRunning(only)).toBe(false);
  });

  it('never signals a process that only has the pid of a recorded one', async () => {
    stack = await StackFolder.make();
    const innocent = spawn('sleep', ['60']);
    onTestFinished(() => void innocent.kill());
    stack.write(
      '.lockstep/embedded/state.json',
      JSON.stringify({
        supervisor: { pid: innocent.pid, started: 'before' },
        running: [
          { service: 'postgres', stamp: { pid: innocent.pid, started: 'before' }, stopSignal: 'SIGKILL' },
        ],
      }),
    );
    stack.write(
      '.lockstep/embedded/supervisor.lock.4',
      JSON.stringify({ pid: innocent.pid, started: 'before' }),
    );
    expect((await stack.run(['up'])).status).toBe(0);
    expect(isRunning(innocent.pid)).toBe(true);
  });

  it.each([
    ['a stale socket', 'control.sock', ''],
    ['an empty state file', 'state.json', ''],
    [
      'a state file that is none',
      'state.json',
      '{"supervisor":{"pid":1,"started":"x"},"running":[{"stamp":{"pid":-1}}]}',
    ],
    ['an empty lock', 'supervisor.lock.1', ''],
  ])('starts in spite of %s', async (_, file, text) => {
    stack = await StackFolder.make({
      compose: oneService('x-embedded: { entrypoint: [node, programs/one-shot.mjs] }'),
    });
    stack.write(`.lockstep/embedded/${file}`, text);
    expect((await stack.run(['up'])).status).toBe(0);
  });

  it('is one, however many start it at the same time', async () => {
    stack = await StackFolder.make();
    const runs = await Promise.all(Array.from({ length: 4 }, () => stack.run(['up'])));
    expect(runs.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(new Set(runs.map(({ stdout }) => stdout.match(/^postgres .*:(\d+)/m)?.[1])).size).toBe(1);
    expect(stack.read('.env').match(/^POSTGRES_PASSWORD=/gm)).toHaveLength(1);
    expect(stack.runs('bootstrap')).toEqual(['up', 'up', 'up', 'up']);
    expect(pidsWith(`supervisor.js ${stack.root}`)).toEqual([stack.supervisorPid()]);
  });

  it('listens elsewhere when the project’s path is too long for a socket', async () => {
    stack = await StackFolder.make({
      compose: oneService('x-embedded: { entrypoint: [node, programs/one-shot.mjs] }'),
    });
    const deep = join(stack.root, 'd'.repeat(120));
    mkdirSync(deep);
    for (const name of ['programs', 'compose.yaml']) spawnSync('cp', ['-r', join(stack.root, name), deep]);
    const up = await stack.run(['--project-directory', deep, 'up']);
    expect(up.stderr).toMatch(/^ready in /m);
    expect(up.status).toBe(0);
    expect((await stack.run(['--project-directory', deep, 'down'])).status).toBe(0);
  });
});

describe('interruption', () => {
  it('by Ctrl-C stops what is not yet ready, leaves the rest running, and exits 130', async () => {
    stack = await StackFolder.make();
    stack.write('one/migrations/plan', 'waiting\nexit never\n');
    const up = stack.start(['up']);
    let said = '';
    up.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await until('the other app is up', () => /two +healthy/.test(said));
    up.kill('SIGINT');
    const [status] = (await once(up, 'close')) as [number];
    expect(status).toBe(130);
    expect(said).toContain(
      'stack: interrupted\n  what was ready runs on; what was not yet ready was stopped\n  make status shows it\n',
    );
    expect(await stack.states()).toMatchObject({
      postgres: 'healthy',
      two: 'healthy',
      'one-migrations': 'stopped',
      one: 'created',
    });
    stack.write('one/migrations/plan', '');
    expect((await stack.run(['up'])).status).toBe(0);
  });

  it('of the terminal leaves the start to go on', async () => {
    stack = await StackFolder.make();
    const up = stack.start(['up']);
    await until('the supervisor answers', () =>
      existsSync(join(stack.root, '.lockstep/embedded/control.sock')),
    );
    await until('Postgres is being made', () =>
      existsSync(join(stack.root, '.lockstep/embedded/logs/postgres.log')),
    );
    up.kill('SIGKILL');
    await until('all is up', async () => (await stack.states())['one'] === 'healthy').catch(
      async (error: Error) => {
        throw new Error(`${error.message}\n${await stack.story()}`);
      },
    );
  });

  it('by down stops a start that is under way', async () => {
    stack = await StackFolder.make();
    stack.write('one/migrations/plan', 'exit never\n');
    const up = stack.run(['up']);
    await until('the migration runs', () => stack.runs('one').length > 0);
    expect((await stack.run(['down'])).status).toBe(0);
    expect(await up).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('stack: the stack was stopped while it started\n'),
    });
    expect(Object.values(await stack.states())).toEqual(Array.from({ length: 6 }, () => 'stopped'));
  });
});

describe('down', () => {
  it('twice at the same time stops the stack once, and both are content', async () => {
    stack = await StackFolder.make();
    await stack.run(['up']);
    const runs = await Promise.all([stack.run(['down']), stack.run(['down'])]);
    expect(runs.map(({ status }) => status)).toEqual([0, 0]);
    expect(Object.values(await stack.states())).toEqual(Array.from({ length: 6 }, () => 'stopped'));
  });
});

describe('a folder that cannot be written', () => {
  it('F8.2 stops the start with the path, the reason, whose it is and what to do', async () => {
    stack = await StackFolder.make();
    chmodSync(stack.root, 0o555);
    // Root may write anywhere.
    const user = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    const { status, stderr } = await stack.run(['up'], {}, user);
    chmodSync(stack.root, 0o755);
    const [fact, whose, act] = stderr.split('\n');
    expect(fact).toBe(`stack: cannot write to ${stack.root}: permission denied`);
    expect(whose).toMatch(/^ {2}\/.* belongs to \S+ \(mode 0555\), and this is \S+$/);
    expect(act).toMatch(/^ {2}try: (sudo chown -R nobody:|chmod -R u\+rwX) '/);
    expect(status).toBe(3);
  });
});

describe.runIf(process.getuid?.() === 0)('a user who is not root', () => {
  it('starts, resets and stops the whole stack', async () => {
    stack = await StackFolder.make();
    const user = { uid: 65_534 };
    expect(spawnSync('chown', ['-R', '65534', stack.root]).status).toBe(0);
    const up = await stack.run(['up'], {}, user);
    expect(up.status, up.stderr).toBe(0);
    expect(statSync(join(stack.root, '.lockstep')).mode & 0o777).toBe(0o700);
    expect(statSync(join(stack.root, '.lockstep/embedded/volumes/postgres/data')).uid).toBe(65_534);
    expect((await stack.run(['reset'], {}, user)).status).toBe(0);
    expect((await stack.run(['down'], {}, user)).status).toBe(0);
  });
});
