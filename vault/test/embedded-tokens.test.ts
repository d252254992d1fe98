import { describe, expect, it } from 'vitest';
import { api, startVault, tokenWith } from './support/vault.ts';

const denied = { status: 403, body: { errors: ['1 error occurred:\n\t* permission denied\n\n'] } };
const invalidToken = {
  status: 403,
  body: { errors: ['2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n'] },
};

describe('tokens', () => {
  it('are taken from either header', async () => {
    const vault = await startVault();
    const asked = await fetch(`${vault.address}/v1/auth/token/lookup-self`, {
      headers: { Authorization: `Bearer ${vault.rootToken}` },
    });
    expect(Object(await asked.json()).data).toMatchObject({
      policies: ['root'],
      ttl: 0,
      expire_time: null,
      id: vault.rootToken,
    });
    expect(await api(vault, 'GET', 'auth/token/lookup-self', undefined, '')).toEqual({
      status: 403,
      body: { errors: ['permission denied'] },
    });
    expect(await api(vault, 'GET', 'auth/token/lookup-self', undefined, 'hvs.wrong')).toEqual(invalidToken);
  });

  it('expire, renew, and die with their parent', async () => {
    const vault = await startVault();
    const parent: string = (await api(vault, 'POST', 'auth/token/create', { policies: 'root', ttl: '1h' }))
      .body.auth.client_token;
    const short = (
      await api(vault, 'POST', 'auth/token/create', { policies: ['default'], ttl: '1s' }, parent)
    ).body.auth;
    const child = (
      await api(vault, 'POST', 'auth/token/create', { ttl: '1m', explicit_max_ttl: '2m' }, parent)
    ).body.auth;
    expect(child).toMatchObject({ policies: ['root'], lease_duration: 60, orphan: false });
    expect(
      (await api(vault, 'POST', 'auth/token/renew-self', { increment: '1h' }, child.client_token)).body.auth
        .lease_duration,
    ).toBe(120);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect(await api(vault, 'GET', 'auth/token/lookup-self', undefined, short.client_token)).toEqual(
      invalidToken,
    );
    expect(
      (await api(vault, 'POST', 'auth/token/lookup-accessor', { accessor: child.accessor })).body.data,
    ).toMatchObject({ id: '', ttl: expect.any(Number) });
    expect((await api(vault, 'POST', 'auth/token/revoke', { token: parent })).status).toBe(204);
    expect(await api(vault, 'GET', 'auth/token/lookup-self', undefined, child.client_token)).toEqual(
      invalidToken,
    );
    expect((await api(vault, 'POST', 'auth/token/lookup', { token: parent })).body.errors).toEqual([
      'bad token',
    ]);
  });

  it('with a number of uses end after the last one', async () => {
    const vault = await startVault();
    const token = await tokenWith(vault, 'path "secret/*" { capabilities = ["read", "create"] }', {
      num_uses: 2,
    });
    expect((await api(vault, 'POST', 'secret/data/a', { data: {} }, token)).status).toBe(200);
    expect((await api(vault, 'GET', 'secret/data/a', undefined, token)).status).toBe(200);
    expect(await api(vault, 'GET', 'secret/data/a', undefined, token)).toEqual(invalidToken);
  });

  it('cannot make stronger ones than they are', async () => {
    const vault = await startVault();
    const policy = 'path "auth/token/create" { capabilities = ["update"] }';
    const token = await tokenWith(vault, policy);
    const create = (body: unknown) => api(vault, 'POST', 'auth/token/create', body, token);
    expect((await create({})).body.auth.policies).toEqual(['default', 'test']);
    expect((await create({ policies: ['other'] })).body.errors).toEqual([
      'child policies must be subset of parent',
    ]);
    expect((await create({ policies: ['root'] })).body.errors).toEqual([
      'root tokens may not be created without parent token being root',
    ]);
    expect((await create({ id: 'mine' })).status).toBe(400);
    expect((await create({ no_parent: true })).status).toBe(400);
    expect(await api(vault, 'POST', 'auth/token/create-orphan', {}, token)).toEqual(denied);
    expect(await api(vault, 'LIST', 'auth/token/accessors', undefined, token)).toEqual(denied);
    const sudo = await tokenWith(vault, 'path "auth/token/create" { capabilities = ["update", "sudo"] }');
    expect(
      (await api(vault, 'POST', 'auth/token/create', { policies: ['other'] }, sudo)).body.auth.policies,
    ).toEqual(['default', 'other']);
    expect((await api(vault, 'POST', 'auth/token/create', { policies: ['root'] }, sudo)).status).toBe(400);
  });

  it('are revoked by accessor, by themselves, and without their children', async () => {
    const vault = await startVault();
    const make = async (token?: string) =>
      (await api(vault, 'POST', 'auth/token/create', { policies: 'root', ttl: '1h' }, token)).body.auth;
    const [first, second, third] = [await make(), await make(), await make()];
    const child = await make(third.client_token);
    const alive = async (token: string) =>
      (await api(vault, 'GET', 'auth/token/lookup-self', undefined, token)).status === 200;
    await api(vault, 'POST', 'auth/token/revoke-accessor', { accessor: first.accessor });
    await api(vault, 'POST', 'auth/token/revoke-self', {}, second.client_token);
    await api(vault, 'POST', 'auth/token/revoke-orphan', { token: third.client_token });
    expect([
      await alive(first.client_token),
      await alive(second.client_token),
      await alive(third.client_token),
      await alive(child.client_token),
    ]).toEqual([false, false, false, true]);
    expect((await api(vault, 'LIST', 'auth/token/accessors')).body.data.keys).toHaveLength(2);
  });

  it.each(['hvs.mine', 's.mine'])(
    'F15 refuse the custom id %s: only Vault itself gives that prefix',
    async (id) => {
      const vault = await startVault();
      const prefix = id.slice(0, -4);
      expect(await api(vault, 'POST', 'auth/token/create', { id })).toEqual({
        status: 400,
        body: { errors: [`custom token ID cannot have the '${prefix}' prefix`] },
      });
      expect((await api(vault, 'POST', 'auth/token/create', { id: 'mine' })).body.auth.client_token).toBe(
        'mine',
      );
    },
  );

  it('refuse batch and periodic ones, which this server does not have', async () => {
    const vault = await startVault();
    expect((await api(vault, 'POST', 'auth/token/create', { type: 'batch' })).body.errors).toEqual([
      'type is not supported by the embedded development Vault',
    ]);
    expect((await api(vault, 'POST', 'auth/token/create', { period: '1h' })).body.errors).toEqual([
      'period is not supported by the embedded development Vault',
    ]);
  });
});
