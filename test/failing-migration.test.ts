import { rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestStack, edit, type TestStack } from './support/stack.ts';

let stack: TestStack;
let broken = '';

beforeAll(async () => {
  stack = await createTestStack({ MIGRATION_TIMEOUT: '5s' });
  broken = stack.path('services-api/migrations/000900_add_rating.up.sql');
  await writeFile(
    broken,
    'create table ratings (\r\n  id int primary key\r\n);\r\ncreate index on ratings (emial);\r\n',
  );
  await writeFile(broken.replace('.up.', '.down.'), 'drop table ratings;\n');
});
afterAll(() => stack?.destroy());

const ready = (url: string) =>
  fetch(`${url}/ready`).then(
    ({ status }) => status,
    () => 'no answer',
  );

test('a failing migration leaves its app down and the other service up, and says where the mistake is', async () => {
  const up = await stack.stack('up');
  expect(up.status).toBe(1);
  expect(up.stderr + up.stdout).toContain(
    [
      'migrate: services-api 000900_add_rating.up.sql failed and was rolled back',
      '  services-api/migrations/000900_add_rating.up.sql:4:26  column "emial" does not exist (42703)',
      '    4 | create index on ratings (emial);',
      '      |                          ^',
    ]
      .map((line) => `    ${line}`)
      .join('\n'),
  );
  expect(await ready(stack.contentUrl)).toBe(200);
  expect(await ready(stack.servicesUrl)).toBe('no answer');
  const { stdout } = await stack.stack('status', '--format', 'json');
  const states = Object.fromEntries(
    (JSON.parse(stdout) as { services: { service: string; state: string }[] }).services.map(
      ({ service, state }) => [service, state],
    ),
  );
  expect(states).toMatchObject({
    'content-api': 'healthy',
    'services-api': 'created',
    'services-api-migrations': expect.stringMatching(/failed|exited/),
  });
});

test('`why` shows it again after the containers are gone, and what stayed down', async () => {
  expect((await stack.stack('down')).status).toBe(0);
  const why = await stack.stack('why', 'services-api');
  expect(why.status).toBe(0);
  expect(why.stdout).toMatch(/^services-api-migrations: failed with exit status 1 at \d{4}-/m);
  expect(why.stdout).toContain('services-api/migrations/000900_add_rating.up.sql:4:26  column "emial"');
  expect(why.stdout).toContain('  stayed down because of it: services-api\n');
});

test('with the file mended, `up` brings the app up', async () => {
  await edit(broken, (text) => text.replace('emial', 'id'));
  const up = await stack.stack('up');
  expect(up.status, up.stderr).toBe(0);
  expect(await ready(stack.servicesUrl)).toBe(200);
  expect(await ready(stack.contentUrl)).toBe(200);
});

test('a migration that outlasts its timeout is stopped, and the phases say what the time went on', async () => {
  const slow = stack.path('content-api/migrations/000900_slow.up.sql');
  await writeFile(slow, 'select pg_sleep(600);\n');
  const up = await stack.stack('up');
  await rm(slow);
  expect(up.status).toBe(1);
  const text = up.stderr + up.stdout;
  expect(text).toMatch(/content-api-migrations.*8/);
  expect(text).toMatch(/sql \d/);
});
