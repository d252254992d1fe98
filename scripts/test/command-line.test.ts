import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectName } from '../src/env-file.ts';
import { StackFolder } from './support/stack-folder.ts';

let stack: StackFolder;
beforeEach(async () => {
  stack = await StackFolder.make();
});
afterEach(() => stack.remove());

describe('the command line', () => {
  it.each([
    [['nonsense'], "stack: unknown command 'nonsense'\n  try: make help\n"],
    [['up', '--nonsense'], "stack: unknown option '--nonsense'\n"],
    [
      ['--engine', 'lxc', 'up'],
      "stack: option '--engine <name>' argument 'lxc' is invalid. Allowed choices are auto, docker, podman, embedded.\n",
    ],
    [['--project-directory', '/no/such', 'up'], 'stack: --project-directory is not a folder: "/no/such"\n'],
    [['--project-directory', '/', 'up'], 'stack: no compose.yaml in /\n'],
    [
      ['logs', 'nobody'],
      'stack: no service "nobody"\n  there are: postgres, bootstrap, one-migrations, two-migrations, one, two\n',
    ],
    [
      ['logs', '--tail', 'all'],
      "stack: option '--tail <lines>' argument 'all' is invalid. expected a whole number\n",
    ],
    [
      ['run', 'nobody'],
      'stack: no service "nobody"\n  there are: postgres, bootstrap, one-migrations, two-migrations, one, two\n',
    ],
    [['run', 'postgres'], 'stack: postgres is a server; it is not run once\n'],
    [
      ['migrate', '--service', '../x', 'up'],
      'stack: no service with migrations is named "../x"\n  there are: one, two\n',
    ],
    [['psql'], 'stack: which service?\n  there are: one, two\n  try: make psql SERVICE=one\n'],
    [
      ['shell'],
      'stack: which service?\n  there are: postgres, bootstrap, one-migrations, two-migrations, one, two\n  try: make shell SERVICE=two\n',
    ],
    [
      ['shell', '--service', 'nobody'],
      'stack: no service "nobody"\n  there are: postgres, bootstrap, one-migrations, two-migrations, one, two\n',
    ],
  ])('refuses %j with exit status 2', async (args, message) => {
    const { status, stdout, stderr } = await stack.run(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.startsWith(message), stderr).toBe(true);
  });

  it.each([
    'up',
    'down',
    'reset',
    'status',
    'doctor',
    'logs',
    'run',
    'migrate',
    'psql',
    'shell',
    'why',
    'watch',
    'images',
    'service',
    'generate',
    'validate',
    'deps',
    'docs',
  ])('explains %s with an example', async (command) => {
    const { status, stdout } = await stack.run([command, '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: stack ${command}`));
    expect(stdout).toContain('Examples:\n  stack ');
  });

  it('prints one JSON document for a stack that was never started', async () => {
    const { status, stdout, stderr } = await stack.run(['status', '--format', 'json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      engine: 'embedded',
      project: projectName(stack.root),
      services: [{ service: 'postgres', state: 'stopped' }, {}, {}, {}, {}, {}],
    });
  });

  it('refuses to run an init container whose dependencies are down', async () => {
    const { status, stderr } = await stack.run(['run', 'one-migrations', 'status']);
    expect(status).toBe(3);
    expect(stderr).toBe(
      'stack: one-migrations cannot run: what it depends on is not ready\n  bootstrap is stopped\n  try: make up, then the same again\n',
    );
  });

  it.each(['up', 'down', 'reset'])(
    'refuses %s for one service: it is for the whole stack',
    async (command) => {
      const { status, stderr } = await stack.run([command], { SERVICE: 'one' });
      expect(status).toBe(2);
      expect(stderr).toMatch(/ is for the whole stack; it cannot be done for "one" alone\n$/);
    },
  );

  it('shows the status of one service', async () => {
    const { stdout } = await stack.run(['status'], { SERVICE: 'one' });
    expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'service',
      'one-migrations',
      'one',
      '',
    ]);
  });

  it('lists every mistake of the files and starts nothing', async () => {
    stack.write(
      'compose.override.yaml',
      'services:\n  one: { restart: maybe }\n  extra: { image: x }\n  two: {prots: []}\n',
    );
    const { status, stderr } = await stack.run(['up']);
    expect(status).toBe(2);
    expect(stderr).toBe(
      [
        "stack: 2 mistakes in the stack's files",
        '  compose.override.yaml:2:19  restart: expected no, always, on-failure[:times], unless-stopped, got "maybe"',
        '  compose.override.yaml:4:9  two: unknown key prots; did you mean ports?',
        '',
      ].join('\n'),
    );
  });

  it('lists every service that cannot be a local process', async () => {
    stack.write('compose.override.yaml', 'services:\n  extra: { image: x }\n');
    const { status, stderr } = await stack.run(['up']);
    expect(status).toBe(2);
    expect(stderr).toContain(
      [
        "stack: 2 mistakes in the stack's files",
        '  compose.override.yaml:2:10  extra: no x-embedded key says what it is as a local process',
        '  compose.yaml:24:5  postgres: expected exactly one published port',
      ].join('\n'),
    );
  });
});

