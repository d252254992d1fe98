import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { eventually, ownContainers } from '../support/own-containers.ts';

const own = ownContainers();
afterAll(() => own.removeAll());

const programs = ['migrate', 'vault-bootstrap', 'services-api', 'content-api'];
const node = `lockstep/offline-node:${process.versions.node.split('.')[0]}`;

interface Inspected {
  readonly Size: number;
  readonly Config: {
    readonly User: string;
    readonly Labels: Readonly<Record<string, string>>;
    readonly Entrypoint: readonly string[];
    readonly Healthcheck?: HealthCheck;
  };
  /** Podman's place for it. */
  readonly Healthcheck?: HealthCheck;
}

interface HealthCheck {
  readonly Test: readonly string[];
}

const migrations = `--mount=type=bind,source=${join(import.meta.dirname, '../../services-api/migrations')},target=/migrations,readonly`;

async function inspect(image: string): Promise<Inspected> {
  const [found] = JSON.parse(await own.output('image', 'inspect', image)) as Inspected[];
  if (found === undefined) throw new Error(`there is no image ${image}`);
  return found;
}

describe.each(programs)('the image %s', (name) => {
  const image = `lockstep/${name}:dev`;

  test('adds less than 5 MB to Node', async () => {
    const [whole, base] = await Promise.all([inspect(image), inspect(node)]);
    expect(whole.Size - base.Size).toBeGreaterThan(100_000);
    expect(whole.Size - base.Size).toBeLessThan(5_000_000);
  });

  test('runs Node as an ordinary user, and says what it is', async () => {
    const { Config } = await inspect(image);
    expect(Config.User).toBe('node');
    expect(Config.Entrypoint[0]).toBe('node');
    expect(Config.Labels['org.opencontainers.image.title']).toBe(
      `lockstep ${name === 'vault-bootstrap' ? 'bootstrap' : name}`,
    );
    expect(Config.Labels).toMatchObject({
      'org.opencontainers.image.licenses': 'MIT',
      'org.opencontainers.image.version': expect.stringMatching(/^\d+\.\d+\.\d+$/),
      'dev.lockstep.image': image,
      'dev.lockstep.key': expect.stringMatching(/^[0-9a-f]{32}$/),
      'dev.lockstep.stand-in': 'false',
    });
  });

  test('starts without a shell, on a read-only root, without capabilities, and names the settings it lacks', async () => {
    const { status, stderr } = await own.run(image, ['--network=none', '--volume=/dev/null:/bin/busybox:ro']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/VAULT_|DATABASE_/);
  });
});

test.each(['services-api', 'content-api'])('%s has a health check of its own', async (name) => {
  const { Config, Healthcheck } = await inspect(`lockstep/${name}:dev`);
  expect((Config.Healthcheck ?? Healthcheck)?.Test[0]).toBe('CMD');
});

test('the bootstrap has a folder of each role, of the user it runs as', async () => {
  const { stdout } = await own.run(
    'lockstep/vault-bootstrap:dev',
    ['--entrypoint=/bin/sh'],
    ['-c', 'ls -ln /run/credentials'],
  );
  const folders = stdout
    .split('\n')
    .flatMap((line) => /^d\S+\s+\d+\s+1000\s+1000\s.* (\S+)$/.exec(line)?.[1] ?? []);
  expect(folders).toEqual([
    'content-api-app',
    'content-api-migrator',
    'services-api-app',
    'services-api-migrator',
  ]);
});

test.each([
  [
    'migrate',
    [
      '--env=DATABASE_CONNECTION_STRING=postgres://u:p@192.0.2.1/d',
      '--env=MIGRATIONS_PATH=/migrations',
      migrations,
    ],
    ['up', '--timeout', '30s'],
  ],
  ['vault-bootstrap', bootstrapSettings(), []],
])('%s ends soon when it is stopped while it waits', async (name, flags, words) => {
  const container = await own.start(`lockstep/${name}:dev`, flags, words);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const from = Date.now();
  await own.output('stop', '--time=9', container);
  expect(Date.now() - from).toBeLessThan(5_000);
  expect(await own.exitStatus(container), await own.logs(container)).toBe(143);
});

function bootstrapSettings(): string[] {
  const settings = {
    VAULT_ADDR: 'http://192.0.2.1:8200',
    VAULT_TOKEN_FILE: '/etc/hostname',
    POSTGRES_ADDRESS: '192.0.2.1:5432',
    POSTGRES_PASSWORD_FILE: '/etc/hostname',
    BOOTSTRAP_SERVICES: 'services-api:services',
    POLICIES_PATH: '/',
    CREDENTIALS_FOLDERS: '/run/credentials/services-api-migrator\n/run/credentials/services-api-app',
  };
  return Object.entries(settings).map(([name, value]) => `--env=${name}=${value}`);
}

describe('the Vault stand-in', () => {
  const image = 'lockstep/offline-vault:dev';
  const server = ['server', '-dev', '-dev-no-store-token', '-dev-listen-address=0.0.0.0:8200'];
  const token = 'a-root-token-of-this-test';

  test('says whether it is unsealed by its exit status: 0, sealed 2, no answer 1', async () => {
    const flags = ['--publish=127.0.0.1::8200', `--env=VAULT_DEV_ROOT_TOKEN_ID=${token}`];
    const container = await own.start(image, flags, server);
    const address = `http://127.0.0.1:${await own.port(container, 8200)}`;
    const headers = { 'x-vault-token': token };
    await eventually(async () => {
      // Docker's proxy may take a connection before the container's network does, and lets it wait for minutes.
      const signal = AbortSignal.timeout(2_000);
      expect((await fetch(`${address}/v1/sys/mounts`, { headers, signal })).status).toBe(200);
    });
    const status = () => own.call('exec', container, 'vault', 'status');
    expect(await status()).toMatchObject({ status: 0, stdout: expect.stringContaining('false') });
    expect((await fetch(`${address}/v1/sys/seal`, { method: 'PUT', headers })).status).toBe(204);
    expect(await status()).toMatchObject({ status: 2, stdout: expect.stringContaining('true') });
    const away = await own.call('exec', '--env=VAULT_ADDR=http://127.0.0.1:1', container, 'vault', 'status');
    expect(away).toMatchObject({ status: 1, stderr: expect.stringContaining('does not answer') });
    expect(await own.logs(container)).not.toContain(token);
  });

  test('ends soon when it is stopped', async () => {
    const container = await own.start(image, [], server);
    await eventually(async () =>
      expect((await own.call('exec', container, 'vault', 'status')).status).toBe(0),
    );
    const from = Date.now();
    await own.output('stop', '--time=9', container);
    expect(Date.now() - from).toBeLessThan(5_000);
  });

  test('says that it is a stand-in', async () => {
    expect((await inspect(image)).Config.Labels).toMatchObject({
      'dev.lockstep.stand-in': 'true',
      'org.opencontainers.image.description': expect.stringContaining('not the official image'),
    });
  });
});
