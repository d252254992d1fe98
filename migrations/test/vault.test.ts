import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../test/support/postgres.ts';
import { setTable, steady, until } from './support.ts';

const program = join(dirname(fileURLToPath(import.meta.url)), '../../vault/dist/dev-vault.cjs');
const files = { '1_users.up.sql': 'create table users (id int);' };

/** Starts the embedded development Vault; `write` puts the connection string where the migrator looks for it. */
async function startVault() {
  const port = await freePort();
  const child = spawn(process.execPath, [program, '--port', String(port), '--root-token', 'root-of-test'], {
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const address = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${address}/v1/sys/health`).catch(() => undefined))?.ok === true);
  const write = async (data: Readonly<Record<string, unknown>>) => {
    const response = await fetch(`${address}/v1/secret/data/shop/migrator`, {
      method: 'POST',
      headers: { 'X-Vault-Token': 'root-of-test' },
      body: JSON.stringify({ data }),
    });
    if (!response.ok) throw new Error(`Vault said ${response.status}`);
  };
  const environment = { DATABASE_CONNECTION_STRING: '', VAULT_ADDR: address, VAULT_TOKEN: 'root-of-test' };
  return { write, environment };
}

test('the connection string is read from Vault, and a string given directly wins over it', async () => {
  const bench = await setTable(files);
  const vault = await startVault();
  await vault.write({ connection_string: bench.database.ownerUrl });
  expect((await bench.migrate(['up'], vault.environment)).stdout).toMatch(/^shop: 1 migration applied/);
  await vault.write({ connection_string: 'postgres://nobody:nothing@127.0.0.1:1/none' });
  const { ownerUrl } = bench.database;
  const direct = await bench.migrate(['up'], { ...vault.environment, DATABASE_CONNECTION_STRING: ownerUrl });
  expect(direct.stdout).toBe('shop is at 1, nothing to do\n');
});

test('a password that Vault changed meanwhile is read once more', async () => {
  const bench = await setTable(files);
  const vault = await startVault();
  const url = new URL(bench.database.ownerUrl);
  const target = Number(url.port);
  // Between the reading and the login the secret is rotated.
  const proxy = createServer(async (client) => {
    await vault.write({ connection_string: bench.database.ownerUrl });
    const server = connect(target, '127.0.0.1');
    client.pipe(server).pipe(client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const address = proxy.address();
  url.port = String(typeof address === 'object' ? address?.port : 0);
  url.password = 'the-old-one';
  await vault.write({ connection_string: url.href });
  const { status, stdout, stderr } = await bench.migrate(['up'], vault.environment);
  expect(stderr).toMatch(/^the password from Vault is wrong; reading it again\n/);
  expect(stdout).toMatch(/^shop: 1 migration applied/);
  expect(status).toBe(0);
});

test('a secret that is no connection string is refused without showing it', async () => {
  const bench = await setTable(files);
  const vault = await startVault();
  await vault.write({ connection_string: 'hunter2-is-my-password' });
  expect(await bench.migrate(['up'], vault.environment)).toEqual({
    status: 2,
    stdout: '',
    stderr:
      "config: 1 setting is wrong\n  connection_string in Vault's secret/data/shop/migrator: expected a postgres:// URL or key=value pairs\n",
  });
});

test('a password that is wrong for good is refused after one more look', async () => {
  const bench = await setTable(files);
  const vault = await startVault();
  const url = new URL(bench.database.ownerUrl);
  url.password = 'wrong-for-good';
  await vault.write({ connection_string: url.href });
  const { status, stderr } = await bench.migrate(['up'], vault.environment);
  expect(steady(stderr, bench).replaceAll(url.host, '‹host›')).toBe(
    [
      'the password from Vault is wrong; reading it again',
      'migrate: Postgres at ‹host› refused: the password of shopdb_migrator is wrong',
      '  password authentication failed for user "shopdb_migrator" (28P01)',
      '',
    ].join('\n'),
  );
  expect(status).toBe(3);
});
