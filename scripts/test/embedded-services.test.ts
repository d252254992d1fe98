import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { isRunning, oneService, StackFolder, until } from './support/stack-folder.ts';

let stack: StackFolder;
afterEach(() => stack.remove());

describe('Postgres of the embedded engine', () => {
  it('is made anew when initdb was killed half way', async () => {
    stack = await StackFolder.make();
    stack.write('.lockstep/embedded/volumes/postgres/data.new/PG_VERSION', '18\n');
    stack.write('.lockstep/embedded/volumes/postgres/password.new', 'left');
    expect((await stack.run(['up'])).status).toBe(0);
    expect(existsSync(join(stack.root, '.lockstep/embedded/volumes/postgres/password.new'))).toBe(false);
  });

  it('refuses the data of another major version, and says which', async () => {
    stack = await StackFolder.make();
    stack.write('.lockstep/embedded/volumes/postgres/data/PG_VERSION', '15\n');
    const { status, stderr } = await stack.run(['up']);
    expect(status).toBe(1);
    expect(stderr).toContain(
      `  postgres: failed: the data in ${stack.root}/.lockstep/embedded/volumes/postgres/data is of Postgres 15, and the programs are of Postgres 18\n`,
    );
    expect(stack.read('.lockstep/embedded/volumes/postgres/data/PG_VERSION')).toBe('15\n');
  });

  it('says at once when its volume was made with another password', async () => {
    stack = await StackFolder.make();
    await stack.run(['up']);
    await stack.run(['down']);
    stack.write(
      '.env',
      stack.read('.env').replace(/^POSTGRES_PASSWORD=.*$/m, 'POSTGRES_PASSWORD="another^one%&{@/"'),
    );
    const { status, stderr, stdout } = await stack.run(['up']);
    expect(status).toBe(1);
    expect(stderr).toContain(
      "postgres: unhealthy: Postgres refuses postgres's password: its volume was made with another one than .env has now\n",
    );
    expect(stderr + stdout).not.toContain('another^one');
  });

  it('starts over a postmaster.pid that names another program’s process', async () => {
    stack = await StackFolder.make();
    await stack.run(['up']);
    const { postgres } = await stack.pids();
    const data = '.lockstep/embedded/volumes/postgres/data';
    const pidFile = stack.read(`${data}/postmaster.pid`);
    await stack.run(['down']);
    const innocent = spawn('sleep', ['60']);
    onTestFinished(() => void innocent.kill());
    stack.write(`${data}/postmaster.pid`, pidFile.replace(String(postgres), String(innocent.pid)));
    expect((await stack.run(['up'])).status).toBe(0);
    expect(isRunning(innocent.pid)).toBe(true);
  });

  it('starts over a postmaster.pid that names a zombie', async () => {
    stack = await StackFolder.make();
    await stack.run(['up']);
    const { postgres } = await stack.pids();
    const data = '.lockstep/embedded/volumes/postgres/data';
    const pidFile = stack.read(`${data}/postmaster.pid`);
    await stack.run(['down']);
    // The shell becomes a program that never collects the child, before the child ends.
    const parent = spawn('/bin/sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60']);
    onTestFinished(() => void parent.kill());
    const [zombie] = await once(parent.stdout, 'data');
    await until('the child is a zombie', () =>
      readFileSync(`/proc/${Number(zombie)}/stat`, 'latin1').includes(') Z '),
    );
    stack.write(`${data}/postmaster.pid`, pidFile.replace(String(postgres), String(Number(zombie))));
    expect((await stack.run(['up'])).status).toBe(0);
  });

  it.runIf(process.getuid?.() === 0)(
    'lives under /var/tmp when root’s project is closed to its user',
    async () => {
      stack = await StackFolder.make({ closed: true });
      const { status, stderr } = await stack.run(['up']);
      expect(status).toBe(0);
      const folder = /^Postgres' data is in (\S+): (\S+) is closed to its user$/m.exec(stderr);
      expect(folder?.[1]).toMatch(/^\/var\/tmp\/lockstep-0\/[0-9a-f]{12}$/);
      expect(folder?.[2]).toBe(dirname(stack.root));
      expect(existsSync(join(folder?.[1] ?? '', 'postgres', 'data', 'PG_VERSION'))).toBe(true);
      await stack.run(['down']);
      const reset = await stack.run(['reset'], { ONE_PORT: 'none' });
      expect(reset.status).toBe(2);
      expect((await stack.run(['reset'])).status).toBe(0);
      await stack.run(['down']);
      rmSync(folder?.[1] ?? '', { recursive: true });
    },
  );

  it('comes back by its restart policy when it is killed, data and all', async () => {
    stack = await StackFolder.make();
    await stack.run(['up']);
    const { postgres } = await stack.pids();
    process.kill(postgres ?? 0, 'SIGKILL');
    await until('another Postgres is healthy', async () => {
      const now = (await stack.services()).find(({ service }) => service === 'postgres');
      return now?.state === 'healthy' && now.pid !== postgres;
    });
  });
});

