import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at, type Json, type JsonObject, objectAt } from '../../test/support/json.ts';
import { openService, type TestService } from '../../test/support/service-app.ts';
import { servicesApi } from '../src/index.ts';

let service: TestService;
let request: TestService['request'];
let sequence = 0;

beforeAll(async () => {
  service = await openService(servicesApi);
  ({ request } = service);
});

afterAll(() => service.close());

const contentUrl = 'https://blobs.example/services/a.html';

/** A slug that no other test uses. */
function freshSlug(): string {
  sequence += 1;
  return `service-${sequence}`;
}

async function create(
  input: Record<string, unknown> = {},
  headers = {},
): Promise<{ id: string; slug: string; shown: JsonObject }> {
  const answer = await request(
    'POST',
    '/services',
    { slug: freshSlug(), title: 'A title', ...input },
    headers,
  );
  expect(answer.status).toBe(201);
  return { id: answer.text('id'), slug: answer.text('slug'), shown: objectAt(answer.body) };
}

describe('creating', () => {
  test('a service begins as a draft in the default category, with its author', async () => {
    const slug = freshSlug();
    const answer = await request(
      'POST',
      '/services',
      { slug, title: 'Überprüfung 検査 👩‍🔬' },
      { 'x-actor': 'alice@example' },
    );

    expect(answer.status).toBe(201);
    expect(answer.headers['location']).toBe(`/services/${answer.text('id')}`);
    expect(answer.headers['etag']).toBe('"1"');
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      slug,
      title: 'Überprüfung 検査 👩‍🔬',
      summary: '',
      contentUrl: null,
      status: 'draft',
      category: { id: expect.any(String), slug: 'general', name: 'General' },
      featuredPosition: null,
      version: 1,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      createdBy: 'alice@example',
      updatedAt: answer.at('createdAt'),
      updatedBy: 'alice@example',
      publishedAt: null,
      publishedBy: null,
      archivedAt: null,
      archivedBy: null,
    });
    expect((await request('GET', `/services/${answer.text('id')}`)).body).toEqual(answer.body);
  });

  test('without x-actor the author is anonymous', async () => {
    expect((await create()).shown['createdBy']).toBe('anonymous');
  });

  test('text that looks like SQL is text', async () => {
    const title = `'; drop table services; -- $1 %s \\ "`;
    const { id } = await create({ title, summary: 'a\nb\tc' });
    expect((await request('GET', `/services/${id}`)).body).toMatchObject({ title, summary: 'a\nb\tc' });
  });

  test('of 20 creates of one slug at once, one succeeds and 19 are told that it is taken', async () => {
    const slug = freshSlug();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => request('POST', '/services', { slug, title: 'Race' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    expect(answers.find(({ status }) => status === 409)?.body).toEqual({
      type: 'urn:lockstep:problem:slug-taken',
      title: 'The slug is taken',
      status: 409,
      instance: '/services',
      requestId: expect.any(String),
    });
  });

  test('an unknown category is refused', async () => {
    const categoryId = '00000000-0000-4000-8000-000000000000';
    const answer = await request('POST', '/services', { slug: freshSlug(), title: 'T', categoryId });
    expect([answer.status, answer.at('type')]).toEqual([422, 'urn:lockstep:problem:category-unknown']);
  });

  test.each([
    [{ title: 'T' }, '/slug', 'is required'],
    [{ slug: 'a', title: 'T', extra: 1 }, '/extra', 'is not a known property'],
    [{ slug: 'a', title: 'T', 'a/b~c': 1 }, '/a~1b~0c', 'is not a known property'],
    [
      { slug: 'Not A Slug', title: 'T' },
      '/slug',
      'must be lower-case letters and digits joined by single hyphens',
    ],
    [{ slug: 'a'.repeat(81), title: 'T' }, '/slug', 'must NOT have more than 80 characters'],
    [{ slug: 'a', title: 5 }, '/title', 'must be string'],
    [{ slug: 'a', title: '' }, '/title', 'must NOT have fewer than 1 characters'],
    [{ slug: 'a', title: '   ' }, '/title', 'must not be blank'],
    [{ slug: 'a', title: 'x'.repeat(201) }, '/title', 'must NOT have more than 200 characters'],
    [
      { slug: 'a', title: 'a\u0000b' },
      '/title',
      'must be one line of text without control characters or halves of surrogate pairs',
    ],
    [
      { slug: 'a', title: '\ud83d' },
      '/title',
      'must be one line of text without control characters or halves of surrogate pairs',
    ],
    [
      { slug: 'a', title: 'T', summary: '\u0000' },
      '/summary',
      'must be text without control characters or halves of surrogate pairs',
    ],
    [{ slug: 'a', title: 'T', categoryId: 'urn:uuid:x' }, '/categoryId', 'must be a UUID'],
    ...[
      'http://a.example/x',
      'https://a.example',
      'https://u:p@a.example/x',
      'https://a.example/x?sig=1',
      'ftp://x/y',
    ].map((url): [Record<string, unknown>, string, string] => [
      { slug: 'a', title: 'T', contentUrl: url },
      '/contentUrl',
      'must be an https:// URL of a blob: host in lower case and path, without credentials or query',
    ]),
  ])('%j is refused at %s', async (body, pointer, detail) => {
    const answer = await request('POST', '/services', body);
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.at('type')).toBe('urn:lockstep:problem:invalid-request');
    expect(answer.at('errors')).toContainEqual({ in: 'body', pointer, detail });
  });

  test('every broken rule is listed', async () => {
    const answer = await request('POST', '/services', { slug: 'A', summary: 1 });
    expect(
      answer
        .list('errors')
        .map((error) => at(error, 'pointer'))
        .sort(),
    ).toEqual(['/slug', '/summary', '/title']);
  });

  test.each(['', ' ', 'a b', 'ä', 'x'.repeat(101), '-x'])('the actor %j is refused', async (actor) => {
    const answer = await request(
      'POST',
      '/services',
      { slug: freshSlug(), title: 'T' },
      { 'x-actor': actor },
    );
    expect(answer.status).toBe(400);
    expect(answer.at('errors', 0)).toMatchObject({ in: 'header', pointer: '/x-actor' });
  });
});

