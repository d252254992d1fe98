import nodeVault from 'node-vault';
import { describe, expect, it } from 'vitest';
import { api, startVault } from './support/vault.ts';

const notFound = { status: 404, body: { errors: [] } };

describe('KV version 2 over HTTP', () => {
  it('writes, reads and lists in the envelope Vault uses', async () => {
    const vault = await startVault();
    const written = await api(vault, 'POST', 'secret/data/app/db', { data: { user: 'u', n: 1 } });
    expect(written).toEqual({
      status: 200,
      body: {
        request_id: expect.stringMatching(/^[\da-f-]{36}$/),
        lease_id: '',
        renewable: false,
        lease_duration: 0,
        data: {
          version: 1,
          created_time: expect.stringMatching(/^\d{4}-.*Z$/),
          deletion_time: '',
          destroyed: false,
          custom_metadata: null,
        },
        wrap_info: null,
        warnings: null,
        auth: null,
      },
    });
    const read = await api(vault, 'GET', 'secret/data/app/db');
    expect(read.body.data).toEqual({ data: { user: 'u', n: 1 }, metadata: written.body.data });
    expect((await api(vault, 'GET', 'secret/metadata/?list=true')).body.data).toEqual({ keys: ['app/'] });
    expect((await api(vault, 'LIST', 'secret/metadata/app')).body.data).toEqual({ keys: ['db'] });
    expect((await api(vault, 'LIST', 'secret/metadata')).body.data).toEqual({ keys: ['app/'] });
    expect(await api(vault, 'LIST', 'secret/metadata/none')).toEqual(notFound);
    expect(await api(vault, 'GET', 'secret/data/none')).toEqual(notFound);
  });

  it('reads older versions and checks what a writer expects', async () => {
    const vault = await startVault();
    await api(vault, 'PUT', 'secret/data/a', { data: { n: 1 }, options: { cas: 0 } });
    await api(vault, 'PUT', 'secret/data/a', { data: { n: 2 }, options: { cas: '1' } });
    expect((await api(vault, 'GET', 'secret/data/a?version=1')).body.data.data).toEqual({ n: 1 });
    expect((await api(vault, 'GET', 'secret/data/a?version=0')).body.data.data).toEqual({ n: 2 });
    expect(await api(vault, 'GET', 'secret/data/a?version=9')).toEqual(notFound);
    expect((await api(vault, 'GET', 'secret/data/a?version=x')).status).toBe(400);
    expect(await api(vault, 'PUT', 'secret/data/a', { data: {}, options: { cas: 1 } })).toEqual({
      status: 400,
      body: { errors: ['check-and-set parameter did not match the current version'] },
    });
    expect(await api(vault, 'PUT', 'secret/data/a', { data: {}, options: { cas: 'x' } })).toEqual({
      status: 400,
      body: { errors: ['error parsing check-and-set parameter'] },
    });
    expect(await api(vault, 'PUT', 'secret/data/a', { a: 1 })).toEqual({
      status: 400,
      body: { errors: ['no data provided'] },
    });
  });

  it('deletes, undeletes and destroys; a deleted version is 404 with its metadata', async () => {
    const vault = await startVault();
    await api(vault, 'POST', 'secret/data/a', { data: { n: 1 } });
    await api(vault, 'POST', 'secret/data/a', { data: { n: 2 } });
    expect(await api(vault, 'DELETE', 'secret/data/a')).toEqual({ status: 204, body: undefined });
    const deleted = await api(vault, 'GET', 'secret/data/a');
    expect(deleted).toMatchObject({
      status: 404,
      body: { data: { data: null, metadata: { version: 2, destroyed: false } } },
    });
    expect(deleted.body.data.metadata.deletion_time).toMatch(/^\d{4}-/);
    expect((await api(vault, 'POST', 'secret/undelete/a', { versions: [2] })).status).toBe(204);
    expect((await api(vault, 'GET', 'secret/data/a')).body.data.data).toEqual({ n: 2 });
    expect((await api(vault, 'POST', 'secret/delete/a', { versions: '1,2' })).status).toBe(204);
    expect((await api(vault, 'GET', 'secret/data/a?version=1')).status).toBe(404);
    expect((await api(vault, 'PUT', 'secret/destroy/a', { versions: ['1'] })).status).toBe(204);
    const destroyed = await api(vault, 'GET', 'secret/data/a?version=1');
    expect(destroyed).toMatchObject({
      status: 404,
      body: { data: { data: null, metadata: { destroyed: true } } },
    });
    expect(await api(vault, 'POST', 'secret/destroy/a', {})).toEqual({
      status: 400,
      body: { errors: ['no version number provided'] },
    });
    expect((await api(vault, 'DELETE', 'secret/metadata/a')).status).toBe(204);
    expect(await api(vault, 'GET', 'secret/metadata/a')).toEqual(notFound);
  });

  it('patches by merge, with the content type that asks for it only', async () => {
    const vault = await startVault();
    expect(await api(vault, 'PATCH', 'secret/data/a', { data: { x: 1 } })).toEqual(notFound);
    await api(vault, 'POST', 'secret/data/a', { data: { keep: 1, drop: 2 } });
    expect(
      (await api(vault, 'PATCH', 'secret/data/a', { data: { drop: null, add: 3 } })).body.data.version,
    ).toBe(2);
    expect((await api(vault, 'GET', 'secret/data/a')).body.data.data).toEqual({ keep: 1, add: 3 });
    const plain = await fetch(`${vault.address}/v1/secret/data/a`, {
      method: 'PATCH',
      headers: { 'X-Vault-Token': vault.rootToken, 'Content-Type': 'application/json' },
      body: '{"data":{}}',
    });
    expect(plain.status).toBe(415);
  });

  it('keeps metadata and configuration', async () => {
    const vault = await startVault();
    await api(vault, 'POST', 'secret/metadata/a', {
      max_versions: 2,
      cas_required: true,
      delete_version_after: '1h',
      custom_metadata: { owner: 'me' },
    });
    expect(await api(vault, 'POST', 'secret/data/a', { data: {} })).toEqual({
      status: 400,
      body: { errors: ['check-and-set parameter required for this call'] },
    });
    for (const cas of [0, 1, 2])
      await api(vault, 'POST', 'secret/data/a', { data: { cas }, options: { cas } });
    const metadata = (await api(vault, 'GET', 'secret/metadata/a')).body.data;
    expect(metadata).toMatchObject({
      current_version: 3,
      oldest_version: 2,
      max_versions: 2,
      cas_required: true,
      delete_version_after: '1h0m0s',
      custom_metadata: { owner: 'me' },
    });
    expect(Object.keys(metadata.versions)).toEqual(['2', '3']);
    await api(vault, 'PATCH', 'secret/metadata/a', { custom_metadata: { owner: null, team: 'b' } });
    expect((await api(vault, 'GET', 'secret/metadata/a')).body.data.custom_metadata).toEqual({ team: 'b' });
    expect(await api(vault, 'PATCH', 'secret/metadata/none', { cas_required: true })).toEqual(notFound);
    expect((await api(vault, 'POST', 'secret/metadata/a', { custom_metadata: { a: 1 } })).status).toBe(400);

    await api(vault, 'POST', 'secret/config', { max_versions: 5 });
    expect((await api(vault, 'GET', 'secret/config')).body.data).toEqual({
      max_versions: 5,
      cas_required: false,
      delete_version_after: '0s',
    });
  });

  it('warns about a path without data/, as clients look for', async () => {
    const vault = await startVault();
    const { status, body } = await api(vault, 'GET', 'secret/app/db');
    expect(status).toBe(404);
    expect(body.data).toBeNull();
    expect(body.warnings).toEqual([
      expect.stringMatching(/^Invalid path for a versioned K\/V secrets engine\./),
    ]);
  });

  it('keeps a key named __proto__ and values with every sign', async () => {
    const vault = await startVault();
    const text = '{"data":{"__proto__":{"x":1},"constructor":"c","s":"^ % & { @ / \\u0000 \\ud83d\\ude00"}}';
    expect((await api(vault, 'POST', 'secret/data/a', text)).status).toBe(200);
    const read = await fetch(`${vault.address}/v1/secret/data/a`, {
      headers: { 'X-Vault-Token': vault.rootToken },
    });
    expect(await read.text()).toContain(
      '"data":{"__proto__":{"x":1},"constructor":"c","s":"^ % & { @ / \\u0000 😀"}',
    );
  });

  it('serves several mounts side by side, and forgets one that is disabled', async () => {
    const vault = await startVault();
    expect((await api(vault, 'POST', 'sys/mounts/team/kv', { type: 'kv-v2' })).status).toBe(204);
    await api(vault, 'POST', 'team/kv/data/a', { data: { from: 'team' } });
    expect(await api(vault, 'GET', 'secret/data/a')).toEqual(notFound);
    expect((await api(vault, 'GET', 'team/kv/data/a')).body.data.data).toEqual({ from: 'team' });
    expect((await api(vault, 'DELETE', 'sys/mounts/team/kv')).status).toBe(204);
    expect(await api(vault, 'GET', 'team/kv/data/a')).toEqual({
      status: 404,
      body: { errors: ['no handler for route "team/kv/data/a". route entry not found.'] },
    });
  });
});

