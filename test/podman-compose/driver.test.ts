import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { containers, incarnation, inspect, owned } from '../support/containers.ts';
import { createTestStack, type TestStack } from '../support/stack.ts';

/** What only the step-by-step engine has to show; everything else is shown by the tests of the whole stack. */
const podmanCompose = process.env['PODMAN_COMPOSE_PROVIDER'] ?? '';

let stack: TestStack;
beforeAll(async () => {
  if (!podmanCompose.endsWith('/podman-compose'))
    throw new Error('PODMAN_COMPOSE_PROVIDER names no podman-compose');
  stack = await createTestStack();
});
afterAll(() => stack?.destroy());

const services = [
  'postgres',
  'vault',
  'vault-bootstrap',
  'services-api-migrations',
  'services-api',
  'content-api',
];

/** Which services were made anew by `work`. */
async function madeAnew(work: () => Promise<void>): Promise<string[]> {
  const ids = () => Promise.all(services.map(async (service) => (await inspect(stack, service)).Id));
  const before = await ids();
  await work();
  const after = await ids();
  return services.filter((_, at) => before[at] !== after[at]);
}

async function edit(file: string, change: (text: string) => string): Promise<void> {
  const path = stack.path(file);
  const before = await readFile(path, 'utf8');
  const after = change(before);
  expect(after, `${file} as the test expects it`).not.toBe(before);
  await writeFile(path, after);
}

async function up(): Promise<string> {
  const { status, stderr } = await stack.stack('up');
  expect(status, stderr).toBe(0);
  return stderr;
}

test('`up` says that it starts the services itself', async () => {
  expect(await up()).toMatch(
    /^podman-compose \d[\d.]* keeps no conditions; stack starts services one by one$/m,
  );
});

test('a service whose entry changed is made anew, and no other', async () => {
  const changed = await madeAnew(async () => {
    await edit('compose.yaml', (text) =>
      text.replace('VAULT_SECRET_PATH: secret/data/services-api/app', '$&\n      GREETING: "it\'s $$$$5"'),
    );
    await up();
  });
  expect(changed).toEqual(['services-api']);
  const { Config } = await inspect(stack, 'services-api');
  expect(Config.Env).toContain("GREETING=it's $5");
});

test('a network whose entry changed is made anew, with who uses it', async () => {
  const changed = await madeAnew(async () => {
    await edit('compose.yaml', (text) => text.replace(/^( +edge:) \{\}$/m, '$1 { labels: { seen: "yes" } }'));
    await up();
  });
  expect(changed).toEqual(['postgres', 'vault', 'services-api', 'content-api']);
  const edge = `${stack.project}_edge`;
  expect(await containers(stack, 'network', 'inspect', '--format', '{{.Labels.seen}}', edge)).toBe('yes');
});

test('what podman-compose made by itself is taken over', async () => {
  await stack.stack('down');
  const file = stack.path('.lockstep/podman-compose/compose.yaml');
  const plain = stack.path('.lockstep/plain.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(plain, text.replaceAll(/"dev\.lockstep\.made-from": "[^"]*"/g, '"by": "hand"'));
  const words = ['--file', plain, '--project-name', stack.project, 'up', '--no-start', '--no-build'];
  await promisify(execFile)(podmanCompose, words);
  const before = await owned(stack, 'container');
  expect(before).toHaveLength(7);
  await up();
  const after = await owned(stack, 'container');
  expect(after).toHaveLength(7);
  expect(after.filter((id) => before.includes(id))).toEqual([]);
});

test('`up` again leaves every server as it is', async () => {
  const servers = services.filter((service) => !/bootstrap|migrations/.test(service));
  const before = await Promise.all(servers.map((service) => incarnation(stack, service)));
  await up();
  expect(await Promise.all(servers.map((service) => incarnation(stack, service)))).toEqual(before);
});

test('`down --volumes` leaves no container, network, volume or pod', async () => {
  const { status, stderr } = await stack.stack('down', '--volumes');
  expect(status, stderr).toBe(0);
  for (const kind of ['container', 'network', 'volume'] as const)
    expect(await owned(stack, kind), kind).toEqual([]);
  expect(await containers(stack, 'pod', 'ls', '--quiet', '--filter', `name=pod_${stack.project}`)).toBe('');
});
