import { randomBytes } from 'node:crypto';
import { appendFile, cp, readdir, rename, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownContainers } from '../support/own-containers.ts';
import { createTestStack, ended, type TestStack } from '../support/stack.ts';

const prefix = `lockstep-test-${randomBytes(4).toString('hex')}`;
const own = ownContainers();
let stack: TestStack;

const names = ['migrate', 'vault-bootstrap', 'content-api', 'services-api'];
const imageOf = (name: string) => `${prefix}/${name}:dev`;

beforeAll(async () => {
  stack = await createTestStack({ LOCKSTEP_IMAGE_PREFIX: prefix });
  // Programs of its own, which a test may change.
  for (const folder of ['migrations', 'vault', 'services-api', 'content-api']) {
    const dist = stack.path(`${folder}/dist`);
    await cp(dist, `${dist}.own`, { recursive: true, dereference: true });
    await rm(dist, { recursive: true });
    await rename(`${dist}.own`, dist);
  }
});
afterAll(async () => {
  await own.removeAll();
  await own.output('image', 'rm', ...names.map(imageOf));
  // Nothing of it was started.
  await rm(stack.folder, { recursive: true, force: true });
});

/** Runs `stack images`; returns the names of those it built. */
async function build(): Promise<string[]> {
  const { status, stdout, stderr } = await stack.stack('images');
  expect(status, stderr).toBe(0);
  return names.filter((name) => new RegExp(`^${imageOf(name)} +built`, 'm').test(stdout));
}

const idOf = async (name: string) =>
  (await own.output('image', 'inspect', '--format', '{{.Id}}', imageOf(name))).replace('sha256:', '');

/** The images that were built here and have no name any more. */
const nameless = async () => {
  const filters = ['--filter', 'dangling=true', '--filter', `label=dev.lockstep.image=${imageOf('migrate')}`];
  return (await own.output('image', 'ls', '--quiet', '--no-trunc', ...filters)).replaceAll('sha256:', '');
};

test('the first run builds every image, and the second none', async () => {
  expect(await build()).toEqual(names);
  expect(await build()).toEqual([]);
});

test('a changed program has its own image built again and no other', async () => {
  const before = await Promise.all(names.map(idOf));
  await appendFile(stack.path('content-api/dist/server.cjs'), '\n// changed\n');
  expect(await build()).toEqual(['content-api']);
  const after = await Promise.all(names.map(idOf));
  expect(names.filter((_, index) => before[index] !== after[index])).toEqual(['content-api']);
});

test('an image that lost its name goes, as soon as no container is made of it', async () => {
  const first = await idOf('migrate');
  const container = await own.start(
    imageOf('migrate'),
    ['--entrypoint=node'],
    ['-e', 'setTimeout(() => 0, 60_000)'],
  );
  await appendFile(stack.path('migrations/dist/migrate.cjs'), '\n// once\n');
  expect(await build()).toEqual(['migrate']);
  expect(await nameless()).toBe(first);
  await own.output('rm', '--force', container);
  await appendFile(stack.path('migrations/dist/migrate.cjs'), '\n// twice\n');
  expect(await build()).toEqual(['migrate']);
  expect(await nameless()).toBe('');
});

test('an interrupted build leaves each name with a whole image, and no files behind', async () => {
  const before = await idOf('vault-bootstrap');
  await appendFile(stack.path('vault/dist/bootstrap.cjs'), '\n// changed\n');
  const child = stack.begin('images');
  const end = ended(child);
  child.stderr?.once('data', () => child.kill('SIGINT'));
  const { status, stderr } = await end;
  expect(status, stderr).toBe(130);
  expect(stderr).toContain('stack: interrupted');
  expect(await idOf('vault-bootstrap')).toBe(before);
  expect(
    (await readdir(stack.path('.lockstep/images'))).filter((name) => name.startsWith('context')),
  ).toEqual([]);
  expect(await build()).toEqual(['vault-bootstrap']);
});

test('a program that is not built is named, with the command that builds it', async () => {
  await rm(stack.path('services-api/dist/server.cjs'));
  const { status, stderr } = await stack.stack('images');
  expect(status).toBe(3);
  expect(stderr).toContain(
    'services-api/dist/server.cjs cannot be read (not found), so services-api has no program',
  );
  expect(stderr).toContain('try: npm run build');
});
