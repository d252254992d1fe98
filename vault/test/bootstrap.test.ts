import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { once, postgresServers } from '../../test/support/postgres.ts';
import { type DevVault, startDevVault } from '../src/index.ts';

const rootToken = 'root-token-of-the-test';
const programFolder = join(tmpdir(), `lockstep-bootstrap-${process.pid}`);
const program = join(programFolder, 'bootstrap.cjs');
const source = join(dirname(fileURLToPath(import.meta.url)), '../src/bootstrap/cli.ts');

beforeAll(async () => {
  await build({
    entryPoints: [source],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['pg-native'],
  });
});
afterAll(() => rm(programFolder, { recursive: true, force: true }));

describe.each(postgresServers())('on $name', ({ superuserUrl }) => {
  let vault: DevVault;
  let folder = '';
  let database = '';
  const server = new URL(superuserUrl);

  beforeEach(async () => {
    vault = await startDevVault({ port: 0, rootToken });
    folder = await mkdtemp(join(tmpdir(), 'lockstep bootstrap-'));
    database = `b_${randomBytes(4).toString('hex')}`;
    await mkdir(join(folder, 'policies'));
    for (const role of ['migrator', 'app']) {
      const policy = `path "secret/data/shop-api/${role}" { capabilities = ["read"] }\n`;
      await writeFile(join(folder, 'policies', `shop-api-${role}.hcl`), policy);
    }
    await writeFile(join(folder, 'token'), `${rootToken}\n`);
    await writeFile(join(folder, 'password'), server.password);
  });
  afterEach(async () => {
    await vault.close();
    await rm(folder, { recursive: true, force: true });
    await once(superuserUrl, `drop database if exists ${database} with (force)`);
    await once(superuserUrl, `drop role if exists ${database}_migrator, ${database}_app`);
  });

  const run = (changes: Readonly<Record<string, string>> = {}) => {
    const child = spawn(process.execPath, [program], {
      env: {
        VAULT_ADDR: vault.address,
        VAULT_TOKEN_FILE: join(folder, 'token'),
        POSTGRES_ADDRESS: server.host,
        POSTGRES_PASSWORD_FILE: join(folder, 'password'),
        BOOTSTRAP_SERVICES: `shop-api:${database}`,
        BOOTSTRAP_TIMEOUT: '10s',
        POLICIES_PATH: join(folder, 'policies'),
        CREDENTIALS_FOLDERS: ['migrator', 'app']
          .map((role) => join(folder, `credentials/shop-api-${role}`))
          .join('\n'),
        LOG_FORMAT: 'text',
        ...changes,
      },
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    return new Promise<{ status: number | null; stderr: string }>((resolve) => {
      child.once('close', (status) => resolve({ status, stderr }));
    });
  };
  const ask = async (path: string, body?: unknown, token = rootToken) => {
    const response = await fetch(`${vault.address}/v1/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'X-Vault-Token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      body: (await response.json().catch(() => undefined)) as Record<string, never> | undefined,
    };
  };
  const secret = async (role: string): Promise<string> => {
    const { body } = await ask(`secret/data/shop-api/${role}`);
    return (body as unknown as { data: { data: { connection_string: string } } }).data.data.connection_string;
  };
  const credential = (role: string, file: string) =>
    readFile(join(folder, 'credentials', `shop-api-${role}`, file), 'utf8');
  const loginAs = async (role: string) => {
    const answer = await ask('auth/approle/login', {
      role_id: await credential(role, 'role_id'),
      secret_id: await credential(role, 'secret_id'),
    });
    return (answer.body as unknown as { auth: { client_token: string } }).auth.client_token;
  };
  const canReadOwnEntry = async (role: string) =>
    (await ask(`secret/data/shop-api/${role}`, undefined, await loginAs(role))).status;
  const works = async (role: string) => (await once(await secret(role), 'select 1 as one')).rows;

  test('the first run makes everything, the second finds nothing to do', async () => {
    const first = await run();
    expect(first).toEqual({
      status: 0,
      stderr: [
        'vault: made auth method approle/',
        `shop-api: made role ${database}_app, role ${database}_migrator, database ${database}, ` +
          'secret secret/data/shop-api/migrator, secret secret/data/shop-api/app, ' +
          'policy shop-api-migrator, AppRole shop-api-migrator, credentials shop-api-migrator, ' +
          'policy shop-api-app, AppRole shop-api-app, credentials shop-api-app',
        '',
      ].join('\n'),
    });
    const before = [await secret('migrator'), await secret('app'), await credential('app', 'secret_id')];
    expect(await run()).toEqual({ status: 0, stderr: 'shop-api: nothing to do\n' });
    expect([await secret('migrator'), await secret('app'), await credential('app', 'secret_id')]).toEqual(
      before,
    );
    for (const role of ['migrator', 'app']) {
      expect(await works(role)).toEqual([{ one: 1 }]);
      expect(await canReadOwnEntry(role)).toBe(200);
    }
  });

  test('F6.2 what an interrupted DROP DATABASE left is dropped and made anew, without a new password', async () => {
    await run();
    const before = await secret('migrator');
    await once(superuserUrl, `update pg_database set datconnlimit = -2 where datname = '${database}'`);
    await expect(works('migrator')).rejects.toThrow('cannot connect to invalid database');
    const { status, stderr } = await run();
    expect(stderr).toBe(
      `shop-api: made database ${database}, as an interrupted DROP had left an invalid one\n`,
    );
    expect(status).toBe(0);
    expect(await secret('migrator')).toBe(before);
    expect([await works('migrator'), await works('app')]).toEqual([[{ one: 1 }], [{ one: 1 }]]);
    expect(await run()).toEqual({ status: 0, stderr: 'shop-api: nothing to do\n' });
  });

  test('F6.2 a database that is closed to connections is its own service’s trouble alone, and stays as it is', async () => {
    await run();
    const before = await secret('app');
    await once(superuserUrl, `alter database ${database} with allow_connections false`);
    const { status, stderr } = await run();
    expect(stderr).toBe(
      `warn: shop-api: the database ${database} accepts no connections\nshop-api: nothing to do\n`,
    );
    expect(status).toBe(0);
    expect(await secret('app')).toBe(before);
  });

  test('the owner migrates and may create databases; the app gets DML on what the owner makes, nobody else gets in', async () => {
    await run();
    const owner = await secret('migrator');
    await once(owner, 'create table orders (id int generated always as identity primary key, note text)');
    await once(owner, `create database ${database}__new`);
    await once(owner, `drop database ${database}__new`);
    const app = await secret('app');
    await once(app, "insert into orders (note) values ('x')");
    expect((await once(app, 'select note from orders')).rows).toEqual([{ note: 'x' }]);
    await expect(once(app, 'drop table orders')).rejects.toMatchObject({ code: '42501' });
    await expect(once(app, 'create table t (a int)')).rejects.toMatchObject({ code: '42501' });
    const { rows } = await once(
      superuserUrl,
      "select has_database_privilege('pg_monitor', $1, 'connect') as monitor, rolsuper as super, rolcreaterole as creates from pg_roles where rolname = $2",
      [database, `${database}_migrator`],
    );
    expect(rows).toEqual([{ monitor: false, super: false, creates: false }]);
  });

  test('a second run writes nothing into the database; a grant that was taken away is given again', async () => {
    await run();
    const inside = new URL(superuserUrl);
    inside.pathname = `/${database}`;
    const writes = `select coalesce(max(xmin::text::bigint), 0) as newest from (
      select xmin from pg_default_acl union all select xmin from pg_namespace
      union all select xmin from pg_database where datname = current_database()) as catalog`;
    const before = (await once(inside.href, writes)).rows;
    await run();
    expect((await once(inside.href, writes)).rows).toEqual(before);
    const role = `${database}_migrator`;
    await once(
      inside.href,
      `alter default privileges for role ${role} revoke delete on tables from ${database}_app`,
    );
    await run();
    await once(await secret('migrator'), 'create table orders (id int)');
    expect((await once(await secret('app'), 'delete from orders')).command).toBe('DELETE');
  });

  test("a role's credentials read its own entry only", async () => {
    await run();
    expect((await ask('secret/data/shop-api/app', undefined, await loginAs('migrator'))).status).toBe(403);
    expect((await ask('secret/data/shop-api/migrator', undefined, await loginAs('app'))).status).toBe(403);
  });

  test('a Vault that lost its memory is filled again, with new passwords and new credentials', async () => {
    await run();
    const old = { url: await secret('app'), id: await credential('app', 'secret_id') };
    await vault.close();
    vault = await startDevVault({ port: 0, rootToken });
    expect((await run()).status).toBe(0);
    expect(await secret('app')).not.toBe(old.url);
    expect(await credential('app', 'secret_id')).not.toBe(old.id);
    expect(await works('app')).toEqual([{ one: 1 }]);
    expect(await canReadOwnEntry('app')).toBe(200);
    await expect(once(old.url, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test('only what no longer works is made again', async () => {
    await run();
    const migrator = await secret('migrator');
    await once(superuserUrl, `alter role ${database}_app password 'somebody-changed-it'`);
    expect(await run()).toEqual({
      status: 0,
      stderr: 'shop-api: made new password in secret/data/shop-api/app\n',
    });
    expect(await works('app')).toEqual([{ one: 1 }]);
    expect(await secret('migrator')).toBe(migrator);

    await rm(join(folder, 'credentials/shop-api-app/secret_id'));
    expect(await run()).toEqual({ status: 0, stderr: 'shop-api: made credentials shop-api-app\n' });
    expect(await canReadOwnEntry('app')).toBe(200);

    await ask('sys/policies/acl/shop-api-app', { policy: 'path "secret/*" { capabilities = ["read"] }' });
    expect(await run()).toEqual({ status: 0, stderr: 'shop-api: made policy shop-api-app\n' });
    expect((await ask('secret/data/shop-api/migrator', undefined, await loginAs('app'))).status).toBe(403);
  });

  test('a role that was dropped is made again', async () => {
    await run();
    const inside = new URL(superuserUrl);
    inside.pathname = database;
    await once(inside.href, `drop owned by ${database}_app; drop role ${database}_app`);
    expect(await run()).toEqual({
      status: 0,
      stderr: `shop-api: made role ${database}_app, new password in secret/data/shop-api/app\n`,
    });
    expect(await works('app')).toEqual([{ one: 1 }]);
    expect(await run()).toEqual({ status: 0, stderr: 'shop-api: nothing to do\n' });
  });

  test('a KV engine that is not there is mounted', async () => {
    const removed = await fetch(`${vault.address}/v1/sys/mounts/secret`, {
      method: 'DELETE',
      headers: { 'X-Vault-Token': rootToken },
    });
    expect(removed.status).toBe(204);
    expect((await run()).stderr).toMatch(/^vault: made KV engine secret\/, auth method approle\/$/m);
    expect(await canReadOwnEntry('app')).toBe(200);
  });

  test('an address that moved keeps the password', async () => {
    await run();
    const { password } = new URL(await secret('app'));
    const moved = await run({ POSTGRES_ADDRESS: `localhost:${server.port}` });
    expect(moved).toEqual({
      status: 0,
      stderr:
        'shop-api: made address in secret/data/shop-api/migrator, address in secret/data/shop-api/app\n',
    });
    expect(new URL(await secret('app'))).toMatchObject({ password, host: `localhost:${server.port}` });
  });

  test('F12.1 a secret that somebody wrote another way, and that works, is left as it is', async () => {
    await run();
    const { password, hostname, port } = new URL(await secret('app'));
    for (const written of [
      `host=${hostname} port=${port} user=${database}_app password='${password}' dbname=${database} sslmode=prefer`,
      `${await secret('app')}?sslmode=disable&connect_timeout=5`,
    ]) {
      await ask('secret/data/shop-api/app', { data: { connection_string: written } });
      expect(await run()).toEqual({ status: 0, stderr: 'shop-api: nothing to do\n' });
      expect(await secret('app')).toBe(written);
    }
    const demanding = `${(await secret('app')).split('?')[0]}?sslmode=require`;
    await ask('secret/data/shop-api/app', { data: { connection_string: demanding } });
    expect(await run()).toEqual({
      status: 3,
      stderr: expect.stringContaining(
        `vault-bootstrap: the connection string of ${database}_app in Vault leads to no connection\n` +
          '  the server does not support TLS, and sslmode asks for it\n',
      ),
    });
    expect(await secret('app')).toBe(demanding);
  });

  test('three at once agree', async () => {
    const ended = await Promise.all([run(), run(), run()]);
    expect(ended.map(({ status, stderr }) => [status, status === 0 ? '' : stderr])).toEqual([
      [0, ''],
      [0, ''],
      [0, ''],
    ]);
    for (const role of ['migrator', 'app']) {
      expect(await works(role)).toEqual([{ one: 1 }]);
      expect(await canReadOwnEntry(role)).toBe(200);
    }
  });

  test("the server's log and its statistics never see a password", async () => {
    await run();
    const client = new Client({ connectionString: superuserUrl });
    await client.connect();
    const { rows } = await client.query<{ rolpassword: string }>(
      'select rolpassword from pg_authid where rolname = $1',
      [`${database}_app`],
    );
    await client.end();
    expect(rows[0]?.rolpassword).toMatch(/^SCRAM-SHA-256\$4096:/);
  });

  test('a wrong superuser password is refused at once, and not shown', async () => {
    await writeFile(join(folder, 'password'), 'not^the%right&one{@/');
    expect(await run()).toEqual({
      status: 3,
      stderr: `vault-bootstrap: postgres at ${server.host} refused user "postgres" on database "postgres"
  password authentication failed for user "postgres"
  the data volume keeps the password it was first made with; .env must still hold that one
`,
    });
  });

  test('a server that is not there: status 3 at the deadline', async () => {
    const ended = await run({ POSTGRES_ADDRESS: '127.0.0.1:1', BOOTSTRAP_TIMEOUT: '300ms' });
    expect(ended.status).toBe(3);
    expect(ended.stderr).toMatch(
      /^vault-bootstrap: postgres at 127\.0\.0\.1:1 did not answer within 0\.3 s\n {2}last answer: connect ECONNREFUSED/,
    );
  });

  test('a wrong root token is forbidden, and not shown', async () => {
    await writeFile(join(folder, 'token'), 'hvs.wrong-token-value');
    const ended = await run();
    expect(ended.status).toBe(3);
    expect(ended.stderr).toMatch(/^vault-bootstrap: vault at .* forbids /m);
    expect(ended.stderr).not.toContain('wrong-token-value');
  });

  test('every wrong setting is reported at once', async () => {
    const ended = await run({
      VAULT_ADDR: 'vault:8200',
      POSTGRES_ADDRESS: 'postgres',
      BOOTSTRAP_SERVICES: 'shop-api:Shop; drop',
      BOOTSTRAP_TIMEOUT: 'soon',
      CREDENTIALS_FOLDERS: '/x/shop-api-app',
    });
    expect(ended.status).toBe(2);
    expect(ended.stderr).toBe(`config: 5 settings are wrong
  VAULT_ADDR: expected an http:// or https:// URL without credentials or query, got "vault:8200" (from the environment)
  POSTGRES_ADDRESS: expected host:port, got "postgres" (from the environment)
  BOOTSTRAP_SERVICES: expected service:database in lower case, such as services-api:services, got "shop-api:Shop;"
  BOOTSTRAP_SERVICES: expected service:database in lower case, such as services-api:services, got "drop"
  BOOTSTRAP_TIMEOUT: expected a duration such as 30s, 500ms or 5m, got "soon" (from the environment)
`);
  });

  test('a role without a folder for its credentials is named', async () => {
    expect(await run({ CREDENTIALS_FOLDERS: '/x/shop-api-app\n' })).toEqual({
      status: 2,
      stderr: 'config: 1 setting is wrong\n  CREDENTIALS_FOLDERS: names no folder called shop-api-migrator\n',
    });
  });

  test.each([
    ['missing', undefined, 'the policy cannot be read (ENOENT)'],
    ['empty', ' \n', 'the policy is empty'],
    ['50 MB', 'x'.repeat(50 * 1024 * 1024), 'a policy may not be larger than 1 MB'],
  ])('a policy file that is %s is named', async (_, text, rule) => {
    const file = join(folder, 'policies/shop-api-app.hcl');
    await rm(file);
    if (text !== undefined) await writeFile(file, text);
    expect(await run()).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`vault-bootstrap: ${file}: ${rule}\n`),
    });
  });
});
