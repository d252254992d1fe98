import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { at, type Json, textAt } from '../../test/support/json.ts';
import { openService, type TestService } from '../../test/support/service-app.ts';
import { contentApi } from '../src/index.ts';

let service: TestService;
let request: TestService['request'];
let sequence = 0;

beforeAll(async () => {
  service = await openService(contentApi);
  ({ request } = service);
});

afterAll(() => service.close());

const nowhere = '00000000-0000-4000-8000-000000000000';

function input(more: Record<string, unknown> = {}): Record<string, unknown> {
  sequence += 1;
  return {
    blobUrl: `https://blobs.example/content/${sequence}`,
    sha256: sequence.toString(16).padStart(64, '0'),
    mimeType: 'image/png',
    sizeBytes: 42,
    ...more,
  };
}

async function register(more: Record<string, unknown> = {}): Promise<string> {
  const answer = await request('POST', '/content', input(more));
  expect(answer.status).toBe(201);
  return answer.text('id');
}

/** Scans content once, with the given result. */
async function scan(id: string, verdict: string): Promise<void> {
  const started = await request('POST', `/content/${id}/scans`, { scanner: 'clamav' });
  expect(started.status).toBe(201);
  const result = verdict === 'infected' ? { verdict, threat: 'Eicar-Test' } : { verdict };
  expect((await request('PUT', `/content/${id}/scans/${started.text('id')}/result`, result)).status).toBe(
    200,
  );
}

async function accesses(id: string): Promise<Json | undefined> {
  return (await request('GET', `/content/${id}/statistics`)).at('accesses');
}

describe('registering', () => {
  test('content begins as pending, in the best backend, without showing where it lies', async () => {
    const asked = input({ sizeBytes: 5_497_558_138_880 });
    const answer = await request('POST', '/content', asked, { 'x-actor': 'uploader' });
    const id = answer.text('id');
    expect([answer.status, answer.headers['location']]).toEqual([201, `/content/${id}`]);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      sha256: asked['sha256'],
      mimeType: 'image/png',
      sizeBytes: 5_497_558_138_880,
      scanStatus: 'pending',
      scannedAt: null,
      backend: 'primary',
      registeredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      registeredBy: 'uploader',
    });
    expect((await request('GET', `/content/${id}/record`)).body).toEqual(answer.body);
  });

  test('the backend is the one that is named, else the one whose URL the blob begins with', async () => {
    const blobUrl = 'https://secondary.blob.example/x';
    expect((await request('POST', '/content', input({ blobUrl }))).at('backend')).toBe('secondary');
    expect((await request('POST', '/content', input({ backend: 'secondary' }))).at('backend')).toBe(
      'secondary',
    );
    const unknown = await request('POST', '/content', input({ backend: 'tertiary' }));
    expect([unknown.status, unknown.at('detail')]).toEqual([422, 'there is no active backend tertiary']);
  });

  test('of 20 registrations of one blob at once, one succeeds', async () => {
    const asked = input();
    const answers = await Promise.all(Array.from({ length: 20 }, () => request('POST', '/content', asked)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    expect(answers.find(({ status }) => status === 409)?.at('type')).toBe(
      'urn:lockstep:problem:blob-registered',
    );
  });

  test.each([
    [{ sha256: 'A'.repeat(64) }, '/sha256'],
    [{ sha256: 'a'.repeat(63) }, '/sha256'],
    [{ sha256: `${'a'.repeat(64)}\n` }, '/sha256'],
    [{ mimeType: 'image' }, '/mimeType'],
    [{ mimeType: 'text/html; charset=utf-8' }, '/mimeType'],
    [{ mimeType: `text/${'x'.repeat(130)}` }, '/mimeType'],
    [{ sizeBytes: -1 }, '/sizeBytes'],
    [{ sizeBytes: 1.5 }, '/sizeBytes'],
    [{ sizeBytes: '42' }, '/sizeBytes'],
    [{ sizeBytes: 5_497_558_138_881 }, '/sizeBytes'],
    [{ sizeBytes: 1e300 }, '/sizeBytes'],
    [{ blobUrl: 'http://blobs.example/x' }, '/blobUrl'],
    [{ blobUrl: 'https://blobs.example/x?sv=1&sig=secret' }, '/blobUrl'],
    [{ blobUrl: 'https://user:pw@blobs.example/x' }, '/blobUrl'],
    [{ blobUrl: 'https://blobs.example/\u0000' }, '/blobUrl'],
    [{ blobUrl: `https://blobs.example/${'x'.repeat(2048)}` }, '/blobUrl'],
    [{ backend: `'; drop table content; --` }, '/backend'],
    [{ scanStatus: 'clean' }, '/scanStatus'],
  ])('%j is refused', async (more, pointer) => {
    const answer = await request('POST', '/content', input(more));
    expect(answer.status).toBe(400);
    expect(answer.list('errors').map((error) => at(error, 'pointer'))).toContain(pointer);
  });
});

