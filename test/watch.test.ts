import { randomBytes } from 'node:crypto';
import { cp, realpath, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { incarnation, removeImages } from './support/containers.ts';
import { createTestStack, edit, type TestStack } from './support/stack.ts';

/** The project's own images are the other tests'. */
const tag = `watch-${randomBytes(4).toString('hex')}`;
let stack: TestStack;
let child: ReturnType<TestStack['begin']>;
let printed = '';

beforeAll(async () => {
  stack = await createTestStack({ LOCKSTEP_IMAGE_TAG: tag });
  // Programs of its own, to be changed.
  const programs = stack.path('services-api/dist');
  const built = await realpath(programs);
  await rm(programs);
  await cp(built, programs, { recursive: true });
  child = stack.begin('watch');
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  await until(() => /^watching for changes/m.test(printed));
});
afterAll(async () => {
  child?.kill('SIGKILL');
  await stack?.destroy();
  if (stack !== undefined) await removeImages(stack, tag);
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not in a minute; it printed:\n${printed}`);
    await sleep(50);
  }
}

/** Undefined while the app does not answer; a kept connection to a container that is gone would wait for minutes. */
const version = (url: string) =>
  fetch(`${url}/ready`, { signal: AbortSignal.timeout(2_000), headers: { connection: 'close' } }).then(
    async (answer) => ((await answer.json()) as { schemaVersion?: number }).schemaVersion,
    () => undefined,
  );

test('a new migration is applied, and no server is touched', async () => {
  const before = await incarnation(stack, 'services-api');
  const file = stack.path('services-api/migrations/000900_add_notes.up.sql');
  await writeFile(file.replace('.up.', '.down.'), 'drop table notes;\n');
  await writeFile(file, 'create table notes (id int primary key);\n');
  await until(async () => (await version(stack.servicesUrl)) === 900);
  expect(await incarnation(stack, 'services-api')).toBe(before);
});

test('a mistake is shown with its place, and mending it is enough', async () => {
  const file = stack.path('services-api/migrations/000901_add_tags.up.sql');
  printed = '';
  await writeFile(file.replace('.up.', '.down.'), 'drop table tags;\n');
  await writeFile(file, 'create table tags (id nonsense);\n');
  await until(() => /000901_add_tags\.up\.sql:1:23 {2}type "nonsense" does not exist/.test(printed));
  printed = '';
  await edit(file, (text) => text.replace('nonsense', 'int'));
  await until(async () => (await version(stack.servicesUrl)) === 901);
});

test("an app's new program replaces the running one, and the other app runs on", async () => {
  const before = await Promise.all([incarnation(stack, 'services-api'), incarnation(stack, 'content-api')]);
  const program = stack.path('services-api/dist/server.cjs');
  await edit(program, (text) => `${text}\n// Another build.\n`);
  await until(async () => (await incarnation(stack, 'services-api').catch(() => before[0])) !== before[0]);
  await until(async () => (await version(stack.servicesUrl)) === 901);
  expect(await incarnation(stack, 'content-api')).toBe(before[1]);
});

test('Ctrl-C ends it, and the stack runs on', async () => {
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGINT');
  await ended;
  expect(await version(stack.servicesUrl)).toBe(901);
});
