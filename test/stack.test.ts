import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closeTesting, leaseStack } from '@lockstep/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { incarnation } from './support/containers.ts';
import { run } from './support/program.ts';
import { createTestStack, type Ended, type TestStack } from './support/stack.ts';
import { askVault, connectionString, login, readSecret } from './support/vault.ts';

let stack: TestStack;
let first: Ended;

beforeAll(async () => {
  stack = await createTestStack();
  first = await stack.stack('up');
  expect(first.status, first.stderr + first.stdout).toBe(0);
});
afterAll(() => stack?.destroy());

async function send(url: string, method = 'GET', body?: unknown) {
  const response = await fetch(url, {
    method,
    headers: { 'x-actor': 'tester', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
  };
}

test('both apps live, and say which schema version they serve', async () => {
  for (const url of [stack.servicesUrl, stack.contentUrl]) {
    expect((await send(`${url}/live`)).status).toBe(200);
    expect(await send(`${url}/ready`)).toEqual({
      status: 200,
      body: { status: 'ready', schemaVersion: expect.any(Number) },
    });
  }
});

test('a service goes from draft to published to archived, in the default category', async () => {
  const created = await send(`${stack.servicesUrl}/services`, 'POST', {
    slug: 'first',
    title: 'First',
    contentUrl: 'https://blobs.example.org/first.html',
  });
  expect(created).toMatchObject({ status: 201, body: { status: 'draft', createdBy: 'tester' } });
  const standard = await send(`${stack.servicesUrl}/categories/default`);
  expect(created.body?.['category']).toMatchObject({ slug: standard.body?.['slug'] });

  const url = `${stack.servicesUrl}/services/${String(created.body?.['id'])}`;
  expect(await send(`${url}/publish`, 'POST')).toMatchObject({
    status: 200,
    body: { status: 'published', publishedBy: 'tester' },
  });
  expect((await send(`${url}/publish`, 'POST')).status).toBe(409);
  expect(await send(`${url}/archive`, 'POST')).toMatchObject({ status: 200, body: { status: 'archived' } });
  const listed = await send(`${stack.servicesUrl}/services?status=archived`);
  expect(listed.body?.['items']).toMatchObject([{ slug: 'first' }]);
});

test('content is served only when a scan found it clean, and never once it is infected', async () => {
  const register = (sha256: string) =>
    send(`${stack.contentUrl}/content`, 'POST', {
      blobUrl: `https://blobs.example.org/${sha256.slice(0, 8)}`,
      sha256,
      mimeType: 'image/png',
      sizeBytes: 12,
    });
  const scan = async (id: unknown, result: unknown) => {
    const scans = `${stack.contentUrl}/content/${String(id)}/scans`;
    const started = await send(scans, 'POST', { scanner: 'clamav' });
    expect(started.status).toBe(201);
    return send(`${scans}/${String(started.body?.['id'])}/result`, 'PUT', result);
  };
  const [clean, infected] = [await register('a'.repeat(64)), await register('b'.repeat(64))];
  expect([clean.status, infected.status], JSON.stringify(clean.body)).toEqual([201, 201]);
  const read = (id: unknown) => send(`${stack.contentUrl}/content/${String(id)}`);
  expect((await read(clean.body?.['id'])).status).not.toBe(200);
  expect((await scan(clean.body?.['id'], { verdict: 'clean' })).status).toBe(200);
  expect((await scan(infected.body?.['id'], { verdict: 'infected', threat: 'Eicar' })).status).toBe(200);
  expect(await read(clean.body?.['id'])).toMatchObject({ status: 200, body: { scanStatus: 'clean' } });
  const refused = await read(infected.body?.['id']);
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(JSON.stringify(refused.body)).not.toContain('blobs.example.org');
  const statistics = await send(`${stack.contentUrl}/content/${String(clean.body?.['id'])}/statistics`);
  expect(statistics.status).toBe(200);
});

test('a wrong body is answered with problem details', async () => {
  const response = await fetch(`${stack.servicesUrl}/services`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"slug":"x","title":"y","surprise":1}',
  });
  expect(response.status).toBe(400);
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
});