describe('the scan lifecycle', () => {
  test('pending, scanning, clean: only then it is served, with where it lies', async () => {
    const asked = input();
    const id = (await request('POST', '/content', asked)).text('id');
    const refusal = async () => {
      const answer = await request('GET', `/content/${id}`);
      expect(JSON.stringify(answer.body)).not.toContain('blobs.example');
      return [answer.status, answer.at('type'), answer.at('detail')];
    };
    expect(await refusal()).toEqual([409, 'urn:lockstep:problem:not-scanned', 'its scan status is pending']);

    const started = await request(
      'POST',
      `/content/${id}/scans`,
      { scanner: 'clamav 1.4' },
      { 'x-actor': 'scanner' },
    );
    expect(started.status).toBe(201);
    expect(started.body).toEqual({
      id: expect.any(String),
      contentId: id,
      scanner: 'clamav 1.4',
      startedAt: expect.any(String),
      startedBy: 'scanner',
      finishedAt: null,
      finishedBy: null,
      verdict: null,
      threat: null,
      blobUrl: asked['blobUrl'],
    });
    expect(await refusal()).toEqual([409, 'urn:lockstep:problem:not-scanned', 'its scan status is scanning']);

    const result = await request('PUT', `/content/${id}/scans/${started.text('id')}/result`, {
      verdict: 'clean',
    });
    expect(result.body).toMatchObject({
      verdict: 'clean',
      finishedBy: 'anonymous',
      finishedAt: expect.any(String),
    });

    const served = await request('GET', `/content/${id}`);
    expect([served.status, served.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(served.body).toEqual({
      id,
      sha256: asked['sha256'],
      mimeType: 'image/png',
      sizeBytes: 42,
      blobUrl: asked['blobUrl'],
      scanStatus: 'clean',
      scannedAt: result.at('finishedAt'),
      backend: 'primary',
      backendHealth: 'healthy',
      registeredAt: expect.any(String),
      registeredBy: 'anonymous',
    });
  });

  test('infected content is never served, never scanned again, and its attempts are not logged', async () => {
    const id = await register();
    await scan(id, 'infected');
    const answer = await request('GET', `/content/${id}`);
    expect([answer.status, answer.at('type'), answer.at('detail')]).toEqual([
      410,
      'urn:lockstep:problem:infected',
      'a scan found it infected',
    ]);
    const again = await request('POST', `/content/${id}/scans`, { scanner: 'clamav' });
    expect([again.status, again.at('type')]).toEqual([409, 'urn:lockstep:problem:infected-is-final']);
    expect(await accesses(id)).toBe(0);
    const history = await request('GET', `/content/${id}/scans`);
    expect(history.body).toMatchObject({
      scanStatus: 'infected',
      items: [{ verdict: 'infected', threat: 'Eicar-Test' }],
    });
  });

  test('clean content whose bytes turn out infected under another URL is not served any more', async () => {
    const sha256 = 'e'.repeat(64);
    const [clean, twin] = [await register({ sha256 }), await register({ sha256 })];
    await scan(clean, 'clean');
    expect((await request('GET', `/content/${clean}`)).status).toBe(200);
    await scan(twin, 'infected');
    const answer = await request('GET', `/content/${clean}`);
    expect([answer.status, answer.at('detail')]).toEqual([
      410,
      'the same bytes were found infected elsewhere',
    ]);
  });

  test('clean content can be scanned again, and is not served meanwhile', async () => {
    const id = await register();
    await scan(id, 'clean');
    const started = await request('POST', `/content/${id}/scans`, { scanner: 'clamav' });
    expect((await request('GET', `/content/${id}`)).status).toBe(409);
    await request('PUT', `/content/${id}/scans/${started.text('id')}/result`, {
      verdict: 'infected',
      threat: 'New',
    });
    expect((await request('GET', `/content/${id}`)).status).toBe(410);
  });

  test('a failed scan says nothing: the content is pending again', async () => {
    const id = await register();
    await scan(id, 'failed');
    expect((await request('GET', `/content/${id}/record`)).body).toMatchObject({
      scanStatus: 'pending',
      scannedAt: null,
    });
    await scan(id, 'clean');
    expect((await request('GET', `/content/${id}`)).status).toBe(200);
  });

  test('of 20 scans started at once, one is', async () => {
    const id = await register();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => request('POST', `/content/${id}/scans`, { scanner: 'clamav' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    expect(answers.find(({ status }) => status === 409)?.at('type')).toBe('urn:lockstep:problem:scan-open');
  });

  test('of 10 opposite results at once, one counts, and infected or not, the record agrees', async () => {
    const id = await register();
    const started = await request('POST', `/content/${id}/scans`, { scanner: 'clamav' });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        request(
          'PUT',
          `/content/${id}/scans/${started.text('id')}/result`,
          n % 2 === 0 ? { verdict: 'clean' } : { verdict: 'infected', threat: 'T' },
        ),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)]);
    const winner = answers.find(({ status }) => status === 200)?.at('verdict');
    expect((await request('GET', `/content/${id}/record`)).at('scanStatus')).toBe(winner);
  });

  test('a result is refused for a scan that is not there, or that is of other content', async () => {
    const [one, two] = [await register(), await register()];
    const started = await request('POST', `/content/${one}/scans`, { scanner: 'clamav' });
    const put = (id: string, scanId: string) =>
      request('PUT', `/content/${id}/scans/${scanId}/result`, { verdict: 'clean' });
    expect((await put(two, started.text('id'))).status).toBe(404);
    expect((await put(one, nowhere)).status).toBe(404);
    expect((await put(nowhere, started.text('id'))).status).toBe(404);
    expect((await request('POST', `/content/${nowhere}/scans`, { scanner: 'x' })).status).toBe(404);
  });

  test.each([
    [{}, '/verdict', 'is required'],
    [{ verdict: 'pending' }, '/verdict', 'must be one of clean, infected, failed'],
    [{ verdict: 'infected' }, '/threat', 'is required'],
    [{ verdict: 'clean', threat: 'T' }, '/threat', 'is not allowed with the other values'],
    [
      { verdict: 'infected', threat: '\u0000' },
      '/threat',
      expect.stringContaining('must be one line of text'),
    ],
  ])('the result %j is refused', async (result, pointer, detail) => {
    const id = await register();
    const started = await request('POST', `/content/${id}/scans`, { scanner: 'clamav' });
    const answer = await request('PUT', `/content/${id}/scans/${started.text('id')}/result`, result);
    expect(answer.status).toBe(400);
    expect(answer.at('errors')).toContainEqual({ in: 'body', pointer, detail });
    expect(answer.at('errors')).toHaveLength(1);
  });
});

describe('accesses', () => {
  test('each read is logged with its reader, and the statistics count them by day', async () => {
    const id = await register();
    await scan(id, 'clean');
    for (const actor of ['a', 'b', 'a'])
      await request('GET', `/content/${id}`, undefined, { 'x-actor': actor });
    await service.testDatabase.query(
      `insert into content_access_log (content_id, accessed_at, accessed_by)
       values ($1, now() - interval '3 days', 'old'), ($1, now() - interval '400 days', 'ancient')`,
      [id],
    );
    const { body } = await request('GET', `/content/${id}/statistics?days=7`);
    const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
    expect(body).toEqual({
      contentId: id,
      days: 7,
      accesses: 4,
      readers: 3,
      lastAccessedAt: expect.any(String),
      byDay: [
        { day: day(3), accesses: 1, readers: 1 },
        { day: day(0), accesses: 3, readers: 2 },
      ],
    });
    expect((await request('GET', `/content/${id}/statistics?days=1`)).at('accesses')).toBe(3);
  });

  test('content that nobody read has statistics of zero', async () => {
    const id = await register();
    expect((await request('GET', `/content/${id}/statistics`)).body).toEqual({
      contentId: id,
      days: 30,
      accesses: 0,
      readers: 0,
      lastAccessedAt: null,
      byDay: [],
    });
    expect((await request('GET', `/content/${nowhere}/statistics`)).status).toBe(404);
  });

  test('20 reads at once are 20 accesses', async () => {
    const id = await register();
    await scan(id, 'clean');
    await Promise.all(Array.from({ length: 20 }, () => request('GET', `/content/${id}`)));
    expect(await accesses(id)).toBe(20);
  });

  test('HEAD is not an access', async () => {
    const id = await register();
    await scan(id, 'clean');
    const { status, headers } = await request('HEAD', `/content/${id}`);
    expect([status, headers['allow']]).toEqual([405, 'GET']);
    expect(await accesses(id)).toBe(0);
  });

  test.each(['0', '367', 'x', '1.5'])('the period of %s days is refused', async (days) => {
    expect((await request('GET', `/content/${nowhere}/statistics?days=${days}`)).status).toBe(400);
  });

  test('content that is not there is 404, an id that is none is 400, a bad actor is 400', async () => {
    expect((await request('GET', `/content/${nowhere}`)).status).toBe(404);
    expect((await request('GET', '/content/x')).status).toBe(400);
    expect((await request('GET', `/content/${nowhere}`, undefined, { 'x-actor': 'a b' })).status).toBe(400);
  });
});

describe('lists', () => {
  test('content is paged and filtered by scan status', async () => {
    const own = await openService(contentApi);
    try {
      await own.testDatabase.query(
        `insert into content (blob_url, sha256, mime_type, size_bytes, backend_id, registered_by)
         select 'https://blobs.example/' || n, md5(n::text) || md5(n::text), 'text/plain', n,
           (select id from storage_backends where priority = 1), 'x'
         from generate_series(1, 25) n`,
      );
      const ids = new Set<string>();
      let cursor = '';
      do {
        const answer = await own.request('GET', `/content?limit=10&scanStatus=pending${cursor}`);
        for (const item of answer.list('items')) ids.add(textAt(item, 'id'));
        cursor = answer.at('nextCursor') === null ? '' : `&cursor=${answer.text('nextCursor')}`;
      } while (cursor !== '');
      expect(ids.size).toBe(25);
      expect((await own.request('GET', '/content?scanStatus=clean')).body).toEqual({
        items: [],
        nextCursor: null,
      });
      expect((await own.request('GET', '/content?scanStatus=gone')).status).toBe(400);
    } finally {
      await own.close();
    }
  });

  test('the scan history is paged, newest first, and 404 for content that is not there', async () => {
    const id = await register();
    for (const verdict of ['failed', 'clean', 'clean']) await scan(id, verdict);
    const first = await request('GET', `/content/${id}/scans?limit=2`);
    const cursor = first.text('nextCursor');
    const second = await request('GET', `/content/${id}/scans?limit=2&cursor=${cursor}`);
    const verdicts = [...first.list('items'), ...second.list('items')].map((item) => at(item, 'verdict'));
    expect(verdicts).toEqual(['clean', 'clean', 'failed']);
    const other = await register();
    expect((await request('GET', `/content/${other}/scans?cursor=${cursor}`)).status).toBe(400);
    expect((await request('GET', `/content/${nowhere}/scans`)).status).toBe(404);
  });
});

describe('storage backends', () => {
  beforeEach(async () => {
    await request('PUT', '/backends/primary/health', { health: 'healthy' });
    await request('PUT', '/backends/secondary/health', { health: 'healthy' });
  });

  test('they are listed with health in order of preference', async () => {
    const { body } = await request(
      'PUT',
      '/backends/secondary/health',
      { health: 'degraded', note: 'slow' },
      { 'x-actor': 'probe' },
    );
    expect(body).toEqual({
      id: expect.any(String),
      name: 'secondary',
      baseUrl: 'https://secondary.blob.example/',
      priority: 2,
      active: true,
      health: 'degraded',
      healthNote: 'slow',
      healthCheckedAt: expect.any(String),
      healthCheckedBy: 'probe',
    });
    const items = (await request('GET', '/backends')).list('items');
    expect(items.map((item) => [at(item, 'name'), at(item, 'health')])).toEqual([
      ['primary', 'healthy'],
      ['secondary', 'degraded'],
    ]);
  });

  test('new content goes to a healthy backend before a preferred one', async () => {
    await request('PUT', '/backends/primary/health', { health: 'unavailable' });
    expect((await request('POST', '/content', input())).at('backend')).toBe('secondary');
  });

  test('content in an unavailable backend is 503 until it is back, and not logged', async () => {
    const id = await register({ backend: 'secondary' });
    await scan(id, 'clean');
    await request('PUT', '/backends/secondary/health', { health: 'unavailable' });
    const answer = await request('GET', `/content/${id}`);
    expect([answer.status, answer.at('type'), answer.at('detail'), answer.headers['retry-after']]).toEqual([
      503,
      'urn:lockstep:problem:backend-unavailable',
      'its backend is secondary',
      '30',
    ]);
    expect(await accesses(id)).toBe(0);
    await request('PUT', '/backends/secondary/health', { health: 'degraded' });
    expect((await request('GET', `/content/${id}`)).at('backendHealth')).toBe('degraded');
  });

  test('a backend is added and changed by name; an active priority is taken once', async () => {
    const put = (body: unknown) => request('PUT', '/backends/archive', body);
    const baseUrl = 'https://archive.blob.example/';
    const taken = await put({ baseUrl, priority: 1 });
    expect([taken.status, taken.at('type')]).toEqual([409, 'urn:lockstep:problem:priority-taken']);
    expect((await put({ baseUrl, priority: 1, active: false })).status).toBe(201);
    expect((await put({ baseUrl, priority: 1, active: true })).status).toBe(409);
    const changed = await put({ baseUrl, priority: 9 });
    expect([changed.status, changed.body]).toMatchObject([
      200,
      { name: 'archive', priority: 9, active: true, health: 'healthy' },
    ]);
    expect(changed.body).not.toHaveProperty('created');
  });

  test('what is no health, name or URL is refused', async () => {
    expect((await request('PUT', '/backends/primary/health', { health: 'fine' })).status).toBe(400);
    expect((await request('PUT', '/backends/nobody/health', { health: 'healthy' })).status).toBe(404);
    expect((await request('PUT', '/backends/No%2Fbody/health', { health: 'healthy' })).status).toBe(400);
    for (const baseUrl of [
      'https://a.example',
      'http://a.example/',
      'https://u@a.example/',
      'https://a.example/?x/',
    ]) {
      expect([baseUrl, (await request('PUT', '/backends/x', { baseUrl, priority: 50 })).status]).toEqual([
        baseUrl,
        400,
      ]);
    }
    for (const priority of [0, 1001, '5', 1.5, null]) {
      expect((await request('PUT', '/backends/x', { baseUrl: 'https://a.example/', priority })).status).toBe(
        400,
      );
    }
  });
});
