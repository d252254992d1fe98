import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { at } from '../../test/support/json.ts';
import { openService, type TestService } from '../../test/support/service-app.ts';
import { servicesApi } from '../src/index.ts';

let service: TestService;
let request: TestService['request'];
let sequence = 0;
let general: string;

beforeAll(async () => {
  service = await openService(servicesApi);
  ({ request } = service);
  general = (await request('GET', '/categories/default')).text('id');
});

afterAll(() => service.close());

beforeEach(async () => {
  await service.testDatabase.query('delete from featured_categories');
  await request('PUT', '/categories/default', { categoryId: general });
});

async function category(): Promise<{ id: string; slug: string }> {
  sequence += 1;
  const answer = await request('POST', '/categories', {
    slug: `category-${sequence}`,
    name: `Category ${sequence}`,
  });
  expect(answer.status).toBe(201);
  return { id: answer.text('id'), slug: answer.text('slug') };
}

async function serviceIn(categoryId: string | null): Promise<string> {
  sequence += 1;
  const answer = await request('POST', '/services', { slug: `in-${sequence}`, title: 'T', categoryId });
  expect(answer.status).toBe(201);
  return answer.text('id');
}

describe('categories', () => {
  test('a category is created, read, changed, listed and deleted', async () => {
    const answer = await request('POST', '/categories', { slug: 'zoo', name: 'Zoo' });
    const id = answer.text('id');
    expect([answer.status, answer.headers['location']]).toEqual([201, `/categories/${id}`]);
    expect(answer.body).toEqual({
      id,
      slug: 'zoo',
      name: 'Zoo',
      isDefault: false,
      featuredPosition: null,
      createdAt: expect.any(String),
      updatedAt: answer.at('createdAt'),
    });
    expect((await request('GET', `/categories/${id}`)).body).toEqual(answer.body);
    expect((await request('PATCH', `/categories/${id}`, { name: 'Zoos' })).body).toMatchObject({
      slug: 'zoo',
      name: 'Zoos',
    });
    expect((await request('GET', '/categories?limit=100')).list('items').at(-1)).toMatchObject({
      slug: 'zoo',
    });
    expect((await request('DELETE', `/categories/${id}`)).status).toBe(204);
    expect((await request('GET', `/categories/${id}`)).status).toBe(404);
    expect((await request('DELETE', `/categories/${id}`)).status).toBe(404);
    expect((await request('PATCH', `/categories/${id}`, { name: 'N' })).status).toBe(404);
  });

  test('the list is paged by slug', async () => {
    await category();
    await category();
    const first = await request('GET', '/categories?limit=2');
    expect(first.at('items')).toHaveLength(2);
    const cursor = first.text('nextCursor');
    const second = await request('GET', `/categories?limit=2&cursor=${cursor}`);
    const slugs = [...first.list('items'), ...second.list('items')].map((item) => at(item, 'slug'));
    expect(slugs).toEqual([...new Set(slugs)].sort());
    expect((await request('GET', `/services?cursor=${cursor}`)).status).toBe(400);
  });

  test('a slug is taken once', async () => {
    const { slug } = await category();
    const answer = await request('POST', '/categories', { slug, name: 'N' });
    expect([answer.status, answer.at('type')]).toEqual([409, 'urn:lockstep:problem:slug-taken']);
  });

  test.each([
    {},
    { slug: 'a' },
    { slug: 'A', name: 'N' },
    { slug: 'a', name: 'N\\u0000'.replace('\\u0000', '\0') },
    { slug: 'a', name: 'N', isDefault: true },
  ])('the category %j is refused', async (body) => {
    expect((await request('POST', '/categories', body)).status).toBe(400);
  });
});

