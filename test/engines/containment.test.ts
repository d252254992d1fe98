import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { containers, inspect, owned, volumeFolder } from '../support/containers.ts';
import { createTestStack, type TestStack } from '../support/stack.ts';
import { connectionString } from '../support/vault.ts';

let stack: TestStack;
/** Every secret that was generated, by what it is. */
const secrets = new Map<string, string>();

const servers = ['postgres', 'vault', 'services-api', 'content-api'];
const oneShots = ['vault-bootstrap', 'services-api-migrations', 'content-api-migrations'];
const roles = ['services-api-migrator', 'services-api-app', 'content-api-migrator', 'content-api-app'];

beforeAll(async () => {
  stack = await createTestStack();
  const up = await stack.stack('up');
  expect(up.status, up.stderr + up.stdout).toBe(0);
  // So that what an app prints on a request is searched too.
  expect((await fetch(`${stack.servicesUrl}/services`)).status).toBe(200);
  for (const name of ['POSTGRES_PASSWORD', 'VAULT_ROOT_TOKEN']) secrets.set(name, await stack.setting(name));
  for (const role of roles) {
    const folder = await volumeFolder(stack, role);
    secrets.set(`secret_id of ${role}`, (await readFile(`${folder}/secret_id`, 'utf8')).trim());
    const [, service = '', kind] = /^(.*)-(migrator|app)$/.exec(role) ?? [];
    const url = new URL(await connectionString(stack, service, kind === 'app' ? 'app' : 'migrator'));
    secrets.set(`password of ${role}`, decodeURIComponent(url.password));
  }
  expect(secrets.size).toBe(10);
  for (const [name, value] of secrets) expect(value.length, name).toBeGreaterThan(15);
});
afterAll(() => stack?.destroy());

/** The names of the secrets that stand in a text. */
const found = (text: string) =>
  [...secrets].filter(([, value]) => text.includes(value)).map(([name]) => name);

