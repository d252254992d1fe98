import type { NewService } from '../name.ts';

export function serverTest({ name }: NewService): string {
  return `import { proveGate } from '../../test/support/service-program.ts';

proveGate('${name}');
`;
}

export function schemaTest({ name, specification }: NewService): string {
  return `import { proveSchema } from '../../test/support/service-schema.ts';

proveSchema({
  service: '${name}',
  specification: '${specification}',
  earlyRows: { version: 1, sql: \`insert into items (name, created_by) values ('first', 'alice')\` },
});
`;
}

export function itemsTest({ identifier }: NewService): string {
  return `import { afterAll, beforeAll, expect, test } from 'vitest';
import { at } from '../../test/support/json.ts';
import { openService, type TestService } from '../../test/support/service-app.ts';
import { ${identifier} } from '../src/index.ts';

let service: TestService;
let request: TestService['request'];

beforeAll(async () => {
  service = await openService(${identifier});
  ({ request } = service);
});

afterAll(() => service.close());

test('an item is created, read and listed, and says who created it', async () => {
  const answer = await request('POST', '/items', { name: 'first' }, { 'x-actor': 'alice' });
  const id = answer.text('id');
  expect([answer.status, answer.headers['location']]).toEqual([201, \`/items/\${id}\`]);
  expect(answer.body).toEqual({ id, name: 'first', createdAt: expect.any(String), createdBy: 'alice' });
  expect((await request('GET', \`/items/\${id}\`)).body).toEqual(answer.body);
  expect((await request('GET', '/items')).list('items')).toContainEqual(answer.body);
});

test('the list is paged, the newest first', async () => {
  for (const name of ['a', 'b', 'c']) await request('POST', '/items', { name });
  const first = await request('GET', '/items?limit=2');
  const second = await request('GET', \`/items?limit=1&cursor=\${first.text('nextCursor')}\`);
  const names = [...first.list('items'), ...second.list('items')].map((item) => at(item, 'name'));
  expect(names).toEqual(['c', 'b', 'a']);
});

test('a name is taken once', async () => {
  await request('POST', '/items', { name: 'taken' });
  const answer = await request('POST', '/items', { name: 'taken' });
  expect([answer.status, answer.at('type')]).toEqual([409, 'urn:lockstep:problem:name-taken']);
});

test.each([{}, { name: '' }, { name: 'x'.repeat(121) }, { name: 1 }, { name: 'x', colour: 'red' }])(
  'the body %j is refused',
  async (body) => {
    expect((await request('POST', '/items', body)).status).toBe(400);
  },
);

test('an item that is not there is 404', async () => {
  expect((await request('GET', '/items/00000000-0000-4000-8000-000000000000')).status).toBe(404);
});
`;
}
