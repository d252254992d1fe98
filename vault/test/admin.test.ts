import { Deadline } from '@lockstep/foundation';
import {
  createSecretId,
  ensureAppRoleAuth,
  ensureKvMount,
  openVault,
  readAppRole,
  readEntry,
  readPolicy,
  readRoleId,
  waitUntilReady,
  writeAppRole,
  writeEntry,
  writePolicy,
} from '@lockstep/vault';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closedPort, saying, startRogue } from './support/rogue-server.ts';
import { api, failureOf, openAsRoot, startVault } from './support/vault.ts';

describe('what a bootstrap does', () => {
  it('seeds a Vault, and finds nothing to do the second time', async () => {
    const session = await openAsRoot(await startVault());
    expect(await waitUntilReady(session)).toEqual({
      initialised: true,
      sealed: false,
      standby: false,
      version: '1.20.0+lockstep.embedded',
    });
    expect([
      await ensureKvMount(session, 'secret'),
      await ensureKvMount(session, 'team/kv'),
      await ensureKvMount(session, 'team/kv'),
    ]).toEqual([false, true, false]);
    expect([await ensureAppRoleAuth(session), await ensureAppRoleAuth(session)]).toEqual([true, false]);

    expect(await readPolicy(session, 'app')).toBeUndefined();
    const policy = 'path "secret/data/app" { capabilities = ["read"] }';
    await writePolicy(session, 'app', policy);
    expect(await readPolicy(session, 'app')).toBe(policy);

    expect([await readAppRole(session, 'app'), await readRoleId(session, 'app')]).toEqual([
      undefined,
      undefined,
    ]);
    await writeAppRole(session, 'app', { token_policies: ['app'], token_ttl: '5m' });
    expect(await readAppRole(session, 'app')).toMatchObject({ token_policies: ['app'], token_ttl: 300 });
    const roleId = (await readRoleId(session, 'app')) ?? '';
    const secretId = await createSecretId(session, 'app');
    expect(await session.tryLogin({ roleId, secretId })).toEqual({
      token: expect.stringMatching(/^hvs\./),
      role: 'app',
      policies: ['app', 'default'],
      ttlSeconds: 300,
    });
    expect(await session.list('auth/approle/role')).toEqual(['app']);
    // The session is still root's.
    expect(await session.list('secret/metadata')).toEqual([]);
  });

  it('tells a refused login at once', async () => {
    const session = await openAsRoot(await startVault());
    await ensureAppRoleAuth(session);
    const startedAt = performance.now();
    expect(await session.tryLogin({ roleId: 'x', secretId: 'y' })).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it('writes entries only over the version it has seen', async () => {
    const session = await openAsRoot(await startVault());
    expect(await readEntry(session, 'secret/data/a')).toBeUndefined();
    expect(await writeEntry(session, 'secret/data/a', { n: 1 }, 0)).toBe(1);
    const error = await failureOf(writeEntry(session, 'secret/data/a', { n: 2 }, 0));
    expect(error).toMatchObject({
      code: 'vault-entry-changed',
      message: `secret/data/a in vault at ${session.address} was changed by somebody else`,
    });
    expect(await readEntry(session, 'secret/data/a')).toEqual({ data: { n: 1 }, version: 1 });
    expect(await writeEntry(session, 'secret/data/a', { n: 2 }, 1)).toBe(2);
    await session.remove('secret/data/a');
    expect(await readEntry(session, 'secret/data/a')).toBeUndefined();
    expect(await writeEntry(session, 'secret/data/a', { n: 3 })).toBe(3);
  });

  it('reports a request that Vault refuses with its own words, and a mount of another kind', async () => {
    const session = await openAsRoot(await startVault());
    expect(await failureOf(writePolicy(session, 'bad', 'path "a" {'))).toMatchObject({
      code: 'vault-request-refused',
      exitStatus: 3,
      message: `vault at ${session.address} refused writing sys/policies/acl/bad with status 400`,
      evidence: ['vault says: failed to parse policy: At 1:10: this "{" is never closed'],
    });
    expect(await failureOf(ensureKvMount(session, 'sys'))).toMatchObject({
      code: 'vault-mount',
      message: `vault at ${session.address} has the system engine at sys/, where version 2 of the KV engine is needed`,
    });
    expect(await failureOf(ensureAppRoleAuth(session, 'token'))).toMatchObject({
      message: `vault at ${session.address} has the token auth method at auth/token/, where AppRole is needed`,
    });
  });

  it('waits for a Vault that starts, is initialised and is unsealed while it waits', async () => {
    const port = await closedPort();
    const reasons: string[] = [];
    const address = `http://127.0.0.1:${port}`;
    const session = await openVault({
      address,
      deadline: new Deadline(10_000),
      onWait: (reason) => reasons.push(reason),
    });
    onTestFinished(() => session.close());
    const ready = waitUntilReady(session);
    const saw = (reason: string) =>
      expect.poll(() => reasons.at(-1), { timeout: 5_000 }).toBe(`vault at ${address} is ${reason}`);
    await saw('unreachable: connection refused');
    const vault = await startVault({ port, initialised: false });
    await saw('not initialised');
    const { body } = await api(vault, 'PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 }, '');
    await saw('sealed');
    await api(vault, 'PUT', 'sys/unseal', { key: body.keys[0] }, '');
    expect(await ready).toMatchObject({ sealed: false });
  });

  it('does not take another program for a Vault', async () => {
    const address = await startRogue(saying('200 OK', '{"status":"ok"}'));
    const session = await openVault({ address, deadline: new Deadline(300) });
    onTestFinished(() => session.close());
    expect(await failureOf(waitUntilReady(session))).toMatchObject({
      code: 'vault-not-vault',
      evidence: [
        `its sys/health says nothing about being sealed`,
        expect.stringMatching(/^tried \d times in/),
      ],
    });
  });

  it('waits out the moment in which a new KV mount upgrades itself', async () => {
    let answers = 0;
    const address = await startRogue((socket) => {
      answers++;
      if (answers < 3)
        saying(
          '400 Bad Request',
          '{"errors":["Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period."]}',
        )(socket);
      else saying('200 OK', '{"data":{"version":1}}')(socket);
    });
    const session = await openVault({ address, token: 'any-token', deadline: new Deadline(2_000) });
    onTestFinished(() => session.close());
    expect(await writeEntry(session, 'secret/data/a', {})).toBe(1);
  });
});