describe('no generated secret stands', () => {
  test.each([...servers, ...oneShots])('in what `inspect` shows of %s', async (service) => {
    const { Id } = await inspect(stack, service);
    const text = await containers(stack, 'container', 'inspect', Id);
    expect(text).toContain(stack.project);
    expect(found(text)).toEqual([]);
  });

  test.each([...servers, ...oneShots])(
    'in the image of %s, its history and its settings',
    async (service) => {
      const image = await containers(
        stack,
        'container',
        'inspect',
        '--format',
        '{{.Image}}',
        (await inspect(stack, service)).Id,
      );
      const history = await containers(stack, 'history', '--no-trunc', image);
      expect(history.length).toBeGreaterThan(100);
      expect(found(history + (await containers(stack, 'image', 'inspect', image)))).toEqual([]);
    },
  );

  test('in any log', async () => {
    const logs = await stack.stack('logs');
    expect(logs.stdout).toContain('migrat');
    expect(found(logs.stdout + logs.stderr)).toEqual([]);
  });

  test('in any command line of this machine, which shows those of the containers', async () => {
    const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const lines = await Promise.all(
      numbers.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    );
    expect(lines.join('\n')).toContain('server.start.cjs');
    expect(found(lines.join('\n'))).toEqual([]);
  });

  test.each(servers)('in the environment of %s, its own apart', async (service) => {
    const { State } = await inspect(stack, service);
    const own = { postgres: ['POSTGRES_PASSWORD'], vault: ['VAULT_ROOT_TOKEN'] }[service] ?? [];
    const environment = await readFile(`/proc/${State.Pid}/environ`, 'utf8');
    expect(environment).toContain('PATH=');
    expect(found(environment).filter((name) => !own.includes(name))).toEqual([]);
  });

  test('in the folder of the project outside .env and the secrets', async () => {
    const files = (await readdir(stack.folder, { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile() && entry.name !== '.env' && !entry.parentPath.endsWith('/.lockstep/secrets'),
    );
    expect(files.length).toBeGreaterThan(30);
    for (const file of files) {
      expect(found(await readFile(`${file.parentPath}/${file.name}`, 'utf8')), file.name).toEqual([]);
    }
  });
});

describe('from inside', () => {
  test.each(servers)('%s is not root, has no capability and gains none', async (service) => {
    const { State } = await inspect(stack, service);
    const status = await readFile(`/proc/${State.Pid}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1];
    expect(field('Uid')).not.toBe('0');
    expect(['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(field)).toEqual(
      Array.from({ length: 5 }, () => '0000000000000000'),
    );
    expect(field('NoNewPrivs')).toBe('1');
  });

  test.each(servers)('%s can write to /tmp but nowhere in its image', async (service) => {
    const write = (path: string) =>
      stack.stack('shell', '--service', service, '--', '/bin/sh', '-c', `echo x > ${path} && rm ${path}`);
    const there = await write('/tmp/lockstep-probe');
    expect(there.status, there.stderr).toBe(0);
    for (const path of ['/lockstep-probe', '/app/lockstep-probe', '/etc/lockstep-probe']) {
      const refused = await write(path);
      expect(refused.status).not.toBe(0);
      expect(refused.stderr + refused.stdout).toMatch(
        /read-only file system|nonexistent directory|no such file/i,
      );
    }
  });

  test.each([...servers, ...oneShots])(
    '%s is given the credentials of its own role only',
    async (service) => {
      const { Mounts } = await inspect(stack, service);
      const targets = Mounts.map(({ Destination }) => Destination).filter((path) =>
        /^\/run\/(credentials|secrets)/.test(path),
      );
      const expected: Record<string, string[]> = {
        postgres: ['/run/secrets/postgres_password'],
        vault: ['/run/secrets/vault_root_token'],
        'vault-bootstrap': [
          ...roles.map((role) => `/run/credentials/${role}`),
          '/run/secrets/postgres_password',
          '/run/secrets/vault_root_token',
        ],
      };
      expect(targets.toSorted()).toEqual((expected[service] ?? ['/run/credentials']).toSorted());
      if (service === 'vault-bootstrap') return;
      const writable = Mounts.filter(({ RW, Destination }) => RW && Destination.startsWith('/run/'));
      expect(writable.filter(({ Destination }) => !/postgresql$/.test(Destination))).toEqual([]);
    },
  );
});

describe('the network', () => {
  test('nothing of the stack listens beyond the loopback interface', async () => {
    const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readFile(`/proc/net/${table}`, 'utf8')));
    const listening = tables.flatMap((text) =>
      text.split('\n').flatMap((line) => {
        const [, address = '', port = ''] = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A /.exec(line) ?? [];
        return address === '' ? [] : [{ address, port: Number.parseInt(port, 16) }];
      }),
    );
    for (const [name, port] of Object.entries(stack.ports)) {
      const addresses = listening.filter((one) => one.port === port).map(({ address }) => address);
      expect({ name, addresses }).toEqual({ name, addresses: ['0100007F'] });
    }
  });

  test('the network between the services has no way out', async () => {
    const text = await containers(stack, 'network', 'inspect', `${stack.project}_backend`);
    const [network] = JSON.parse(text) as { Internal?: boolean; internal?: boolean }[];
    expect(network?.Internal ?? network?.internal).toBe(true);
  });
});

describe('a reset', () => {
  test('leaves nothing of the old stack, and touches nothing that is not its own', async () => {
    const stranger = `${stack.project}-stranger`;
    await containers(stack, 'volume', 'create', stranger);
    await containers(stack, 'network', 'create', stranger);
    try {
      const before = {
        containers: await owned(stack, 'container'),
        volumes: await volumeTimes(),
      };
      expect(before.volumes).toHaveLength(5);
      const reset = await stack.stack('reset');
      expect(reset.status, reset.stderr).toBe(0);
      const after = await owned(stack, 'container');
      expect(after).toHaveLength(7);
      expect(after.filter((id) => before.containers.includes(id))).toEqual([]);
      const volumes = await volumeTimes();
      expect(volumes).toHaveLength(5);
      expect(volumes.filter((one) => before.volumes.includes(one))).toEqual([]);
      expect((await fetch(`${stack.servicesUrl}/ready`)).status).toBe(200);
      const gone = await stack.stack('down', '--volumes');
      expect(gone.status, gone.stderr).toBe(0);
      for (const kind of ['container', 'volume', 'network'] as const) {
        expect([kind, await owned(stack, kind)]).toEqual([kind, []]);
      }
      expect(await containers(stack, 'volume', 'ls', '--quiet')).toContain(stranger);
      expect(await containers(stack, 'network', 'ls', '--format', '{{.Name}}')).toContain(stranger);
    } finally {
      await containers(stack, 'volume', 'rm', stranger);
      await containers(stack, 'network', 'rm', stranger);
    }
  });
});

/** Each of the stack's volumes with the instant it was made. */
async function volumeTimes(): Promise<string[]> {
  const names = await owned(stack, 'volume');
  const text = await containers(stack, 'volume', 'inspect', '--format', '{{.Name}} {{.CreatedAt}}', ...names);
  return text.split('\n');
}
