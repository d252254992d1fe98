// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's syntax.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePorts, StackFolder } from './support/stack-folder.ts';

let stack: StackFolder | undefined;
afterEach(async () => {
  await stack?.remove();
  stack = undefined;
});

const app = (name: string, port: number | undefined, more = '') => `
  ${name}:
    environment: { LISTEN_ADDRESS: 0.0.0.0:8080, TOKEN_FILE: /run/secrets/token }
    secrets: [token]
    ports: ["127.0.0.1:\${${name.toUpperCase()}_PORT:-${port}}:8080"]
    x-embedded: { entrypoint: [node, programs/app.mjs], healthcheck: { http: "http://0.0.0.0:8080/ready" } }
${more}`;
const secrets = 'secrets: { token: { file: ./.lockstep/secrets/token } }\n';

/** A stack of one app, one more in the profile `more`, and one in the same profile that is for containers only. */
async function withProfile(): Promise<StackFolder> {
  const [first, second] = await freePorts(2);
  return StackFolder.make({
    compose: `services:${app('main', first)}${app('extra', second, '    profiles: [more]')}
  viewer: { image: viewer:1, profiles: [more], volumes: ["viewer:/v"] }
volumes: { viewer: {} }
${secrets}`,
  });
}

describe('a profile', () => {
  it('brings in its services when it is active, and takes them away when it is not', async () => {
    stack = await withProfile();
    expect((await stack.run(['up'])).status).toBe(0);
    expect(await stack.states()).toEqual({ main: 'healthy' });
    const { status, stderr } = await stack.run(['up'], { COMPOSE_PROFILES: 'more' });
    expect(status).toBe(0);
    expect(stderr).toMatch(/^left out: viewer \(without x-embedded, for containers only\)$/m);
    const active = await stack.run(['status', '--format', 'json'], { COMPOSE_PROFILES: 'more' });
    expect((JSON.parse(active.stdout) as { services: unknown }).services).toMatchObject([
      { service: 'main', state: 'healthy' },
      { service: 'extra', state: 'healthy' },
      { service: 'viewer', state: 'stopped', note: 'runs in a container only' },
    ]);
    await stack.run(['up']);
    expect(await stack.states()).toEqual({ main: 'healthy' });
  });

  it('is named when one of its services is asked for without it', async () => {
    stack = await withProfile();
    const { status, stderr } = await stack.run(['shell', '--service', 'viewer']);
    expect(status).toBe(2);
    expect(stderr).toBe('stack: viewer takes part only with a profile: more\n  try: make up PROFILE=more\n');
  });
});

describe('a new clone', () => {
  it('gets other ports when the usual ones are taken, and keeps them', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const taken = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      stack = await StackFolder.make({ compose: `services:${app('main', taken)}${secrets}` });
      const { status, stdout, stderr } = await stack.run(['up']);
      const moved = Number(/MAIN_PORT=(\d+)/.exec(stderr)?.[1]);
      expect({ status, ahead: (moved - taken) % 100 }).toEqual({ status: 0, ahead: 0 });
      expect(stderr).toContain(
        `wrote .env with generated secrets, and with other ports, because the usual ones are taken: MAIN_PORT=${moved}\n`,
      );
      expect(stdout).toContain(`http://127.0.0.1:${moved}`);
      expect(stack.read('.env')).toMatch(new RegExp(`^MAIN_PORT=${moved}$`, 'm'));
      expect((await stack.run(['up'])).stderr).not.toContain('.env');
    } finally {
      server.close();
    }
  });
});

describe('a shell', () => {
  it('has the environment of its service, secrets as paths, and passes on the exit status', async () => {
    stack = await withProfile();
    await stack.run(['up']);
    const print = 'console.log(JSON.stringify([process.cwd(), process.env])); process.exit(7)';
    const { status, stdout } = await stack.run(['shell', '--service', 'main', '--', 'node', '-e', print]);
    expect(status).toBe(7);
    const [folder, environment] = JSON.parse(stdout) as [string, Record<string, string>];
    expect(folder).toBe(stack.root);
    expect(environment).toMatchObject({
      LISTEN_ADDRESS: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      TOKEN_FILE: join(stack.root, '.lockstep/secrets/token'),
    });
    const secret = stack.read('.lockstep/secrets/token');
    expect(Object.values(environment).filter((value) => value.includes(secret))).toEqual([]);
  });

  it('says what to do where the stack was never started, and what it cannot run', async () => {
    stack = await withProfile();
    expect(await stack.run(['shell', '--service', 'main'])).toEqual({
      status: 3,
      stdout: '',
      stderr: 'stack: the stack was not started on this engine yet\n  try: make up\n',
    });
    await stack.run(['up']);
    const { status, stderr } = await stack.run(['shell', '--service', 'main', '--', 'no-such-program']);
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: 'stack: cannot run no-such-program: not found\n',
    });
  });
});

describe('doctor', () => {
  it('reports a fault of the compose files at its place, as text and as one JSON document', async () => {
    stack = await StackFolder.make({ compose: `services:${app('main', 18_081)}${secrets}` });
    stack.write('compose.override.yaml', 'services:\n  main:\n    ports: ["8080:80"]\n');
    const { status, stdout } = await stack.run(['doctor']);
    expect(status).toBe(0);
    expect(stdout).toContain(
      [
        '  ✗ compose.override.yaml:3:13  main: publishes 8080:80 without an address, so on all of them',
        '      everybody on the network reaches it; Docker goes past the firewall of many machines',
        '      fix: 127.0.0.1:8080:80',
        '',
      ].join('\n'),
    );
    const json = await stack.run(['doctor', '--format', 'json']);
    const { canRun, sections } = JSON.parse(json.stdout) as {
      canRun: boolean;
      sections: { title: string; findings: { rule?: string; place?: unknown }[] }[];
    };
    expect(canRun).toBe(true);
    expect(sections.find(({ title }) => title === 'compose files')?.findings).toContainEqual(
      expect.objectContaining({
        rule: 'open-port',
        mark: 'bad',
        place: { file: 'compose.override.yaml', line: 3, column: 13 },
      }),
    );
  });

  it('looks at files and a .env that cannot be read, and says so', async () => {
    stack = await StackFolder.make({ compose: 'services:\n  main: { comand: x, privileged: true }\n' });
    stack.write('.env', 'no sense=1\n');
    const { status, stdout } = await stack.run(['doctor']);
    expect(status).toBe(0);
    expect(stdout).toContain('.env:1:3  expected NAME=value, got a blank in the name\n');
    expect(stdout).toContain('  ✗ compose.yaml:2:22  main: is privileged\n');
    stack.write('.env', '');
    expect((await stack.run(['doctor'])).stdout).toContain(
      'compose.yaml:2:11  main: unknown key comand; did you mean command?\n',
    );
  });
});
