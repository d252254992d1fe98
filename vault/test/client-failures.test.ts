import type { Socket } from 'node:net';
import { readSecret, type SecretAccess, VaultFailure, writeEntry } from '@lockstep/vault';
import { describe, expect, it } from 'vitest';
import { closedPort, saying, startRogue } from './support/rogue-server.ts';
import { accessAt, api, failureOf, secretPath, seed, startVault, textOf, within } from './support/vault.ts';

type Vault = Awaited<ReturnType<typeof startVault>>;
type Seeded = Awaited<ReturnType<typeof seed>>;
type Spoil = (vault: Vault, seeded: Seeded) => Promise<void>;

describe('failures', () => {
  it('says that nothing listens', async () => {
    const access = accessAt(`http://127.0.0.1:${await closedPort()}`);
    const failing = readSecret(access, within(600));
    const error = await failureOf(failing);
    expect(error).toMatchObject({ code: 'vault-unreachable', exitStatus: 3 });
    expect(await textOf(failing)).toBe(
      'migrate: vault at http://127.0.0.1:PORT is unreachable: connection refused\n' +
        '  cause: connect ECONNREFUSED 127.0.0.1:PORT\n' +
        '  tried N times in S s\n' +
        '  try: make status\n',
    );
  });

  it('says that the host is unknown', async () => {
    const access = accessAt('http://no-such-host.invalid:8200');
    const error = await failureOf(readSecret(access, within(500)));
    expect(error).toMatchObject({
      code: 'vault-unreachable',
      message: expect.stringMatching(
        /^vault at http:\/\/no-such-host\.invalid:8200 is unreachable: the host name (?:is not known|cannot be looked up now)$/,
      ),
    });
  });

  it.each([
    [
      'HTML',
      saying('200 OK', '<html><body>any-token</body></html>', 'text/html'),
      'it answers 200 with text/html, 35 characters that are not JSON',
    ],
    [
      'bytes that are not HTTP',
      (socket: Socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
      'what it sends is not HTTP (HPE_INVALID_CONSTANT)',
    ],
    [
      'JSON of another program',
      saying('400 Bad Request', '{"message":"who are you"}'),
      'it answers 400 without an "errors" list',
    ],
  ])('says that %s is no Vault', async (_title, greet, seen) => {
    const address = await startRogue(greet);
    const access = accessAt(address);
    const failing = readSecret(access, within(600));
    expect(await failureOf(failing)).toMatchObject({ code: 'vault-not-vault', exitStatus: 3 });
    const text = await textOf(failing);
    expect(text).toContain(
      `migrate: what answers at http://127.0.0.1:PORT is not a vault\n  ${seen}\n  tried N times in S s\n`,
    );
    expect(text).toContain('  try: check VAULT_ADDR: another program may have the port');
  });

  it('says that JSON with another 404 is no Vault, and neither is a TLS address without TLS', async () => {
    const address = await startRogue(saying('404 Not Found', '{"message":"not found"}'));
    expect(await textOf(readSecret(accessAt(address), within(500)))).toContain(
      '  it answers 404 without an "errors" list\n',
    );
    const vault = await startVault();
    const startedAt = performance.now();
    const text = await textOf(readSecret(accessAt(vault.address.replace('http:', 'https:')), within(5_000)));
    expect(text).toMatch(
      /^migrate: vault at https:\/\/127\.0\.0\.1:PORT is unreachable: it does not speak TLS\n {2}cause: .*\n {2}try: check VAULT_ADDR and NODE_EXTRA_CA_CERTS\n$/,
    );
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('refuses an answer without end', async () => {
    const address = await startRogue((socket) => {
      socket.once('data', () => {
        socket.write(
          'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
        );
        const more = () => {
          while (socket.writable && socket.write(`10000\r\n${'x'.repeat(0x10000)}\r\n`));
          socket.once('drain', more);
        };
        more();
      });
    });
    const access = accessAt(address);
    expect(await textOf(readSecret(access, within(1_500)))).toContain('  it sends more than 33 MB\n');
  });

  it('tells an uninitialised Vault from a sealed one', async () => {
    const vault = await startVault({ initialised: false });
    const access: SecretAccess = {
      address: vault.address,
      credentials: { kind: 'token', token: 'any-token' },
      path: secretPath,
      key: 'a',
    };
    const failing = readSecret(access, within(600));
    expect(await failureOf(failing)).toMatchObject({ code: 'vault-uninitialised', exitStatus: 3 });
    expect(await textOf(failing)).toBe(
      'migrate: vault at http://127.0.0.1:PORT is not initialised\n  tried N times in S s\n  try: vault operator init\n',
    );
  });

  it('says that the Vault is sealed', async () => {
    const vault = await startVault();
    const { access } = await seed(vault);
    await api(vault, 'PUT', 'sys/seal');
    const failing = readSecret(access, within(600));
    expect(await failureOf(failing)).toMatchObject({ code: 'vault-sealed', exitStatus: 3 });
    expect(await textOf(failing)).toBe(
      'migrate: vault at http://127.0.0.1:PORT is sealed\n  vault says: Vault is sealed\n  tried N times in S s\n  try: vault operator unseal\n',
    );
  });

  it('says that the node is a standby', async () => {
    const address = await startRogue(saying('307 Temporary Redirect', ''));
    const access = accessAt(address);
    expect(await failureOf(readSecret(access, within(500)))).toMatchObject({
      code: 'vault-standby',
      exitStatus: 3,
    });
  });

  const destroySecretId: Spoil = async (vault, { secretId }) => {
    await api(vault, 'POST', 'auth/approle/role/services-api-app/secret-id/destroy', { secret_id: secretId });
  };
  const useUp: Spoil = async (_vault, { access }) => {
    await readSecret(access, within(2_000));
  };
  const deleteRole: Spoil = async (vault) => {
    await api(vault, 'DELETE', 'auth/approle/role/services-api-app');
  };
  const changeRoleId: Spoil = async (vault) => {
    await api(vault, 'POST', 'auth/approle/role/services-api-app/role-id', { role_id: 'other' });
  };

  it.each<[string, Spoil, Record<string, number>]>([
    ['destroyed', destroySecretId, {}],
    ['used up', useUp, { secret_id_num_uses: 1 }],
    ['of a deleted role', deleteRole, {}],
    ['of a role with another role id', changeRoleId, {}],
  ])('says that a login with a secret id %s is refused', async (_title, spoil, role) => {
    const vault = await startVault();
    const seeded = await seed(vault, role);
    await spoil(vault, seeded);
    const failing = readSecret(seeded.access, within(600));
    expect(await failureOf(failing)).toMatchObject({ code: 'vault-login-refused', exitStatus: 3 });
    expect(await textOf(failing)).toBe(
      'migrate: vault at http://127.0.0.1:PORT refused the login\n' +
        '  logging in: role id 12345678…\n' +
        '  vault says: invalid role or secret ID\n' +
        '  tried N times in S s\n' +
        '  try: make up, whose bootstrap renews role ids and secret ids that no longer work\n',
    );
  });

  it('says that a secret id has expired', async () => {
    const vault = await startVault();
    const { access } = await seed(vault, { secret_id_ttl: '1s' });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await failureOf(readSecret(access, within(500)))).toMatchObject({ code: 'vault-login-refused' });
  });

  it('says when AppRole is not enabled', async () => {
    const vault = await startVault();
    const { access, session } = await seed(vault);
    await session.remove('sys/auth/approle');
    expect(await textOf(readSecret(access, within(500)))).toContain(
      '  is an AppRole auth method enabled at auth/approle?\n  vault says: permission denied\n',
    );
  });

  it('says what is forbidden, to which role, with which policies', async () => {
    const vault = await startVault();
    const { access } = await seed(vault);
    const failing = readSecret({ ...access, path: 'secret/data/content-api/app' }, within(600));
    expect(await failureOf(failing)).toMatchObject({ code: 'vault-forbidden', exitStatus: 3 });
    expect(await textOf(failing)).toBe(
      'migrate: vault at http://127.0.0.1:PORT forbids reading secret/data/content-api/app to role services-api-app\n' +
        '  its policies: default, services-api-app\n' +
        '  vault says: permission denied\n' +
        '  tried N times in S s\n',
    );
  });

  it('says that a token is unknown', async () => {
    const vault = await startVault();
    const { access } = await seed(vault);
    const text = await textOf(
      readSecret({ ...access, credentials: { kind: 'token', token: 'hvs.unknown' } }, within(500)),
    );
    expect(text).toContain('forbids reading secret/data/services-api/app to the given token\n');
    expect(text).toContain('  vault says: permission denied\n  vault says: invalid token\n');
    expect(text).not.toContain('hvs.unknown');
  });

  it.each(['', 'two\nlines', 'schlüssel'])('refuses the token %j and does not show it', async (token) => {
    const access: SecretAccess = { ...accessAt('http://127.0.0.1:1'), credentials: { kind: 'token', token } };
    const rule = token === '' ? 'is empty' : 'must be printable characters without blanks';
    expect(await textOf(readSecret(access, within(500)))).toBe(`migrate: vault token ${rule}\n`);
  });

  it('says that nothing is at the path', async () => {
    const vault = await startVault();
    const { access, session } = await seed(vault);
    await session.remove('secret/metadata/services-api/app');
    const failing = readSecret(access, within(600));
    expect(await failureOf(failing)).toMatchObject({ code: 'vault-path-missing', exitStatus: 3 });
    expect(await textOf(failing)).toBe(
      'migrate: vault at http://127.0.0.1:PORT has nothing at secret/data/services-api/app\n' +
        '  tried N times in S s\n' +
        '  try: make up, whose bootstrap writes it\n',
    );
  });

  it('says that the latest version is deleted, and how to bring it back', async () => {
    const vault = await startVault();
    const { access, session } = await seed(vault);
    await session.remove(secretPath);
    expect(await textOf(readSecret(access, within(600)))).toBe(
      'migrate: the latest version of secret/data/services-api/app in vault at http://127.0.0.1:PORT is deleted\n' +
        '  version 1, deleted at TIME\n' +
        '  tried N times in S s\n' +
        '  try: vault kv undelete -versions=1 secret/services-api/app\n',
    );
  });

  it('says that the latest version is destroyed', async () => {
    const vault = await startVault();
    const { access, session } = await seed(vault);
    await session.write('secret/destroy/services-api/app', { versions: [1] });
    expect(await textOf(readSecret(access, within(600)))).toBe(
      'migrate: the latest version of secret/data/services-api/app in vault at http://127.0.0.1:PORT is destroyed\n' +
        '  version 1\n' +
        '  tried N times in S s\n' +
        '  try: make up, whose bootstrap writes it again\n',
    );
  });

  it('spells a path out that lacks data/, forbidden or not', async () => {
    const vault = await startVault();
    const { access } = await seed(vault);
    const hint = '  try: secret/data/services-api/app, the way version 2 of the KV engine spells it\n';
    const wrong = { ...access, path: 'secret/services-api/app' };
    expect(await textOf(readSecret(wrong, within(500)))).toContain(hint);
    const asRoot = readSecret(
      { ...wrong, credentials: { kind: 'token', token: vault.rootToken } },
      within(500),
    );
    expect(await failureOf(asRoot)).toMatchObject({ code: 'vault-path-missing' });
    expect(await textOf(asRoot)).toContain(hint);
  });

  it('lists the keys an entry has, and no value', async () => {
    const vault = await startVault();
    const { access, session } = await seed(vault);
    await writeEntry(session, secretPath, { conection_string: 'hunter2-secret', 'b"c': 'x' });
    const failing = readSecret(access, within(600));
    expect(await failureOf(failing)).toMatchObject({ code: 'vault-key-missing', exitStatus: 3 });
    expect(await textOf(failing)).toBe(
      'migrate: secret/data/services-api/app in vault at http://127.0.0.1:PORT has no key "connection_string"\n' +
        '  it has: "conection_string", "b\\"c"\n' +
        '  tried N times in S s\n',
    );
    await writeEntry(session, secretPath, {});
    expect(await textOf(readSecret({ ...access, key: 'constructor' }, within(500)))).toContain(
      '  it has no keys\n',
    );
  });

  it.each([
    [null, 'it is null'],
    [5432, 'it is a number'],
    [true, 'it is a boolean'],
    [['a'], 'it is a list'],
    [{ a: 'b' }, 'it is an object'],
    ['', 'it is empty'],
    ['\ud800', 'it is not well-formed text'],
  ])('refuses the value %j', async (value, problem) => {
    const vault = await startVault();
    const { access, session } = await seed(vault);
    await writeEntry(session, secretPath, { connection_string: value });
    const failing = readSecret(access, within(2_000));
    expect(await failureOf(failing)).toMatchObject({ code: 'vault-value', exitStatus: 3 });
    expect(await textOf(failing)).toBe(
      `migrate: secret/data/services-api/app in vault at http://127.0.0.1:PORT holds no text under "connection_string": ${problem}\n`,
    );
  });

  it.each([
    ['secret/data/../../sys/seal', 'holds a "." or ".." segment'],
    ['secret/data/a\0b', 'holds a control character'],
    ['secret/data/', 'ends in a slash, so it names no entry'],
  ])('refuses the path %j before anything is sent', async (path, rule) => {
    const access: SecretAccess = {
      address: 'http://127.0.0.1:1',
      credentials: { kind: 'token', token: 'any-token' },
      path,
      key: 'a',
    };
    const error = await failureOf(readSecret(access, within(2_000)));
    expect(error).toBeInstanceOf(VaultFailure);
    expect(error).toMatchObject({
      code: 'vault-setting',
      exitStatus: 2,
      message: `vault path ${JSON.stringify(path)} ${rule}`,
    });
  });
});
