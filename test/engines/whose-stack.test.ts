import { spawn } from 'node:child_process';
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { containers, owned } from '../support/containers.ts';
import { project } from '../support/project-copy.ts';
import { createTestStack, type Ended, ended, type TestStack } from '../support/stack.ts';

/** One server with a volume, whose content says who wrote to it. */
const tiny = `name: \${COMPOSE_PROJECT_NAME:-lockstep}
services:
  keeper:
    image: \${POSTGRES_IMAGE:-postgres:18}
    entrypoint: [/bin/sh, -c, "trap 'exit 0' TERM; id -u >> /var/lib/postgresql/kept; while :; do sleep 1; done"]
    volumes: ["data:/var/lib/postgresql"]
volumes:
  data: {}
`;

const stacks: TestStack[] = [];
afterEach(async () => {
  for (const stack of stacks.splice(0)) {
    const { status, stderr } = await at(stack.folder, stack, ['down', '--volumes'], { ADOPT: '1', YES: '1' });
    expect(status, stderr).toBe(0);
    await rm(stack.folder, { recursive: true, force: true });
  }
});

/** A checkout with the tiny stack, under a name that another checkout may have too. */
async function checkout(name?: string): Promise<TestStack> {
  const stack = await createTestStack(name === undefined ? {} : { COMPOSE_PROJECT_NAME: name });
  stacks.push(stack);
  await writeFile(stack.path('compose.yaml'), tiny);
  await rm(stack.path('compose.override.yaml'));
  return stack;
}

/** Runs `stack` in a folder, under the name of `stack`. */
function at(
  folder: string,
  stack: TestStack,
  words: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const program = join(project, 'scripts/dist/stack.js');
  return ended(
    spawn(process.execPath, [program, '--project-directory', folder, ...words], {
      env: { ...process.env, COMPOSE_PROJECT_NAME: stack.project, ENGINE: stack.engine, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

async function started(stack: TestStack): Promise<void> {
  const { status, stderr } = await stack.stack('up');
  expect(status, stderr).toBe(0);
}

const isThere = async (stack: TestStack) => [await owned(stack, 'container'), await owned(stack, 'volume')];

test('F8.1 another checkout’s stack is not started over, stopped, reset or entered unasked', async () => {
  const first = await checkout();
  await started(first);
  const before = await isThere(first);
  expect(before.map((all) => all.length)).toEqual([1, 1]);
  const second = await checkout(first.project);
  for (const words of [['up'], ['down'], ['reset'], ['down', '--volumes'], ['run', 'keeper', 'true']]) {
    const { status, stderr } = await at(second.folder, first, words);
    expect([words, status, stderr]).toEqual([words, 7, expect.any(String)]);
    expect(stderr).toContain(
      `stack: the stack ${first.project} on ${first.engine} belongs to another folder\n`,
    );
    expect(stderr).toContain(`  its folder:  ${first.folder}\n`);
    expect(stderr).toContain(`  this folder: ${second.folder}\n`);
    expect(stderr).toContain('  to take it over all the same: ADOPT=1\n');
    expect(stderr).toMatch(/^ {2}try: COMPOSE_PROJECT_NAME=[\w-]+ in \.env/m);
  }
  expect((await at(second.folder, first, ['status'])).stderr).toContain(`belongs to ${first.folder}`);
  // Only the volume is left, which does not say itself whose it is.
  expect((await first.stack('down')).status).toBe(0);
  expect((await at(second.folder, first, ['up'], { YES: '1' })).status).toBe(7);
  expect((await at(second.folder, first, ['down', '--volumes'])).status).toBe(7);
  expect(await owned(first, 'volume')).toEqual(before[1]);
  // Said beforehand, it is taken over with its data; then the first one is the stranger.
  const adopted = await at(second.folder, first, ['up'], { ADOPT: '1' });
  expect(adopted.status, adopted.stderr).toBe(0);
  expect(await owned(first, 'volume')).toEqual(before[1]);
  expect((await first.stack('up')).status).toBe(7);
});

test('F8.1 a checkout that was renamed, or is reached by a link, keeps its stack without a question', async () => {
  const stack = await checkout();
  const { folder } = stack;
  const [moved, link] = [`${folder} moved`, `${folder} link`];
  await started(stack);
  await symlink(folder, link);
  expect((await at(link, stack, ['up'])).status).toBe(0);
  await rm(link);
  const before = await owned(stack, 'volume');
  await rename(folder, moved);
  try {
    const up = await at(moved, stack, ['up']);
    expect(up.status, up.stderr).toBe(0);
    expect(await owned(stack, 'volume')).toEqual(before);
    const label = '{{index .Config.Labels "com.docker.compose.project.working_dir"}}';
    const ids = await owned(stack, 'container');
    expect(await containers(stack, 'container', 'inspect', '--format', label, ...ids)).toContain(moved);
  } finally {
    await rename(moved, folder);
  }
});

test('F8.1 the stack of a folder that is gone is taken over with YES=1, and not without', async () => {
  const first = await checkout();
  await started(first);
  const second = await checkout(first.project);
  const away = `${first.folder} away`;
  await rename(first.folder, away);
  try {
    const refused = await at(second.folder, first, ['up']);
    expect(refused.stderr).toContain(
      'its folder is not there any more; if it was renamed to this one: YES=1\n',
    );
    expect(refused.status).toBe(7);
    expect((await at(second.folder, first, ['up'], { YES: '1' })).status).toBe(0);
  } finally {
    await rename(away, first.folder);
  }
});