describe('a port that is taken', () => {
  it('stops the start before anything runs, and is named with its setting and its holder', async () => {
    stack = await StackFolder.make();
    const [port] = [stack.ports['ONE_PORT'] ?? 0];
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    const { status, stderr } = await stack.run(['up']);
    server.close();
    expect(status).toBe(3);
    expect(stderr).toContain(
      `stack: 1 port is not free\n  ONE_PORT (one) ${port}: taken by pid ${process.pid} (${comm()})\n  try: another number in .env, such as ONE_PORT=${port + 1000 <= 65_535 ? port + 1000 : port - 1000}\n`,
    );
    expect(existsSync(join(stack.root, '.lockstep/embedded/logs/postgres.log'))).toBe(false);
  });
});

describe('a service', () => {
  it('that ignores its stop signal is killed after its grace period, with its children', async () => {
    stack = await StackFolder.make({
      compose: oneService(
        'x-embedded: { entrypoint: [node, programs/stubborn.mjs] }\nstop_grace_period: 300ms',
      ),
    });
    await stack.run(['up']);
    await until('both run', () => existsSync(join(stack.root, 'pids')) && stack.read('pids').includes(' '));
    const pids = stack.read('pids').split(' ').map(Number);
    expect(pids.every(isRunning)).toBe(true);
    await stack.run(['down']);
    await until('both are gone', () => pids.every((pid) => !isRunning(pid)));
  });

  it('with on-failure:2 is started three times, then stays down', async () => {
    stack = await StackFolder.make({
      compose: oneService(
        'restart: on-failure:2\nx-embedded: { entrypoint: [node, programs/one-shot.mjs] }\nhealthcheck: { test: "false" }',
      ),
    });
    stack.write('plan', 'exit 9\n');
    const { status, stderr } = await stack.run(['up']);
    expect(status).toBe(1);
    expect(stderr).toContain('only: failed with exit status 9');
    expect(stack.read('runs')).toBe('\n\n\n');
  });

  it('that keeps failing under unless-stopped is reported after three starts', async () => {
    stack = await StackFolder.make({
      compose: oneService(
        'restart: unless-stopped\nx-embedded: { entrypoint: [node, programs/one-shot.mjs] }\nhealthcheck: { test: "false" }',
      ),
    });
    stack.write('plan', 'cannot go on\nexit 4\n');
    const { status, stderr } = await stack.run(['up']);
    expect(status).toBe(1);
    expect(stderr).toContain('  only: restarting with exit status 4\n    cannot go on\n');
  });

  it('that never becomes healthy is reported when its start period and retries are over', async () => {
    stack = await StackFolder.make({
      compose: oneService(
        'x-embedded: { entrypoint: [node, programs/stubborn.mjs] }\nstop_grace_period: 100ms\nhealthcheck: { test: "echo not yet; exit 1", interval: 100ms, retries: 3, start_period: 200ms }',
      ),
    });
    const { status, stderr } = await stack.run(['up']);
    expect(status).toBe(1);
    expect(stderr).toContain('only: unhealthy: its health check exits 1: not yet\n');
  });

  it('whose program is not there is named', async () => {
    stack = await StackFolder.make({
      compose: oneService('x-embedded: { entrypoint: [no-such-program-here] }'),
    });
    const { status, stderr } = await stack.run(['up']);
    expect(status).toBe(1);
    expect(stderr).toContain(
      '  only: failed with exit status 127: cannot start no-such-program-here: spawn no-such-program-here ENOENT\n',
    );
  });
});

describe('.env', () => {
  it('that is there gets what it lacks, and keeps all else', async () => {
    stack = await StackFolder.make({
      compose: `${oneService('x-embedded: { entrypoint: [node, programs/one-shot.mjs] }\nsecrets: [token]')}secrets: { token: { file: ./.lockstep/secrets/token } }\n`,
    });
    stack.write('.env', '# mine\nLOG_LEVEL=debug');
    const { status, stderr } = await stack.run(['up']);
    expect(stderr).toContain('added TOKEN to .env\n');
    expect(status).toBe(0);
    expect(stack.read('.env')).toMatch(
      /^# mine\nLOG_LEVEL=debug\n# Generated by the stack\.\nTOKEN=[\w-]{43}\n$/,
    );
    expect(stack.read('.lockstep/secrets/token')).toHaveLength(43);
  });
});

/** How the system names this test's process. */
function comm(): string {
  return readFileSync('/proc/self/comm', 'utf8').trim();
}