it('answers node-vault, with its own transport and the method LIST', async () => {
  const vault = await startVault();
  const client = nodeVault({ endpoint: vault.address, token: vault.rootToken });
  expect(await client.health()).toMatchObject({ initialized: true, sealed: false });
  expect((await client.mounts())['secret/']).toMatchObject({ type: 'kv', options: { version: '2' } });
  await client.write('secret/data/a/b', { data: { n: 1 } });
  expect((await client.read('secret/data/a/b')).data.data).toEqual({ n: 1 });
  expect((await client.list('secret/metadata/a')).data).toEqual({ keys: ['b'] });
  await client.update('secret/data/a/b', { data: { m: 2 } });
  expect((await client.read('secret/data/a/b')).data.data).toEqual({ n: 1, m: 2 });
  await client.destroySecretVersions({ path: 'a/b', versions: [1] });
  await client.delete('secret/metadata/a/b');
  await expect(client.read('secret/data/a/b')).rejects.toMatchObject({ response: { statusCode: 404 } });

  await client.enableAuth({ mount_point: 'approle', type: 'approle' });
  await client.addPolicy({ name: 'p', policy: 'path "secret/*" { policy = "read" }' });
  await client.addApproleRole({ role_name: 'r', policies: 'p' });
  const { role_id } = (await client.getApproleRoleId({ role_name: 'r' })).data;
  const { secret_id } = (await client.getApproleRoleSecret({ role_name: 'r' })).data;
  const login = await client.approleLogin({ role_id, secret_id });
  expect(login.auth.policies).toEqual(['default', 'p']);
  expect((await client.tokenLookupSelf()).data).toMatchObject({
    path: 'auth/approle/login',
    meta: { role_name: 'r' },
  });
  await client.tokenRevokeSelf();
  await expect(client.tokenLookupSelf()).rejects.toMatchObject({ response: { statusCode: 403 } });
});