test('the timeline of the start has every service behind what it waited for', async () => {
  const { status, stdout, stderr } = await stack.stack('status', '--timeline', '--format', 'json');
  expect(status, stderr).toBe(0);
  const { services, seconds } = JSON.parse(stdout) as {
    services: { name: string; from: number; to: number; waitedFor?: string }[];
    seconds: number;
  };
  const at = new Map(services.map((span) => [span.name, span]));
  expect([...at.keys()].sort()).toEqual(
    expect.arrayContaining([
      'content-api',
      'content-api-migrations',
      'postgres',
      'services-api',
      'services-api-migrations',
      'vault',
      'vault-bootstrap',
    ]),
  );
  expect(at.get('services-api')?.waitedFor).toBe('services-api-migrations');
  expect(at.get('services-api-migrations')?.waitedFor).toBe('vault-bootstrap');
  for (const { from, to, waitedFor } of services) {
    expect(from).toBeLessThanOrEqual(to);
    expect(to).toBeLessThanOrEqual(seconds + 0.5);
    // By two clocks on an engine: its own tells how long a container took.
    if (waitedFor !== undefined) expect(from).toBeGreaterThan((at.get(waitedFor)?.to ?? 0) - 1);
  }
  expect((await stack.stack('status', '--timeline')).stdout).toMatch(
    /^the last start, .* s\n(.*\n)*.*services-api-migrations .*█.* after vault-bootstrap\n/,
  );
  expect(await readFile(stack.path('.lockstep/timeline.svg'), 'utf8')).toContain(
    'services-api-migrations</text>',
  );
});

test('F16.3 a start ends with what became of each database', async () => {
  expect(first.stdout).toMatch(
    /\n\nservices-api: 15 migrations applied, from none to 15, \d+ ms\ncontent-api: 15 migrations applied, from none to 15, \d+ ms\n/,
  );
  const again = await stack.stack('up');
  expect(again.stdout).toMatch(
    /\n\nservices-api is at 15, nothing to do\ncontent-api is at 15, nothing to do\n/,
  );
});

test('F16.3 F16.7 on a terminal a start shows each service live, and nothing is wider than 80 columns', async () => {
  const up = await stack.onTerminal('up');
  expect(up.status, up.stdout).toBe(0);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the terminal's own
  const plain = ({ stdout }: Ended) => stdout.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '');
  // A line for each service from the beginning, which turns until it is there.
  expect(plain(up)).toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] services-api-migrations/);
  expect(plain(up)).toMatch(/✔ services-api-migrations +completed/);
  const status = await stack.onTerminal('status');
  const timeline = await stack.onTerminal('status', '--timeline');
  for (const ended of [up, status, timeline]) {
    const lines = plain(ended).split(/[\r\n]+/);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  }
});

test('F16.8 the URL of a database can be copied, its password only when that is asked for', async () => {
  const url = new URL(await connectionString(stack, 'services-api', 'app'));
  const ask = (...more: string[]) =>
    stack.stack('psql', '--service', 'services-api', '--role', 'app', '--', '--url', ...more);
  const masked = `postgres://services_app:***@127.0.0.1:${stack.ports.postgres}/services\n`;
  expect(await ask()).toEqual({ status: 0, stdout: masked, stderr: '' });
  expect((await ask('--show-password')).stdout).toBe(`${url.href}\n`);
  expect((await ask('--other')).status).toBe(2);
});

