import { cp, rm, writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestStack, edit, type TestStack } from './support/stack.ts';
import { connectionString } from './support/vault.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await createTestStack();
  expect((await stack.stack('up')).status).toBe(0);
});
afterAll(() => stack?.destroy());

const slugs = async () => {
  const response = await fetch(`${stack.servicesUrl}/services`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { items: { slug: string }[] }).items.map(({ slug }) => slug);
};
const add = async (slug: string) => {
  const response = await fetch(`${stack.servicesUrl}/services`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ slug, title: slug }),
  });
  expect(response.status).toBe(201);
};
const databases = async () => {
  const client = new Client({ connectionString: await connectionString(stack, 'services-api', 'migrator') });
  await client.connect();
  const { rows } = await client.query(
    "select datname from pg_database where datname like 'services%' and datname !~ '__(template|spare)_' order by 1",
  );
  await client.end();
  return (rows as { datname: string }[]).map(({ datname }) => datname);
};

test('rows survive `down` and `up`, although the development Vault forgets every secret', async () => {
  await add('kept');
  expect((await stack.stack('down')).status).toBe(0);
  expect((await stack.stack('up')).status).toBe(0);
  expect(await slugs()).toEqual(['kept']);
});

test.each([
  [
    'edited',
    () =>
      edit(stack.path('services-api/migrations/000012_index_services_by_age.up.sql'), (text) =>
        text.replace('services_by_age', 'services_by_birth'),
      ),
  ],
  [
    'missing',
    async () => {
      // As after switching back from a branch that had one more.
      const branch = stack.path('services-api/migrations/000900_branch');
      await writeFile(`${branch}.up.sql`, 'create table branch (id int); insert into branch values (1);');
      await writeFile(`${branch}.down.sql`, 'drop table branch;');
      expect((await stack.stack('up')).status).toBe(0);
      await Promise.all(['up', 'down'].map((direction) => rm(`${branch}.${direction}.sql`)));
    },
  ],
])(
  '%s: `up` swaps in a new database while the app runs, and undo brings the old rows back',
  async (_, change) => {
    const before = await slugs();
    expect(before.length).toBeGreaterThan(0);
    await change();
    const up = await stack.stack('up');
    expect(up.status, up.stderr).toBe(0);
    // Who starts the stack is told that it is another database, and how the old one comes back.
    expect(up.stdout).toMatch(
      /^services-api was recreated: .*\n( {2}.*\n)*? {2}.*kept as services__before_\S+\n {2}make db-undo/m,
    );
    // What is not kept the server drops while the run already ends.
    await expect
      .poll(databases, { timeout: 20_000 })
      .toEqual(['services', expect.stringMatching(/^services__before_\d{8}t\d{6}/i)]);
    const undone = await stack.stack('migrate', 'undo', '--service', 'services-api');
    expect(undone.status, undone.stderr).toBe(0);
    expect((await databases())[0]).toBe('services');
    expect(await slugs()).toEqual(before);
  },
);

test('a reset leaves no row, no kept database, and a stack that serves', async () => {
  await rm(stack.path('services-api/migrations'), { recursive: true });
  await cp('services-api/migrations', stack.path('services-api/migrations'), { recursive: true });
  const reset = await stack.stack('reset');
  expect(reset.status, reset.stderr).toBe(0);
  expect(await slugs()).toEqual([]);
  expect(await databases()).toEqual(['services']);
});