describe('doctor', () => {
  it('says what is found and what to do, and exits 0 when some engine can run the stack', async () => {
    stack.write('.env', 'POSTGRES_PASSWORD=long-enough\n');
    chmodSync(join(stack.root, '.env'), 0o644);
    const { status, stdout } = await stack.run(['doctor']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {2}✓ embedded: Postgres 18\.\d+ from npm, Node \d/m);
    expect(stdout).toContain(`  ✓ port ${stack.ports['ONE_PORT']} (one): free\n`);
    expect(stdout).toContain(
      '  ✗ .env holds secrets and others may read it (mode 0644)\n      chmod 600 .env\n',
    );
    expect(stdout).not.toContain('long-enough');
  });
});

describe('with a docker client', () => {
  /** Puts programs named docker and podman first on PATH that say what `says` has for a word of their arguments. */
  function docker(
    says: Record<string, { out?: string; err?: string; status?: number }>,
  ): Record<string, string> {
    const bin = join(stack.root, 'bin');
    mkdirSync(bin, { recursive: true });
    for (const program of ['docker', 'podman', 'docker-compose', 'podman-compose']) {
      copyFileSync(join(stack.root, 'programs/docker.mjs'), join(bin, program));
      chmodSync(join(bin, program), 0o755);
    }
    const podman = { status: 1, err: 'Error: no podman here\n' };
    stack.write('says.json', JSON.stringify({ info: podman, '--remote': podman, ...says }));
    const { PATH = '' } = process.env;
    return {
      PATH: `${bin}:${PATH}`,
      ENGINE: 'auto',
      DOCKER_SAYS: join(stack.root, 'says.json'),
      DOCKER_CALLS: join(stack.root, 'calls'),
    };
  }
  it('whose daemon is down, auto takes the embedded engine and says why', async () => {
    const env = docker({
      version: { status: 1, err: 'Cannot connect to the Docker daemon at unix:///x\n' },
    });
    const { status, stderr } = await stack.run(['up'], env);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^engine: embedded \(docker: Cannot connect to the Docker daemon at unix:\/\/\/x; podman: .+\)$/m,
    );
    expect((await stack.run(['status', '--format', 'json'], env)).stdout).toContain('"engine": "embedded"');
  });

  it('that does not answer, the choice does not wait for it', async () => {
    const env = docker({});
    stack.write('bin/docker', '#!/bin/sh\nsleep 30\n');
    const from = Date.now();
    const { stdout } = await stack.run(['status', '--format', 'json'], env);
    expect(stdout).toContain('"engine": "embedded"');
    // The client sleeps for 30 seconds; an engine has 2.5 of them, and the machine may be busy.
    expect(Date.now() - from).toBeLessThan(15_000);
  });

  it('that is asked for by name and not there, says so for every engine and what can be used', async () => {
    const env = docker({ version: { status: 1, err: 'permission denied\n' } });
    const { status, stderr } = await stack.run(['--engine', 'docker', 'up'], env);
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^stack: the engine docker cannot run here\n {2}docker: permission denied\n {2}podman: .+\n {2}embedded: Postgres 18.+\n {2}try: make up ENGINE=embedded\n$/m,
    );
  });
});