test('F16.8 what services printed comes in the order of time, and can be read after down', async () => {
  const shown = async () => (await stack.stack('logs', 'vault-bootstrap', 'services-api')).stdout;
  const lines = (await shown()).trimEnd().split('\n');
  const times = lines.map(
    (line) => /^(\d\d:\d\d:\d\d\.\d{3}) (vault-bootstrap|services-api) +\| /.exec(line)?.[1],
  );
  expect(times).not.toContain(undefined);
  expect(times.toSorted()).toEqual(times);
  expect((await stack.stack('down')).status).toBe(0);
  expect(await shown()).toContain('services-api    | {"level":"info"');
  expect(await shown()).toMatch(/vault-bootstrap \| services-api: /);
  const up = await stack.stack('up');
  expect(up.status, up.stderr).toBe(0);
});

test('F16.11 an app role reaches its own database alone, and of the history all but the down SQL', async () => {
  const own = new URL(await connectionString(stack, 'services-api', 'app'));
  const ask = async (database: string, sql: string) => {
    const url = new URL(own);
    url.pathname = `/${database}`;
    const client = new Client({ connectionString: url.href });
    try {
      await client.connect();
      return (await client.query(sql)).rows;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      await client.end();
    }
  };
  for (const database of ['postgres', 'template1', 'content'])
    expect(await ask(database, 'select 1')).toMatch(/permission denied for database/);
  expect(await ask('services', 'select down_sql from schema_migrations_history')).toMatch(
    /permission denied for table schema_migrations_history/,
  );
  expect(
    await ask('services', 'select description from schema_migrations_history where version = 1'),
  ).toEqual([{ description: 'create_services' }]);
  // As a migrator of before this rule left it: the next start repairs it.
  const owner = new Client({ connectionString: await connectionString(stack, 'services-api', 'migrator') });
  await owner.connect();
  await owner.query('grant select on schema_migrations_history to services_app');
  await owner.end();
  expect(await ask('services', 'select count(down_sql)::int from schema_migrations_history')).toMatchObject([
    { count: expect.any(Number) },
  ]);
  const up = await stack.stack('up');
  expect(up.status, up.stderr).toBe(0);
  expect(await ask('services', 'select down_sql from schema_migrations_history')).toMatch(
    /permission denied/,
  );
});

test('a lease gives an app process a database of its own, with a way into Vault that leads nowhere else', async () => {
  const ports = { POSTGRES_PORT: stack.ports.postgres, VAULT_PORT: stack.ports.vault };
  for (const [name, port] of Object.entries(ports)) vi.stubEnv(name, String(port));
  const lease = await leaseStack({ service: 'services-api', project: stack.folder });
  try {
    const app = run(join(import.meta.dirname, '../services-api/dist/server.cjs'), lease.environment);
    const { address } = await app.event('listening');
    const sent = await send(`http://${String(address)}/services`, 'POST', {
      slug: 'leased',
      title: 'Leased',
    });
    expect(sent.status).toBe(201);
    expect((await send(`${stack.servicesUrl}/services/${String(sent.body?.['id'])}`)).status).toBe(404);
    app.child.kill('SIGTERM');
    expect(await app.ended).toBe(0);
    const token = await leasedToken(lease.environment);
    const path = lease.environment['VAULT_SECRET_PATH'] ?? '';
    expect((await askVault(stack, 'GET', path, undefined, token)).status).toBe(200);
    expect((await askVault(stack, 'GET', 'secret/data/services-api/app', undefined, token)).status).toBe(403);
    await lease.end();
    expect((await askVault(stack, 'GET', path, undefined, token)).status).toBe(403);
    await expect(new Client({ connectionString: lease.database.appUrl }).connect()).rejects.toThrow(
      'does not exist',
    );
  } finally {
    await lease.end();
    await closeTesting();
    vi.unstubAllEnvs();
  }
});

async function leasedToken(environment: Readonly<Record<string, string>>): Promise<string> {
  const [role_id, secret_id] = await Promise.all(
    ['VAULT_ROLE_ID_FILE', 'VAULT_SECRET_ID_FILE'].map((name) => readFile(environment[name] ?? '', 'utf8')),
  );
  const answer = await askVault(stack, 'POST', 'auth/approle/login', { role_id, secret_id });
  return ((await answer.json()) as { auth: { client_token: string } }).auth.client_token;
}

