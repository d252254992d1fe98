import { describe, expect, it } from 'vitest';
import { api, startVault, tokenWith } from './support/vault.ts';

const denied = { status: 403, body: { errors: ['1 error occurred:\n\t* permission denied\n\n'] } };

describe('policies', () => {
  it('tell create from update by what is there', async () => {
    const vault = await startVault();
    const creator = await tokenWith(vault, 'path "secret/data/*" { capabilities = ["create"] }');
    const write = (path: string, token: string) =>
      api(vault, 'POST', `secret/data/${path}`, { data: {} }, token);
    expect((await write('a', creator)).status).toBe(200);
    expect(await write('a', creator)).toEqual(denied);
    const updater = await tokenWith(vault, 'path "secret/data/*" { capabilities = ["update"] }');
    expect((await write('a', updater)).status).toBe(200);
    expect(await write('b', updater)).toEqual(denied);
    expect(await api(vault, 'PATCH', 'secret/data/a', { data: {} }, updater)).toEqual(denied);
    expect(await api(vault, 'GET', 'secret/data/a', undefined, updater)).toEqual(denied);
    expect(await api(vault, 'DELETE', 'secret/data/a', undefined, updater)).toEqual(denied);
  });

  it('take effect on tokens that exist, and stop at what does not exist', async () => {
    const vault = await startVault();
    const token = await tokenWith(vault, 'path "secret/data/a" { policy = "read" }');
    expect((await api(vault, 'GET', 'secret/data/a', undefined, token)).status).toBe(404);
    await api(vault, 'PUT', 'sys/policies/acl/test', { policy: 'path "secret/data/a" { policy = "deny" }' });
    expect(await api(vault, 'GET', 'secret/data/a', undefined, token)).toEqual(denied);
    expect(await api(vault, 'GET', 'no/such/mount', undefined, token)).toEqual(denied);
  });

  it('need sudo for root-protected paths', async () => {
    const vault = await startVault();
    const plain = await tokenWith(
      vault,
      'path "sys/*" { capabilities = ["create", "read", "update", "delete", "list"] }',
    );
    expect(await api(vault, 'PUT', 'sys/seal', undefined, plain)).toEqual(denied);
    expect(await api(vault, 'POST', 'sys/auth/x', { type: 'approle' }, plain)).toEqual(denied);
    expect((await api(vault, 'GET', 'sys/auth', undefined, plain)).status).toBe(200);
    const sudo = await tokenWith(vault, 'path "sys/*" { capabilities = ["update", "sudo"] }');
    expect((await api(vault, 'POST', 'sys/auth/x', { type: 'approle' }, sudo)).status).toBe(204);
    expect((await api(vault, 'PUT', 'sys/seal', undefined, sudo)).status).toBe(204);
  });

  it('are kept, listed, read and deleted under both of their paths', async () => {
    const vault = await startVault();
    const policy = '# mine\npath "secret/*" { capabilities = ["read"] }\n';
    expect((await api(vault, 'PUT', 'sys/policies/acl/Mine', { policy })).status).toBe(204);
    expect((await api(vault, 'GET', 'sys/policies/acl/mine')).body.data).toEqual({ name: 'mine', policy });
    expect((await api(vault, 'GET', 'sys/policy/mine')).body).toMatchObject({
      data: { name: 'mine', rules: policy },
      rules: policy,
    });
    expect((await api(vault, 'LIST', 'sys/policies/acl')).body.data.keys).toEqual([
      'default',
      'mine',
      'root',
    ]);
    expect((await api(vault, 'GET', 'sys/policy')).body).toMatchObject({
      policies: ['default', 'mine', 'root'],
    });
    await api(vault, 'POST', 'sys/policy/coded', { rules: Buffer.from(policy).toString('base64') });
    expect((await api(vault, 'GET', 'sys/policies/acl/coded')).body.data.policy).toBe(policy);
    expect((await api(vault, 'DELETE', 'sys/policies/acl/mine')).status).toBe(204);
    expect((await api(vault, 'GET', 'sys/policies/acl/mine')).status).toBe(404);
    expect((await api(vault, 'PUT', 'sys/policies/acl/root', { policy })).body.errors).toEqual([
      'cannot update "root" policy',
    ]);
    expect((await api(vault, 'DELETE', 'sys/policies/acl/root')).body.errors).toEqual([
      'cannot delete "root" policy',
    ]);
    expect((await api(vault, 'DELETE', 'sys/policies/acl/default')).body.errors).toEqual([
      'cannot delete "default" policy',
    ]);
  });

  it('that are wrong are refused and leave the old one in force', async () => {
    const vault = await startVault();
    const token = await tokenWith(vault, 'path "secret/data/a" { policy = "read" }');
    expect(
      await api(vault, 'PUT', 'sys/policies/acl/test', {
        policy: 'path "a" {\n  capabilities = ["reed"]\n}',
      }),
    ).toEqual({
      status: 400,
      body: { errors: ['failed to parse policy: path "a": invalid capability "reed"'] },
    });
    expect((await api(vault, 'PUT', 'sys/policies/acl/test', { policy: 'path "a" {' })).body.errors).toEqual([
      'failed to parse policy: At 1:10: this "{" is never closed',
    ]);
    expect((await api(vault, 'PUT', 'sys/policies/acl/test', {})).body.errors).toEqual([
      "'policy' parameter not supplied or empty",
    ]);
    expect((await api(vault, 'GET', 'secret/data/a', undefined, token)).status).toBe(404);
  });

  it('answer what a token may do', async () => {
    const vault = await startVault();
    const token = await tokenWith(
      vault,
      'path "secret/data/*" { capabilities = ["read", "create"] }\npath "sys/capabilities-self" { policy = "write" }',
    );
    const ask = { paths: ['secret/data/a', 'secret/metadata/a'] };
    expect((await api(vault, 'POST', 'sys/capabilities-self', ask, token)).body.data).toEqual({
      'secret/data/a': ['create', 'read'],
      'secret/metadata/a': ['deny'],
    });
    expect((await api(vault, 'POST', 'sys/capabilities-self', { path: 'x' })).body).toMatchObject({
      x: ['root'],
      capabilities: ['root'],
    });
    expect(
      (await api(vault, 'POST', 'sys/capabilities', { token, path: 'secret/data/a' })).body.data.capabilities,
    ).toEqual(['create', 'read']);
    expect((await api(vault, 'POST', 'sys/capabilities', { token: 'none', path: 'a' })).status).toBe(400);
  });
});
