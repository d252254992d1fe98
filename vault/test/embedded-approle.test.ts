import { describe, expect, it } from 'vitest';
import { api, startVault } from './support/vault.ts';

type Vault = Awaited<ReturnType<typeof startVault>>;

const invalidToken = {
  status: 403,
  body: { errors: ['2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n'] },
};
const refused = { status: 400, body: { errors: ['invalid role or secret ID'] } };

async function makeRole(vault: Vault, settings: Record<string, unknown> = {}) {
  await api(vault, 'POST', 'sys/auth/approle', { type: 'approle' });
  await api(vault, 'POST', 'auth/approle/role/app', settings);
  const role_id: string = (await api(vault, 'GET', 'auth/approle/role/app/role-id')).body.data.role_id;
  const { secret_id, secret_id_accessor } = (await api(vault, 'POST', 'auth/approle/role/app/secret-id')).body
    .data;
  const login = () => api(vault, 'POST', 'auth/approle/login', { role_id, secret_id }, '');
  return { role_id, secret_id, secret_id_accessor, login };
}

describe('AppRole', () => {
  it('answers a login with the auth block', async () => {
    const vault = await startVault();
    const { login } = await makeRole(vault, {
      token_policies: 'app',
      token_ttl: '10m',
      token_max_ttl: 3600,
      token_num_uses: 3,
    });
    const { status, body } = await login();
    expect(status).toBe(200);
    expect(body.data).toBeNull();
    expect(body.auth).toEqual({
      client_token: expect.stringMatching(/^hvs\.\w{24}$/),
      accessor: expect.stringMatching(/^\w{24}$/),
      policies: ['app', 'default'],
      token_policies: ['app', 'default'],
      metadata: { role_name: 'app' },
      lease_duration: 600,
      renewable: true,
      entity_id: '',
      token_type: 'service',
      orphan: true,
      mfa_requirement: null,
      num_uses: 3,
    });
  });

  it('refuses with the same words whichever half is wrong', async () => {
    const vault = await startVault();
    const { role_id, secret_id } = await makeRole(vault);
    const login = (body: unknown) => api(vault, 'POST', 'auth/approle/login', body, '');
    expect(await login({ role_id: 'x', secret_id })).toEqual(refused);
    expect(await login({ role_id, secret_id: 'x' })).toEqual(refused);
    expect(await login({ role_id })).toEqual({ status: 400, body: { errors: ['missing secret_id'] } });
    expect(await login({ secret_id })).toEqual({ status: 400, body: { errors: ['missing role_id'] } });
    expect(await login({})).toEqual({ status: 400, body: { errors: ['missing role_id'] } });
    expect((await login({ role_id: 1, secret_id })).status).toBe(400);
  });

  it('ends a secret id by use, by time, by destruction and with its role', async () => {
    const vault = await startVault();
    const used = await makeRole(vault, { secret_id_num_uses: 2 });
    expect([(await used.login()).status, (await used.login()).status]).toEqual([200, 200]);
    expect(await used.login()).toEqual(refused);

    const timed = await makeRole(vault, { secret_id_num_uses: 0, secret_id_ttl: '1s' });
    expect((await timed.login()).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect(await timed.login()).toEqual(refused);

    const destroyed = await makeRole(vault, { secret_id_ttl: 0 });
    const byAccessor = { secret_id_accessor: destroyed.secret_id_accessor };
    expect(
      (await api(vault, 'POST', 'auth/approle/role/app/secret-id-accessor/destroy', byAccessor)).status,
    ).toBe(204);
    expect(await destroyed.login()).toEqual(refused);
    expect(await api(vault, 'POST', 'auth/approle/role/app/secret-id-accessor/lookup', byAccessor)).toEqual({
      status: 404,
      body: {
        errors: [`failed to find accessor entry for secret_id_accessor: "${destroyed.secret_id_accessor}"`],
      },
    });

    const orphaned = await makeRole(vault);
    await api(vault, 'DELETE', 'auth/approle/role/app');
    expect(await orphaned.login()).toEqual(refused);
  });

  it('lets twenty logins race for a secret id with five uses: five win', async () => {
    const vault = await startVault();
    const { login } = await makeRole(vault, { secret_id_num_uses: 5 });
    const statuses = (await Promise.all(Array.from({ length: 20 }, login))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
  });

  it('takes custom role ids and secret ids, and looks them up', async () => {
    const vault = await startVault();
    await makeRole(vault, { role_id: 'my-role' });
    await api(vault, 'POST', 'auth/approle/role/app/custom-secret-id', {
      secret_id: 'my-secret',
      metadata: '{"host":"a"}',
      num_uses: 7,
      ttl: '1h',
    });
    const login = await api(
      vault,
      'POST',
      'auth/approle/login',
      { role_id: 'my-role', secret_id: 'my-secret' },
      '',
    );
    expect(login.body.auth.metadata).toEqual({ host: 'a', role_name: 'app' });
    expect(
      (await api(vault, 'POST', 'auth/approle/role/app/secret-id/lookup', { secret_id: 'my-secret' })).body
        .data,
    ).toMatchObject({
      metadata: { host: 'a' },
      secret_id_num_uses: 6,
      secret_id_ttl: 3600,
    });
    expect((await api(vault, 'LIST', 'auth/approle/role/app/secret-id')).body.data.keys).toHaveLength(2);
    expect(
      (await api(vault, 'DELETE', 'auth/approle/role/app/secret-id/destroy', { secret_id: 'my-secret' }))
        .status,
    ).toBe(204);
    expect(
      await api(vault, 'POST', 'auth/approle/login', { role_id: 'my-role', secret_id: 'my-secret' }, ''),
    ).toEqual(refused);
    await api(vault, 'POST', 'auth/approle/role/other', {});
    expect(await api(vault, 'POST', 'auth/approle/role/other/role-id', { role_id: 'my-role' })).toEqual({
      status: 400,
      body: { errors: ['role_id is already in use'] },
    });
    expect((await api(vault, 'LIST', 'auth/approle/role')).body.data.keys).toEqual(['app', 'other']);
  });

  it('shows and changes single settings, and says what it cannot do', async () => {
    const vault = await startVault();
    await makeRole(vault, { token_policies: ['A', 'b'], token_ttl: '1h' });
    await api(vault, 'POST', 'auth/approle/role/APP', { token_num_uses: 4 });
    expect((await api(vault, 'GET', 'auth/approle/role/app')).body.data).toMatchObject({
      token_policies: ['a', 'b'],
      token_ttl: 3600,
      token_num_uses: 4,
      bind_secret_id: true,
    });
    expect(await api(vault, 'POST', 'auth/approle/role/app', { token_bound_cidrs: ['10.0.0.0/8'] })).toEqual({
      status: 400,
      body: { errors: ['token_bound_cidrs is not supported by the embedded development Vault'] },
    });
    expect((await api(vault, 'POST', 'auth/approle/role/app', { token_tl: 1 })).body.warnings).toEqual([
      'Endpoint ignored these unrecognized parameters: [token_tl]',
    ]);
    expect(
      await api(vault, 'POST', 'auth/approle/role/app', { token_ttl: '2h', token_max_ttl: '1h' }),
    ).toEqual({
      status: 400,
      body: { errors: ['"token_ttl" cannot be greater than "token_max_ttl"'] },
    });
    expect((await api(vault, 'POST', 'auth/approle/role/a%20b', {})).status).toBe(400);
    expect((await api(vault, 'GET', 'auth/approle/role/none')).status).toBe(404);
    expect((await api(vault, 'POST', 'auth/approle/role/none/secret-id')).status).toBe(404);
  });

  it('F15 refuses a role that nothing binds: without a secret id it would need a rule about addresses', async () => {
    const vault = await startVault();
    await api(vault, 'POST', 'sys/auth/approle', { type: 'approle' });
    const unbound = {
      status: 500,
      body: { errors: ['1 error occurred:\n\t* at least one constraint should be enabled on the role\n\n'] },
    };
    expect(await api(vault, 'POST', 'auth/approle/role/open', { bind_secret_id: false })).toEqual(unbound);
    expect((await api(vault, 'GET', 'auth/approle/role/open')).status).toBe(404);
    await api(vault, 'POST', 'auth/approle/role/bound', { bind_secret_id: true });
    expect(await api(vault, 'POST', 'auth/approle/role/bound', { bind_secret_id: 'false' })).toEqual(unbound);
  });

  it.each([
    ['num_uses', { num_uses: 4 }, "num_uses cannot be higher than the role's secret_id_num_uses"],
    [
      'num_uses without limit',
      { num_uses: 0 },
      "num_uses cannot be higher than the role's secret_id_num_uses",
    ],
    ['ttl', { ttl: '61m' }, "ttl cannot be longer than the role's secret_id_ttl"],
    ['ttl without limit', { ttl: 0 }, "ttl cannot be longer than the role's secret_id_ttl"],
  ])('F15 refuses a secret id whose %s is above its role', async (_what, more, error) => {
    const vault = await startVault();
    await makeRole(vault, { secret_id_num_uses: 3, secret_id_ttl: '1h' });
    const path = 'auth/approle/role/app';
    const wrong = { status: 400, body: { errors: [error] } };
    expect(await api(vault, 'POST', `${path}/secret-id`, more)).toEqual(wrong);
    expect(await api(vault, 'POST', `${path}/custom-secret-id`, { secret_id: 'x', ...more })).toEqual(wrong);
    const within = await api(vault, 'POST', `${path}/secret-id`, { num_uses: 3, ttl: '1h' });
    expect(within.body.data).toMatchObject({ secret_id_num_uses: 3, secret_id_ttl: 3600 });
  });

  it.each([
    ['an object', { host: 'a' }, 400, undefined],
    ['a list', ['host=a'], 400, undefined],
    ['words', 'host', 400, undefined],
    ['JSON', '{"host":"a"}', 200, { host: 'a' }],
    ['JSON in base64', Buffer.from('{"host":"a"}').toString('base64'), 200, { host: 'a' }],
    ['pairs', 'host=a, rack=b=c', 200, { host: 'a', rack: 'b=c' }],
    ['nothing', '', 200, {}],
  ])('F15 answers metadata that is %s as Vault does', async (_what, metadata, status, read) => {
    const vault = await startVault();
    const { role_id } = await makeRole(vault);
    const path = 'auth/approle/role/app/custom-secret-id';
    expect((await api(vault, 'POST', path, { secret_id: 'mine', metadata })).status).toBe(status);
    if (status !== 200) return;
    const login = await api(vault, 'POST', 'auth/approle/login', { role_id, secret_id: 'mine' }, '');
    expect(login.body.auth.metadata).toEqual({ ...read, role_name: 'app' });
  });

  it('takes its tokens with it when it is disabled', async () => {
    const vault = await startVault();
    const { login } = await makeRole(vault);
    const token: string = (await login()).body.auth.client_token;
    expect((await api(vault, 'GET', 'auth/token/lookup-self', undefined, token)).status).toBe(200);
    await api(vault, 'DELETE', 'sys/auth/approle');
    expect(await api(vault, 'GET', 'auth/token/lookup-self', undefined, token)).toEqual(invalidToken);
    expect((await login()).status).toBe(403);
  });
});
