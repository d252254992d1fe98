import { connect } from 'node:net';
import { startDevVault } from '@lockstep/vault';
import { describe, expect, it } from 'vitest';
import { api, failureOf, startVault } from './support/vault.ts';

type Vault = Awaited<ReturnType<typeof startVault>>;

/** Sends bytes as they are, which fetch would tidy up, and returns what comes back until the server hangs up. */
async function raw(vault: Vault, ...parts: string[]): Promise<string> {
  const socket = connect(vault.port, '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    received += chunk;
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await closed;
  return received;
}

const get = (path: string, headers = '') =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`;

describe('state', () => {
  it('shows health, and takes other statuses from the query', async () => {
    const vault = await startVault();
    expect(await api(vault, 'GET', 'sys/health', undefined, '')).toMatchObject({
      status: 200,
      body: { initialized: true, sealed: false, standby: false, version: '1.20.0+lockstep.embedded' },
    });
    expect((await api(vault, 'HEAD', 'sys/health', undefined, '')).status).toBe(200);
    expect((await api(vault, 'GET', 'sys/health?activecode=299', undefined, '')).status).toBe(299);
    expect((await api(vault, 'GET', 'sys/health?activecode=x', undefined, '')).status).toBe(400);
    expect((await api(vault, 'GET', 'sys/health?activecode=7', undefined, '')).status).toBe(400);
    await api(vault, 'PUT', 'sys/seal');
    expect((await api(vault, 'GET', 'sys/health', undefined, '')).status).toBe(503);
    expect((await api(vault, 'HEAD', 'sys/health?sealedcode=204', undefined, '')).status).toBe(204);
    expect((await api(vault, 'GET', 'sys/seal-status', undefined, '')).body).toMatchObject({
      sealed: true,
      t: 1,
      n: 1,
      initialized: true,
    });
  });

  it('refuses everything else while sealed, and keeps what was stored', async () => {
    const vault = await startVault({ unsealKey: 'open-sesame' });
    await api(vault, 'POST', 'secret/data/a', { data: { n: 1 } });
    await api(vault, 'PUT', 'sys/seal');
    const sealed = { status: 503, body: { errors: ['Vault is sealed'] } };
    expect(await api(vault, 'GET', 'secret/data/a')).toEqual(sealed);
    expect(await api(vault, 'POST', 'auth/approle/login', {}, '')).toEqual(sealed);
    expect(await api(vault, 'GET', 'sys/mounts')).toEqual(sealed);
    expect(await api(vault, 'PUT', 'sys/unseal', { key: 'wrong' }, '')).toEqual({
      status: 400,
      body: { errors: ['Unsealing failed, invalid key'] },
    });
    expect((await api(vault, 'PUT', 'sys/unseal', { key: 'open-sesame' }, '')).body).toMatchObject({
      sealed: false,
    });
    expect((await api(vault, 'GET', 'secret/data/a')).body.data.data).toEqual({ n: 1 });
  });

  it('is initialised once', async () => {
    const vault = await startVault({ initialised: false });
    expect((await api(vault, 'GET', 'sys/health', undefined, '')).status).toBe(501);
    expect((await api(vault, 'GET', 'sys/init', undefined, '')).body).toEqual({ initialized: false });
    expect((await api(vault, 'PUT', 'sys/init', { secret_shares: 5, secret_threshold: 3 }, '')).status).toBe(
      400,
    );
    const { body } = await api(vault, 'PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 }, '');
    expect((await api(vault, 'GET', 'sys/health', undefined, '')).status).toBe(503);
    expect((await api(vault, 'PUT', 'sys/unseal', { key: body.keys[0] }, '')).body).toMatchObject({
      sealed: false,
    });
    expect((await api(vault, 'GET', 'sys/mounts', undefined, body.root_token)).status).toBe(200);
    expect(await api(vault, 'PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 }, '')).toEqual({
      status: 400,
      body: { errors: ['Vault is already initialized'] },
    });
  });

  it('lists mounts and auth methods, in the envelope and beside it', async () => {
    const vault = await startVault();
    const mounts = (await api(vault, 'GET', 'sys/mounts')).body;
    expect(Object.keys(mounts.data)).toEqual(['secret/', 'sys/']);
    expect(mounts['secret/']).toEqual(mounts.data['secret/']);
    expect(Object.keys((await api(vault, 'GET', 'sys/auth')).body.data)).toEqual(['token/']);
    expect((await api(vault, 'GET', 'sys/internal/ui/mounts/secret/a/b')).body.data).toMatchObject({
      path: 'secret/',
      type: 'kv',
    });
    const errors = async (path: string, body: unknown) => (await api(vault, 'POST', path, body)).body.errors;
    expect(await errors('sys/mounts/secret', { type: 'kv-v2' })).toEqual([
      'path is already in use at secret/',
    ]);
    expect(await errors('sys/mounts/secret/deeper', { type: 'kv-v2' })).toEqual([
      'path is already in use at secret/',
    ]);
    expect(await errors('sys/mounts/sys', { type: 'kv-v2' })).toEqual([
      'cannot mount "sys/": the path is reserved',
    ]);
    expect(await errors('sys/mounts/old', { type: 'kv' })).toEqual([
      'the embedded development Vault mounts only version 2 of the KV engine: {"type":"kv","options":{"version":"2"}}',
    ]);
    expect(await errors('sys/auth/user', { type: 'userpass' })).toEqual([
      'the embedded development Vault has only the AppRole auth method, not "userpass"',
    ]);
    expect(await errors('sys/auth/token', { type: 'approle' })).toEqual([
      'path is already in use at auth/token/',
    ]);
    expect((await api(vault, 'DELETE', 'sys/auth/token')).status).toBe(400);
    expect((await api(vault, 'DELETE', 'sys/mounts/sys')).status).toBe(400);
    expect((await api(vault, 'DELETE', 'sys/mounts/none')).status).toBe(204);
  });
});

describe('what Vault has, and who asks for it', () => {
  const notHere = (path: string) => ({
    status: 404,
    body: { errors: [`1 error occurred:\n\t* ${path} is not in the development Vault\n\n`] },
  });

  it('F15 shows the subkeys of an entry, to a depth and of a version', async () => {
    const vault = await startVault();
    await api(vault, 'POST', 'secret/data/a', { data: { x: { y: { z: 1 }, empty: {} }, list: [1] } });
    await api(vault, 'POST', 'secret/data/a', { data: { later: 'secret' } });
    const subkeys = async (query: string) => (await api(vault, 'GET', `secret/subkeys/a${query}`)).body.data;
    expect((await subkeys('?version=1')).subkeys).toEqual({ x: { y: { z: null }, empty: null }, list: null });
    expect((await subkeys('?version=1&depth=2')).subkeys).toEqual({
      x: { y: null, empty: null },
      list: null,
    });
    expect(await subkeys('')).toMatchObject({ subkeys: { later: null }, metadata: { version: 2 } });
    await api(vault, 'DELETE', 'secret/data/a');
    expect(await api(vault, 'GET', 'secret/subkeys/a')).toMatchObject({
      status: 404,
      body: { data: { subkeys: null } },
    });
    expect(await api(vault, 'GET', 'secret/subkeys/none')).toEqual({ status: 404, body: { errors: [] } });
  });

  it('F15 shows how mounts are tuned, and does not tune them', async () => {
    const vault = await startVault();
    expect((await api(vault, 'GET', 'sys/mounts/secret/tune')).body).toMatchObject({
      default_lease_ttl: 2_764_800,
      data: { max_lease_ttl: 2_764_800, force_no_cache: false, options: { version: '2' } },
    });
    await api(vault, 'POST', 'sys/auth/approle', { type: 'approle' });
    expect((await api(vault, 'GET', 'sys/auth/approle/tune')).body.data.token_type).toBe('default-service');
    for (const path of ['sys/mounts/secret/tune', 'sys/auth/approle/tune'])
      expect(await api(vault, 'POST', path, { default_lease_ttl: '1h' })).toEqual(notHere(path));
  });

  it('F15 lists the mounts for the interface of Vault', async () => {
    const vault = await startVault();
    const { data } = (await api(vault, 'GET', 'sys/internal/ui/mounts')).body;
    expect(Object.keys(data.secret)).toContain('secret/');
    expect(Object.keys(data.auth)).toEqual(['token/']);
    expect(data.secret['secret/']).toMatchObject({
      type: 'kv',
      plugin_version: '',
      deprecation_status: 'supported',
    });
    expect((await api(vault, 'GET', 'sys/mounts/secret')).body.data.running_plugin_version).toBe(
      'v1.20.0+builtin.vault',
    );
  });

  it('F15 has no manual and no leases, and says so with the path', async () => {
    const vault = await startVault();
    expect(await api(vault, 'GET', 'secret/data/a?help=1')).toEqual(notHere('secret/data/a?help'));
    expect(await api(vault, 'GET', 'sys/leases/count')).toEqual(notHere('sys/leases/count'));
    expect(await api(vault, 'POST', 'auth/token/roles/x', {})).toEqual(notHere('auth/token/roles/x'));
  });

  it.each(['1e400', '9007199254740993'])(
    'F15 refuses the number %s, which it could not give back',
    async (number) => {
      const vault = await startVault();
      const write = (text: string) => api(vault, 'POST', 'secret/data/a', text);
      expect(await write(`{"data":{"n":${number}}}`)).toEqual({
        status: 400,
        body: {
          errors: [
            'a number of more digits than the embedded development Vault can keep: send it as a string',
          ],
        },
      });
      expect((await write(`{"data":{"n":"${number}"}}`)).status).toBe(200);
      expect((await api(vault, 'GET', 'secret/data/a')).body.data.data).toEqual({ n: number });
    },
  );
});

describe('hostile requests', () => {
  it.each([
    ['/v1/secret/data/../../sys/seal-status', 400, 'the path holds a "." or ".." segment'],
    ['/v1/secret/data/%2e%2e/x', 400, 'the path holds a "." or ".." segment'],
    ['/v1/secret/data/a%2fb', 400, 'the path holds an encoded slash'],
    ['/v1/secret/data/a%00b', 400, 'the path holds a control character'],
    ['/v1/secret//data/a', 400, 'the path holds an empty segment'],
    ['/v1/secret/data/%ff', 400, 'the path is not well-formed percent-encoding'],
    [`/v1/secret/data/${'x'.repeat(5000)}`, 400, 'the path is longer than 4096 characters'],
    ['/v1/', 404, undefined],
    ['/', 404, undefined],
    ['/ui/', 404, undefined],
    [
      '/v1/sys/wrapping/unwrap',
      404,
      '1 error occurred:\n\t* sys/wrapping/unwrap is not in the development Vault\n\n',
    ],
    ['/v1/pki/ca', 404, 'no handler for route "pki/ca". route entry not found.'],
  ])('answers %.40s with %i', async (path, status, error) => {
    const vault = await startVault();
    const answer = await raw(vault, get(path, `X-Vault-Token: ${vault.rootToken}\r\n`));
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({
      errors: error === undefined ? [] : [error],
    });
  });

  it.each([
    ['{', 'error parsing JSON'],
    ['[]', 'error parsing JSON'],
    ['"x"', 'error parsing JSON'],
    ['null', 'error parsing JSON'],
    ['{"data":1}', 'error converting input for field "data": expected an object'],
    [`{"data":${'['.repeat(100_000)}`, 'error parsing JSON'],
    [`{"data":${'{"a":'.repeat(400)}1${'}'.repeat(400)}}`, 'error parsing JSON'],
    [`${'"\\"'.repeat(200_000)}`, 'error parsing JSON'],
  ])('refuses the body %.20j', async (body, error) => {
    const vault = await startVault();
    expect(await api(vault, 'POST', 'secret/data/a', body)).toEqual({
      status: 400,
      body: { errors: [error] },
    });
  });

  it('refuses a body over 32 MB, announced or not, and goes on', async () => {
    const vault = await startVault();
    const tooLarge = { errors: ['http: request body too large'] };
    const announced = await raw(
      vault,
      `POST /v1/secret/data/a HTTP/1.1\r\nHost: x\r\nContent-Length: ${33 * 2 ** 20}\r\n\r\n`,
    );
    expect(announced).toMatch(/^HTTP\/1.1 413 /);
    expect(JSON.parse(announced.slice(announced.indexOf('\r\n\r\n')))).toEqual(tooLarge);
    const chunk = `100000\r\n${'x'.repeat(2 ** 20)}\r\n`;
    const unannounced = await raw(
      vault,
      'POST /v1/secret/data/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
      chunk.repeat(33),
    );
    expect(unannounced).toMatch(/^HTTP\/1.1 413 /);
    expect((await api(vault, 'GET', 'sys/health')).status).toBe(200);
  });

  it('keeps an entry of 20 MB whole', async () => {
    const vault = await startVault();
    const big = 'é'.repeat(10 * 2 ** 20);
    expect((await api(vault, 'POST', 'secret/data/big', { data: { big } })).status).toBe(200);
    expect((await api(vault, 'GET', 'secret/data/big')).body.data.data.big === big).toBe(true);
  });

  it('refuses methods it does not know, and known ones in the wrong place', async () => {
    const vault = await startVault();
    expect((await api(vault, 'OPTIONS', 'secret/data/a')).status).toBe(405);
    expect((await api(vault, 'HEAD', 'secret/data/a')).status).toBe(405);
    expect(await api(vault, 'GET', 'auth/approle/login')).toEqual({ status: 404, body: expect.anything() });
    expect(await api(vault, 'DELETE', 'sys/mounts')).toEqual({
      status: 405,
      body: { errors: ['1 error occurred:\n\t* unsupported operation\n\n'] },
    });
    expect(await raw(vault, 'BREW /v1/sys/health HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1.1 405 /);
    expect(await raw(vault, 'garbage\r\n\r\n')).toMatch(/^HTTP\/1.1 40[05] /);
    expect(await api(vault, 'POST', 'secret/data/a/', { data: {} })).toEqual({
      status: 400,
      body: { errors: ["cannot write to a path ending in '/'"] },
    });
  });

  it('refuses headers that ask for what it cannot do', async () => {
    const vault = await startVault();
    const ask = async (name: string, value: string) => {
      const response = await fetch(`${vault.address}/v1/secret/data/a`, {
        headers: { 'X-Vault-Token': vault.rootToken, [name]: value },
      });
      return { status: response.status, errors: Object(await response.json()).errors };
    };
    expect(await ask('X-Vault-Namespace', 'team')).toEqual({
      status: 400,
      errors: ['namespaces are not supported by the embedded development Vault'],
    });
    expect(await ask('X-Vault-Namespace', 'root')).toEqual({ status: 404, errors: [] });
    expect(await ask('X-Vault-Wrap-TTL', '60s')).toEqual({
      status: 400,
      errors: ['response wrapping is not supported by the embedded development Vault'],
    });
    expect(await raw(vault, get('/v1/sys/health', `X-Long: ${'x'.repeat(20_000)}\r\n`))).toMatch(
      /^HTTP\/1.1 431 /,
    );
  });

  it('understands LIST byte by byte and between other requests on one connection', async () => {
    const vault = await startVault();
    await api(vault, 'POST', 'secret/data/a', { data: {} });
    const request = (method: string, path: string, last = false) =>
      `${method} /v1/${path} HTTP/1.1\r\nHost: x\r\nX-Vault-Token: ${vault.rootToken}\r\n${last ? 'Connection: close\r\n' : ''}\r\n`;
    const list = request('LIST', 'secret/metadata/');
    const answer = await raw(
      vault,
      ...list.slice(0, 7),
      list.slice(7),
      request('GET', 'secret/data/a'),
      list,
      request('GET', 'secret/metadata/a', true),
    );
    expect(answer.match(/"keys":\["a"\]/g)).toHaveLength(2);
    expect(answer.match(/HTTP\/1.1 200 OK/g)).toHaveLength(4);
  });

  it('cuts off a client that dribbles its headers', async () => {
    const vault = await startVault();
    const startedAt = performance.now();
    expect(await raw(vault, 'GET /v1/sys/health HTTP/1.1\r\n', 'Host: x\r\n')).toMatch(/^HTTP\/1.1 408 /);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  }, 20_000);

  it('serves two hundred clients at once', async () => {
    const vault = await startVault();
    const written = await Promise.all(
      Array.from({ length: 200 }, (_, n) => api(vault, 'POST', 'secret/data/shared', { data: { n } })),
    );
    expect(new Set(written.map(({ body }) => body.data.version)).size).toBe(200);
    expect((await api(vault, 'GET', 'secret/metadata/shared')).body.data).toMatchObject({
      current_version: 200,
      oldest_version: 191,
    });
  });
});

describe('startDevVault', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.com', '127.0.0.1.example.com', '', '2130706433'])(
    'refuses the address %j',
    async (host) => {
      const error = await failureOf(startDevVault({ port: 0, host }));
      expect(error).toMatchObject({
        code: 'dev-vault-address',
        exitStatus: 2,
        message: `address ${JSON.stringify(host)} is not a loopback address`,
      });
    },
  );

  it('says that a port is taken', async () => {
    const vault = await startVault();
    const error = await failureOf(startDevVault({ port: vault.port }));
    expect(error).toMatchObject({
      code: 'dev-vault-port',
      exitStatus: 2,
      message: `port ${vault.port} on 127.0.0.1 is taken by another program`,
    });
  });

  it('closes at once, connections that are open included', async () => {
    const vault = await startDevVault({ port: 0 });
    const idle = connect(vault.port, '127.0.0.1');
    await new Promise((resolve) => idle.on('connect', resolve));
    await api(vault, 'GET', 'sys/health');
    const startedAt = performance.now();
    await vault.close();
    expect(performance.now() - startedAt).toBeLessThan(500);
    idle.destroy();
  });
});