describe('reading', () => {
  test('a service that is not there is 404, an id that is none is 400', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    expect((await request('GET', `/services/${id}`)).body).toEqual({
      type: 'urn:lockstep:problem:not-found',
      title: 'There is no such resource',
      status: 404,
      detail: `there is no service ${id}`,
      instance: `/services/${id}`,
      requestId: expect.any(String),
    });
    const refused = await request('GET', '/services/1%20or%201=1');
    expect([refused.status, refused.at('errors')]).toEqual([
      400,
      [{ in: 'path', pointer: '/id', detail: 'must be a UUID' }],
    ]);
    const long = await request('GET', `/services/${'x'.repeat(300)}`);
    expect([long.status, long.at('type')]).toEqual([414, 'urn:lockstep:problem:uri-too-long']);
    expect((await request('GET', '/services/%E0%A4%A')).status).toBe(400);
    expect((await request('GET', '/services/..%2F..%2Fetc%2Fpasswd')).status).toBe(400);
  });
});

describe('listing', () => {
  let listed: TestService;

  beforeAll(async () => {
    listed = await openService(servicesApi);
    const category = await listed.request('POST', '/categories', { slug: 'other', name: 'Other' });
    // All in one statement: the same created_at, so that only the id orders them.
    await listed.testDatabase.query(
      `insert into services (slug, title, content_url, created_by, updated_by, category_id)
       select 'bulk-' || n, case when n % 2 = 0 then 'Ünder_score 100%' else 'Plain' end || ' ' || n, $1, 'x', 'x',
         case when n % 5 = 0 then $2::uuid else default_category_id() end
       from generate_series(1, 57) n`,
      [contentUrl, category.text('id')],
    );
    await listed.testDatabase.query(
      `update services set status = 'published', published_at = now(), published_by = 'x' where slug like '%3'`,
    );
  });

  afterAll(() => listed.close());

  async function all(query: string): Promise<Json[]> {
    const items: Json[] = [];
    let cursor = '';
    do {
      const answer = await listed.request('GET', `/services?${query}${cursor}`);
      expect(answer.status).toBe(200);
      items.push(...answer.list('items'));
      cursor = answer.at('nextCursor') === null ? '' : `&cursor=${answer.text('nextCursor')}`;
    } while (cursor !== '');
    return items;
  }

  test('pages hold every service once, also when all were made in one instant', async () => {
    const slugs = (await all('limit=10')).map((item) => at(item, 'slug'));
    expect(slugs).toHaveLength(57);
    expect(new Set(slugs).size).toBe(57);
    expect((await listed.request('GET', '/services')).at('items')).toHaveLength(20);
  });

  test('filters narrow the list, alone and together', async () => {
    expect(await all('limit=3&status=published')).toHaveLength(6);
    expect(await all('limit=4&category=other')).toHaveLength(11);
    expect(await all('category=other&status=published')).toHaveLength(0);
    expect(await all('category=no-such-category')).toHaveLength(0);
    expect(await all(`title=${encodeURIComponent('üNDER_score 100%')}`)).toHaveLength(28);
    expect(await all(`title=${encodeURIComponent('_')}`)).toHaveLength(0);
    expect(await all(`title=${encodeURIComponent('%')}`)).toHaveLength(0);
    expect(await all(`title=${encodeURIComponent('\\')}`)).toHaveLength(0);
  });

  test('a cursor that was damaged, or is of another list, is refused', async () => {
    const nextCursor = (await listed.request('GET', '/services?limit=5')).text('nextCursor');
    const swapped = nextCursor.slice(0, -1) + (nextCursor.endsWith('A') ? 'B' : 'A');
    for (const [query, cursor] of [
      ['', swapped],
      ['', `${nextCursor}A`],
      ['', 'AAAA'],
      ['&status=draft', nextCursor],
    ]) {
      const answer = await listed.request('GET', `/services?limit=5${query}&cursor=${cursor}`);
      expect([cursor, answer.status, answer.at('type')]).toEqual([
        cursor,
        400,
        'urn:lockstep:problem:invalid-cursor',
      ]);
    }
  });

  test.each([
    'limit=0',
    'limit=101',
    'limit=ten',
    'limit=1&limit=2',
    'limit=1e1',
    'status=gone',
    'cursor=%00',
    'x=1',
    'title=',
  ])('the query %s is refused', async (query) => {
    const answer = await listed.request('GET', `/services?${query}`);
    expect([answer.status, answer.at('errors', 0, 'in')]).toEqual([400, 'query']);
  });

  test.each([
    ['true', 'services_by_age'],
    [`status = 'draft'`, 'services_by_status'],
    [`category_id = '00000000-0000-4000-8000-000000000000'`, 'services_by_category'],
  ])('a page where %s is read from %s without sorting', async (where, index) => {
    const plan = await explain(
      `select from services where ${where} order by created_at desc, id desc limit 20`,
    );
    expect(plan).toContain(`Scan using ${index}`);
    expect(plan).not.toContain('Sort');
  });

  test('titles that begin with a text are found by services_by_title', async () => {
    expect(await explain(`select from services where lower(title) like lower('Plain%')`)).toContain(
      'services_by_title',
    );
  });

  async function explain(query: string): Promise<string> {
    const client = new Client({ connectionString: listed.testDatabase.superuserUrl });
    await client.connect();
    try {
      await client.query('set enable_seqscan = off; set enable_sort = off; set enable_bitmapscan = off');
      const { rows } = await client.query<Record<'QUERY PLAN', string>>(`explain ${query}`);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    } finally {
      await client.end();
    }
  }
});