describe('the default category', () => {
  test('services without a category fall into it', async () => {
    const id = await serviceIn(null);
    expect((await request('GET', `/services/${id}`)).at('category', 'id')).toBe(general);

    const { id: other } = await category();
    await request('PATCH', `/services/${id}`, { categoryId: other });
    expect((await request('PATCH', `/services/${id}`, { categoryId: null })).at('category', 'id')).toBe(
      general,
    );
  });

  test('the services of a deleted category fall into it, archived ones too, and their version counts up', async () => {
    const { id } = await category();
    const [draft, archived] = [await serviceIn(id), await serviceIn(id)];
    await request('PATCH', `/services/${archived}`, { contentUrl: 'https://blobs.example/x' });
    await request('POST', `/services/${archived}/publish`);
    await request('POST', `/services/${archived}/archive`);

    expect((await request('DELETE', `/categories/${id}`)).status).toBe(204);

    expect((await request('GET', `/services/${draft}`)).body).toMatchObject({
      category: { id: general },
      version: 2,
    });
    expect((await request('GET', `/services/${archived}`)).body).toMatchObject({
      category: { id: general },
      status: 'archived',
      version: 5,
    });
  });

  test('it cannot be deleted', async () => {
    const answer = await request('DELETE', `/categories/${general}`);
    expect([answer.status, answer.at('type')]).toEqual([409, 'urn:lockstep:problem:default-category-stays']);
  });

  test('another category takes its place, and then it can be deleted', async () => {
    const { id } = await category();
    expect((await request('PUT', '/categories/default', { categoryId: id })).body).toMatchObject({
      id,
      isDefault: true,
    });
    expect((await request('GET', '/categories/default')).at('id')).toBe(id);
    expect((await request('GET', `/categories/${general}`)).at('isDefault')).toBe(false);
    expect((await request('GET', `/services/${await serviceIn(null)}`)).at('category', 'id')).toBe(id);
    expect((await request('PUT', '/categories/default', { categoryId: id })).status).toBe(200);

    const { status } = await request('PUT', '/categories/default', {
      categoryId: '00000000-0000-4000-8000-000000000000',
    });
    expect(status).toBe(404);
    expect((await request('GET', '/categories/default')).at('id')).toBe(id);
  });

  test('after 20 races for the mark there is exactly one default', async () => {
    const candidates = await Promise.all(Array.from({ length: 20 }, category));
    const answers = await Promise.all(
      candidates.map(({ id }) => request('PUT', '/categories/default', { categoryId: id })),
    );
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(answers.filter(({ status }) => ![200, 409, 503].includes(status))).toEqual([]);
    const { rows } = await service.testDatabase.query('select id from service_categories where is_default');
    expect(rows).toHaveLength(1);
  });
});

describe('featured categories', () => {
  const feature = (position: number | string, categoryId: unknown) =>
    request('PUT', `/featured-categories/${position}`, { categoryId }, { 'x-actor': 'fred' });

  test('two positions are taken, read, replaced and freed', async () => {
    const [one, two, three] = [await category(), await category(), await category()];
    expect((await request('GET', '/featured-categories')).body).toEqual({ items: [] });
    expect((await request('GET', '/featured-categories/1')).status).toBe(404);

    const answer = await feature(2, one.id);
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        position: 2,
        category: { id: one.id, slug: one.slug, name: expect.any(String) },
        featuredAt: expect.any(String),
        featuredBy: 'fred',
      },
    ]);
    await feature(1, two.id);
    await feature(1, three.id);
    const items = (await request('GET', '/featured-categories')).list('items');
    expect(items.map((item) => [at(item, 'position'), at(item, 'category', 'id')])).toEqual([
      [1, three.id],
      [2, one.id],
    ]);
    expect((await request('GET', `/categories/${one.id}`)).at('featuredPosition')).toBe(2);
    expect((await request('GET', `/services/${await serviceIn(one.id)}`)).at('featuredPosition')).toBe(2);

    expect((await request('DELETE', '/featured-categories/2')).status).toBe(204);
    expect((await request('DELETE', '/featured-categories/2')).status).toBe(404);
  });

  test('a category is featured once', async () => {
    const { id } = await category();
    await feature(1, id);
    expect((await feature(1, id)).status).toBe(200);
    const answer = await feature(2, id);
    expect([answer.status, answer.at('type')]).toEqual([409, 'urn:lockstep:problem:already-featured']);
  });

  test('the default category is not featured, and a featured one does not become the default', async () => {
    const refused = [409, 'urn:lockstep:problem:featured-never-default'];
    const first = await feature(1, general);
    expect([first.status, first.at('type')]).toEqual(refused);

    const { id } = await category();
    await feature(1, id);
    const second = await request('PUT', '/categories/default', { categoryId: id });
    expect([second.status, second.at('type')]).toEqual(refused);
    expect((await request('GET', '/categories/default')).at('id')).toBe(general);
  });

  test('deleting a featured category frees its position', async () => {
    const { id } = await category();
    await feature(1, id);
    expect((await request('DELETE', `/categories/${id}`)).status).toBe(204);
    expect((await request('GET', '/featured-categories/1')).status).toBe(404);
  });

  test('after 20 races for one position one category has it', async () => {
    const candidates = await Promise.all(Array.from({ length: 20 }, category));
    const answers = await Promise.all(candidates.map(({ id }) => feature(1, id)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect((await request('GET', '/featured-categories')).at('items')).toHaveLength(1);
  });

  test('after 20 races of one category for both positions it has one', async () => {
    const { id } = await category();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => feature((n % 2) + 1, id)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
    expect((await request('GET', '/featured-categories')).at('items')).toHaveLength(1);
  });

  test.each(['0', '3', '-1', '1.0', '01', 'x', '1%00'])('the position %s is refused', async (position) => {
    expect((await feature(position, general)).status).toBe(400);
  });

  test('a category that is not there, or no id, is refused', async () => {
    expect((await feature(1, '00000000-0000-4000-8000-000000000000')).status).toBe(422);
    for (const id of [null, 1, 'x', `${general}'`]) expect((await feature(1, id)).status).toBe(400);
  });
});
