import { copyFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { Deadline } from '@lockstep/foundation';
import { readSecret, type SecretAccess, startDevVault, writeEntry } from '@lockstep/vault';
import { describe, expect, it } from 'vitest';
import { closedPort, saying, startRogue } from './support/rogue-server.ts';
import {
  accessAt,
  api,
  failureOf,
  secretPath,
  secretValue,
  seed,
  startVault,
  textOf,
  within,
} from './support/vault.ts';

describe('waiting', () => {
  it('waits for a Vault that starts later, and says for what', async () => {
    const port = await closedPort();
    const reasons: string[] = [];
    const later = new Promise<void>((resolve, reject) => {
      setTimeout(() => {
        startVault({ port, rootToken: 'later-token' })
          .then((vault) => seed(vault))
          .then(() => resolve(), reject);
      }, 400);
    });
    const access: SecretAccess = {
      address: `http://127.0.0.1:${port}`,
      credentials: { kind: 'token', token: 'later-token' },
      path: secretPath,
      key: 'connection_string',
    };
    const read = readSecret(access, within(5_000, { onWait: (reason) => reasons.push(reason) }));
    await later;
    expect(await read).toBe(secretValue);
    expect(reasons[0]).toBe(`vault at http://127.0.0.1:${port} is unreachable: connection refused`);
  });

  it('waits for a sealed Vault to be unsealed', async () => {
    const vault = await startVault();
    const { access } = await seed(vault);
    await api(vault, 'PUT', 'sys/seal');
    const reasons: string[] = [];
    const read = readSecret(access, within(5_000, { onWait: (reason) => reasons.push(reason) }));
    await expect.poll(() => reasons).toEqual([`vault at ${vault.address} is sealed`]);
    expect((await api(vault, 'PUT', 'sys/unseal', { key: vault.unsealKey }, '')).body).toMatchObject({
      sealed: false,
    });
    expect(await read).toBe(secretValue);
  });

  it('sits out 500, 429 and 503 and a reset connection', async () => {
    const vault = await startVault();
    const { access } = await seed(vault);
    const reasons: string[] = [];
    const address = await startRogue((socket, connection) => {
      if (connection === 1)
        return saying('500 Internal Server Error', '{"errors":["internal error"]}')(socket);
      if (connection === 2) return saying('429 Too Many Requests', '{"errors":["slow down"]}')(socket);
      if (connection === 3) return saying('503 Service Unavailable', '<html>', 'text/html')(socket);
      if (connection === 4) return socket.once('data', () => socket.resetAndDestroy());
      return socket.pipe(connect(vault.port, '127.0.0.1')).pipe(socket);
    });
    const read = readSecret(
      { ...access, address },
      within(5_000, { onWait: (reason) => reasons.push(reason) }),
    );
    expect(await read).toBe(secretValue);
    expect(reasons).toEqual([
      `vault at ${address} answered 500 to login at auth/approle/login`,
      `vault at ${address} answered 429 to login at auth/approle/login`,
      `what answers at ${address} is not a vault`,
      `vault at ${address} is unreachable: the connection was reset`,
    ]);
  });

  it('finds an entry that a bootstrap writes half a second later', async () => {
    const vault = await startVault();
    const { access, session } = await seed(vault);
    await session.remove('secret/metadata/services-api/app');
    setTimeout(() => void writeEntry(session, secretPath, { connection_string: secretValue }), 500);
    expect(await readSecret(access, within(5_000))).toBe(secretValue);
  });

  it('reads the credentials files again, and logs in again to a Vault that lost its memory', async () => {
    const first = await startDevVault({ port: 0 });
    const { access, roleIdFile, secretIdFile } = await seed(first);
    await first.close();
    const second = await startVault({ port: first.port, rootToken: first.rootToken });
    const read = readSecret(access, within(5_000));
    setTimeout(async () => {
      const renewed = await seed(second);
      await writeFile(roleIdFile, renewed.roleId);
      await writeFile(secretIdFile, renewed.secretId);
    }, 300);
    expect(await read).toBe(secretValue);
  });

  it('spends one use of a limited secret id while it waits for a policy', async () => {
    const vault = await startVault();
    const { access, session } = await seed(vault, { secret_id_num_uses: 1 });
    await session.remove('sys/policies/acl/services-api-app');
    setTimeout(
      () =>
        void session.write('sys/policies/acl/services-api-app', {
          policy: `path "${secretPath}" { policy = "read" }`,
        }),
      500,
    );
    expect(await readSecret(access, within(5_000))).toBe(secretValue);
  });

  it('gives a bootstrap its two seconds after the Vault is there, not before', async () => {
    const vault = await startVault();
    const { access, session } = await seed(vault);
    let answered = 0;
    const address = await startRogue((socket) => {
      answered++;
      if (answered === 1) saying('404 Not Found', '{"errors":[]}')(socket);
      else if (answered < 6) saying('500 Internal Server Error', '{"errors":[]}')(socket);
      else socket.pipe(connect(vault.port, '127.0.0.1')).pipe(socket);
    });
    await session.remove('secret/metadata/services-api/app');
    const read = readSecret({ ...access, address }, within(10_000));
    setTimeout(() => void writeEntry(session, secretPath, { connection_string: secretValue }), 2_600);
    expect(await read).toBe(secretValue);
  });

  it('F16.9 waits within its deadline for the bootstrap of a Vault that was restarted', async () => {
    const before = await startVault();
    const { access, roleIdFile, secretIdFile } = await seed(before);
    const { port } = new URL(before.address);
    await before.close();
    // It has forgotten all: the entry, the role, and the method to log in by.
    const vault = await startVault({ port: Number(port) });
    const reasons: string[] = [];
    const read = readSecret(access, within(20_000, { onWait: (reason) => void reasons.push(reason) }));
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    // Written anew where the migrator reads them.
    const renewed = await seed(vault);
    await copyFile(renewed.roleIdFile, roleIdFile);
    await copyFile(renewed.secretIdFile, secretIdFile);
    expect(await read).toBe(secretValue);
    expect(reasons.join('\n')).toMatch(/refuses the login|login/);
  });

  it('stops at once when aborted, with the reason given', async () => {
    const hanging = await startRogue(() => undefined);
    const access = accessAt(hanging);
    const controller = new AbortController();
    const reason = new Error('SIGTERM');
    setTimeout(() => controller.abort(reason), 100);
    const startedAt = performance.now();
    expect(await failureOf(readSecret(access, within(10_000, { signal: controller.signal })))).toBe(reason);
    expect(performance.now() - startedAt).toBeLessThan(1_000);

    const closed = `http://127.0.0.1:${await closedPort()}`;
    const pausing = new AbortController();
    setTimeout(() => pausing.abort(reason), 300);
    expect(
      await failureOf(readSecret({ ...access, address: closed }, within(10_000, { signal: pausing.signal }))),
    ).toBe(reason);
    expect(await failureOf(readSecret(access, within(10_000, { signal: AbortSignal.abort(reason) })))).toBe(
      reason,
    );
  });

  it('keeps the deadline when nothing ever answers', async () => {
    const hanging = await startRogue(() => undefined);
    const access = accessAt(hanging);
    const startedAt = performance.now();
    expect(await textOf(readSecret(access, within(700)))).toBe(
      'migrate: vault at http://127.0.0.1:PORT is unreachable: no answer within N ms\n  try: make status\n',
    );
    expect(performance.now() - startedAt).toBeLessThan(1_200);
  });

  it('says so when no time is left at the start', async () => {
    const deadline = new Deadline(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const vault = await startVault();
    expect(await textOf(readSecret(accessAt(vault.address), { deadline }))).toBe(
      'migrate: vault at http://127.0.0.1:PORT is unreachable: no time was left to ask it\n',
    );
  });

  it('gives up after about two seconds on what only a bootstrap can mend', async () => {
    const vault = await startVault();
    const { access, session } = await seed(vault);
    await session.remove('secret/metadata/services-api/app');
    const startedAt = performance.now();
    await failureOf(readSecret(access, within(20_000)));
    const elapsed = performance.now() - startedAt;
    expect(elapsed).toBeGreaterThan(1_000);
    expect(elapsed).toBeLessThan(3_000);
  });
});