describe('changing', () => {
  test('a change touches what it names, counts the version up and records who', async () => {
    const { id, shown } = await create({ contentUrl, summary: 'S' });
    const answer = await request(
      'PATCH',
      `/services/${id}`,
      { title: 'New', contentUrl: null },
      { 'x-actor': 'bob' },
    );
    expect([answer.status, answer.headers['etag']]).toEqual([200, '"2"']);
    expect(answer.body).toEqual({
      ...shown,
      title: 'New',
      contentUrl: null,
      version: 2,
      updatedBy: 'bob',
      updatedAt: expect.any(String),
    });
  });

  test('If-Match lets a change through only on the version it names', async () => {
    const { id } = await create();
    const change = (tag: string) => request('PATCH', `/services/${id}`, { title: tag }, { 'if-match': tag });
    expect((await change('"1"')).status).toBe(200);
    const late = await change('"1"');
    expect(late.body).toMatchObject({
      type: 'urn:lockstep:problem:version-changed',
      status: 412,
      detail: 'its ETag is "2" now; read it again',
    });
    expect((await change('*')).status).toBe(200);
    expect((await change('"1", "3"')).status).toBe(200);
    expect((await change('W/"4"')).status).toBe(400);
    expect((await request('POST', `/services/${id}/publish`, undefined, { 'if-match': '"1"' })).status).toBe(
      412,
    );
  });

  test('of 10 changes at once on one version, one succeeds', async () => {
    const { id } = await create();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        request('PATCH', `/services/${id}`, { title: `T${n}` }, { 'if-match': '"1"' }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(412)]);
  });

  test('a slug that another service has is refused', async () => {
    const [one, two] = [await create(), await create()];
    expect((await request('PATCH', `/services/${one.id}`, { slug: two.slug })).status).toBe(409);
  });

  test('an empty change, and one of what is not settable, are refused', async () => {
    const { id } = await create();
    for (const body of [{}, { status: 'published' }, { version: 7 }, { id }, [], 'null', '"x"']) {
      expect([body, (await request('PATCH', `/services/${id}`, body)).status]).toEqual([body, 400]);
    }
    expect(
      (await request('PATCH', '/services/00000000-0000-4000-8000-000000000000', { title: 'T' })).status,
    ).toBe(404);
  });
});