test('`up` again changes nothing: the same servers, secrets and history', async () => {
  const observe = async () => {
    const owner = await connectionString(stack, 'services-api', 'migrator');
    const client = new Client({ connectionString: owner });
    await client.connect();
    const { rows } = await client.query('select * from schema_migrations_history order by version');
    await client.end();
    const servers = ['postgres', 'vault', 'services-api', 'content-api'];
    const runs = await Promise.all(servers.map((service) => incarnation(stack, service)));
    return { owner, rows, runs };
  };
  const before = await observe();
  expect((await stack.stack('up')).status).toBe(0);
  expect(await observe()).toEqual(before);
  expect(new Set(before.runs).size).toBe(4);
});

test("a role's credentials read its own secret and no other", async () => {
  const roles = ['services-api/migrator', 'services-api/app', 'content-api/migrator', 'content-api/app'];
  for (const role of roles) {
    const token = await login(stack, role.replace('/', '-'));
    for (const other of roles) {
      expect([role, other, (await readSecret(stack, other, token)).status]).toEqual([
        role,
        other,
        other === role ? 200 : 403,
      ]);
    }
  }
});

test("an app's role reads and writes rows but changes no schema, no tracking table, no other database", async () => {
  const client = new Client({ connectionString: await connectionString(stack, 'services-api', 'app') });
  await client.connect();
  try {
    expect((await client.query('select count(*) from services')).rows).toHaveLength(1);
    for (const refused of [
      'create table t (a int)',
      'alter table services add column a int',
      'drop table services',
      'truncate services',
      'update schema_migrations set dirty = true',
      'delete from schema_migrations_history',
      'create schema s',
      'create database d',
    ]) {
      await expect(client.query(refused), refused).rejects.toMatchObject({ code: '42501' });
    }
  } finally {
    await client.end();
  }
  const url = new URL(await connectionString(stack, 'services-api', 'app'));
  url.pathname = '/content';
  const stranger = new Client({ connectionString: url.href });
  await expect(stranger.connect()).rejects.toMatchObject({ code: '42501' });
});

test('a recreate and its undo touch no container and no server', async () => {
  const servers = ['postgres', 'vault', 'services-api', 'content-api'];
  const runs = () => Promise.all(servers.map((service) => incarnation(stack, service)));
  const before = await runs();
  for (const command of ['recreate', 'undo']) {
    const done = await stack.stack('migrate', '--service', 'services-api', command);
    expect(done.status, done.stderr).toBe(0);
    expect((await fetch(`${stack.servicesUrl}/ready`)).status).toBe(200);
  }
  expect(await runs()).toEqual(before);
});

test('seeds, the rehearsal and the page of a service work where its migrations do', async () => {
  for (const expected of [/3 inserted, 0 updated, 0 unchanged/, /0 inserted, 0 updated, 3 unchanged/]) {
    const seeded = await stack.stack('migrate', '--service', 'services-api', 'seed');
    expect(seeded.status, seeded.stderr).toBe(0);
    expect(seeded.stdout).toMatch(expected);
  }
  const listed = await send(`${stack.servicesUrl}/services?status=draft`);
  expect(JSON.stringify(listed.body?.['items'])).toContain('"blood-count"');
  const rehearsed = await stack.stack('migrate', '--service', 'services-api', 'rehearse', '--all');
  expect(rehearsed.stdout, rehearsed.stderr).toMatch(/services-api: 15 migrations rehearsed on Postgres/);
  const page = await stack.stack('migrate', '--service', 'services-api', 'docs', '--out', '-');
  expect(page.status, page.stderr).toBe(0);
  const committed = await readFile(stack.path('services-api/migrations/docs/schema.md'), 'utf8');
  expect(page.stdout.replaceAll('\r\n', '\n').trim()).toBe(committed.trim());
});
