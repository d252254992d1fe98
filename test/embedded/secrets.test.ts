import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestStack, type TestStack } from '../support/stack.ts';
import { connectionString } from '../support/vault.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await createTestStack();
  const up = await stack.stack('up');
  expect(up.status, up.stderr + up.stdout).toBe(0);
});
afterAll(() => stack?.destroy());

test('no secret stands in a log, in the state folder outside its own files, or in any command line', async () => {
  const secrets = [await stack.setting('POSTGRES_PASSWORD'), await stack.setting('VAULT_ROOT_TOKEN')];
  for (const role of ['services-api', 'content-api']) {
    for (const kind of ['migrator', 'app'] as const)
      secrets.push(new URL(await connectionString(stack, role, kind)).password);
  }
  const state = stack.path('.lockstep/embedded');
  const files = (await readdir(state, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && /log|json/.test(entry.name) && !entry.parentPath.includes('/volumes'),
  );
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) {
    const text = await readFile(`${file.parentPath}/${file.name}`, 'utf8');
    for (const secret of secrets) expect(text.includes(secret), file.name).toBe(false);
  }
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    for (const secret of secrets) expect(argv.includes(secret)).toBe(false);
  }
});