describe('the publishing workflow', () => {
  test('draft, published, archived: each step records who and when', async () => {
    const { id } = await create({ contentUrl });
    const published = await request('POST', `/services/${id}/publish`, undefined, { 'x-actor': 'paula' });
    expect([published.status, published.headers['etag']]).toEqual([200, '"2"']);
    expect(published.body).toMatchObject({
      status: 'published',
      publishedBy: 'paula',
      updatedBy: 'paula',
      archivedAt: null,
    });
    expect(Date.now() - Date.parse(published.text('publishedAt'))).toBeLessThan(10_000);

    const archived = await request('POST', `/services/${id}/archive`, undefined, { 'x-actor': 'arthur' });
    expect(archived.status).toBe(200);
    expect(archived.body).toMatchObject({
      status: 'archived',
      publishedBy: 'paula',
      publishedAt: published.at('publishedAt'),
      archivedBy: 'arthur',
      archivedAt: expect.any(String),
    });
  });

  test('no other step is possible, and an archived service is never changed', async () => {
    const { id } = await create({ contentUrl });
    const step = async (verb: string) => {
      const answer = await request('POST', `/services/${id}/${verb}`);
      return [answer.status, answer.at('type')];
    };
    const refused = [409, 'urn:lockstep:problem:transition-refused'];
    expect(await step('archive')).toEqual(refused);
    expect((await step('publish'))[0]).toBe(200);
    expect((await step('publish'))[0]).toBe(409);
    expect((await request('PATCH', `/services/${id}`, { contentUrl: null })).status).toBe(422);
    expect((await step('archive'))[0]).toBe(200);
    expect(await step('publish')).toEqual(refused);
    expect((await step('archive'))[0]).toBe(409);
    const change = await request('PATCH', `/services/${id}`, { title: 'Too late' });
    expect([change.status, change.at('type')]).toEqual([409, 'urn:lockstep:problem:archived-is-final']);
  });

  test('a service without content is not published', async () => {
    const { id } = await create();
    const answer = await request('POST', `/services/${id}/publish`);
    expect([answer.status, answer.at('type')]).toEqual([422, 'urn:lockstep:problem:content-missing']);
    expect((await request('GET', `/services/${id}`)).body).toMatchObject({ status: 'draft', version: 1 });
  });

  test('a service that is not there is 404', async () => {
    expect((await request('POST', '/services/00000000-0000-4000-8000-000000000000/publish')).status).toBe(
      404,
    );
  });
});
