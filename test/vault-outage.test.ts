import { afterAll, beforeAll, expect, test } from 'vitest';
import { freeze } from './support/containers.ts';
import { createTestStack, type TestStack } from './support/stack.ts';
import { askVault } from './support/vault.ts';

let stack: TestStack;

beforeAll(async () => {
  // Short, so that each failure is seen soon; but a busy machine needs seconds before a container's first request is sent.
  stack = await createTestStack({ MIGRATION_TIMEOUT: '12s' });
  expect((await stack.stack('up')).status).toBe(0);
});
afterAll(() => stack?.destroy());

const migrate = () => stack.stack('run', 'services-api-migrations', 'up');

test('with everything in place there is nothing to do', async () => {
  expect((await migrate()).status).toBe(0);
});

test('without the path: status 3, and the path is named', async () => {
  const path = 'secret/metadata/services-api/migrator';
  await askVault(stack, 'DELETE', path);
  const failed = await migrate();
  expect(failed.status).toBe(3);
  expect(failed.stderr).toMatch(
    /^migrate: vault at http:\/\/(?:127\.0\.0\.1:\d+|vault:8200) has nothing at secret\/data\/services-api\/migrator$/m,
  );
});

test('the next `up` repairs a lost entry, and the apps never stop serving', async () => {
  expect((await stack.stack('up')).status).toBe(0);
  expect((await migrate()).status).toBe(0);
  expect((await fetch(`${stack.servicesUrl}/ready`)).status).toBe(200);
});

test('with a revoked role: status 3, the login was refused', async () => {
  await askVault(stack, 'DELETE', 'auth/approle/role/services-api-migrator');
  const failed = await migrate();
  expect(failed.status).toBe(3);
  expect(failed.stderr).toMatch(
    /^migrate: vault at http:\/\/(?:127\.0\.0\.1:\d+|vault:8200) refused the login$/m,
  );
  expect((await stack.stack('up')).status).toBe(0);
});

test('sealed: status 3 at the deadline, and the phases say that Vault spent it', async () => {
  await askVault(stack, 'PUT', 'sys/seal');
  const failed = await migrate();
  expect(failed.status).toBe(3);
  expect(failed.stderr).toMatch(/^migrate: vault at http:\/\/(?:127\.0\.0\.1:\d+|vault:8200) is sealed$/m);
});

test('apps go on serving while Vault is sealed', async () => {
  expect((await fetch(`${stack.servicesUrl}/ready`)).status).toBe(200);
});

test('a restart of the stack brings Vault back, with new secrets and the old rows', async () => {
  expect((await stack.stack('down')).status).toBe(0);
  const up = await stack.stack('up');
  expect(up.status, up.stderr).toBe(0);
  expect((await migrate()).status).toBe(0);
});

test('stopped: status 3, and the address is named', async () => {
  const wake = await freeze(stack, 'vault');
  try {
    const failed = await migrate();
    expect(failed.status).toBe(3);
    expect(failed.stderr).toMatch(
      /^migrate: vault at http:\/\/(?:127\.0\.0\.1:\d+|vault:8200) is unreachable/m,
    );
  } finally {
    await wake();
  }
});
