import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { type Files, onTerminal, setTable } from './support.ts';

const files: Files = {
  '000001_a.up.sql': 'create table a (id int);\n',
  '000001_a.down.sql': 'drop table a;\n',
  '000002_b.up.sql': 'create table b (id int);\nalter table a add column x int;\n',
  '000002_b.down.sql': 'drop table b;\nalter table a drop column x;\n',
};

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Received {
  readonly labels: Record<string, string>;
  readonly event: Record<string, unknown>;
  readonly headers: IncomingMessage['headers'];
}

/** Stands where Loki would; what it answers is up to each test. */
async function listen(answer: (response: ServerResponse, count: number) => void) {
  const received: Received[] = [];
  let count = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      count += 1;
      const { streams } = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString());
      expect(request.url).toBe('/loki/api/v1/push');
      received.push({
        labels: streams[0].stream,
        event: JSON.parse(streams[0].values[0][1]),
        headers: request.headers,
      });
      answer(response, count);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

const says = (status: number) => (response: ServerResponse) => void response.writeHead(status).end();
const spooled = async (path: string) =>
  (await readFile(path, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

test('each operation is told of at its start and its end, with the tables it changed', async () => {
  const bench = await setTable(files);
  const loki = await listen(says(204));
  const environment = {
    MIGRATION_AUDIT_URL: loki.url.replace('http://', 'http://tenant:t%40ken@'),
    CORRELATION_ID: 'deploy-7',
    USER_ID: 'ada',
    TRACE_ID: 'trace\u0007-1',
  };
  expect((await bench.migrate(['up', '--dry-run'], environment)).status).toBe(0);
  expect((await bench.migrate(['up'], environment)).status).toBe(0);
  expect((await bench.migrate(['up'], environment)).status).toBe(0);
  expect((await bench.migrate(['down'], environment)).status).toBe(0);
  await bench.write({ '000002_b.up.sql': 'create table b (id itn);\n' });
  const failed = await bench.migrate(['up'], environment);
  expect(failed.status).toBe(1);
  expect(
    loki.received.map(({ event }) => [event['operation_type'], event['outcome'], event['migration_version']]),
  ).toEqual([
    ['MIGRATION_EXECUTE', 'started', '2'],
    ['MIGRATION_EXECUTE', 'succeeded', '2'],
    ['MIGRATION_ROLLBACK', 'started', '1'],
    ['MIGRATION_ROLLBACK', 'succeeded', '1'],
    ['MIGRATION_EXECUTE', 'started', '2'],
    ['MIGRATION_EXECUTE', 'failed', ''],
  ]);
  expect(loki.received[1]?.event).toMatchObject({
    environment: 'development',
    correlation_id: 'deploy-7',
    user_id: 'ada',
    trace_id: 'trace-1',
    service: 'shop',
    migration_details: {
      approach: 'aggressive',
      backup_status: 'skipped',
      validation_result: 'skipped',
      affected_tables: ['public.a', 'public.b'],
      error: null,
    },
  });
  expect(loki.received[5]?.event).toMatchObject({
    migration_details: { error: { code: 'migration-failed' } },
  });
  expect(loki.received[1]?.labels).toEqual({
    job: 'lockstep-migrate',
    service: 'shop',
    environment: 'development',
    operation_type: 'MIGRATION_EXECUTE',
    outcome: 'succeeded',
  });
  expect(loki.received[0]?.headers.authorization).toBe(
    `Basic ${Buffer.from('tenant:t@ken').toString('base64')}`,
  );
  expect(failed.stderr).not.toMatch(/t@ken|t%40ken/);
  expect(new Set(loki.received.map(({ event }) => event['audit_id'])).size).toBe(6);
});

test('the log stream of a container has every event as one line of JSON', async () => {
  const bench = await setTable(files);
  const { stderr } = await bench.migrate(['up'], { LOG_FORMAT: 'json' });
  const events = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .flatMap(({ audit }) => audit ?? []);
  expect(events).toMatchObject([{ outcome: 'started' }, { outcome: 'succeeded', migration_version: '2' }]);
});

test.each([
  ['answers 500', says(500), /did not take an event: it answered 500; it is kept in .*spool\.ndjson$/m],
  ['answers 429', says(429), /it answered 429/],
  ['answers 401', says(401), /it answered 401; it is kept in/],
  ['hangs', () => {}, /no answer within 2 s/],
])(
  'a sink that %s costs no migration; the events wait, and go first the next time',
  async (_name, answer, words) => {
    const bench = await setTable(files);
    const spool = join(bench.folder, 'spool.ndjson');
    const broken = await listen(answer);
    const ended = await bench.migrate(['up'], {
      MIGRATION_AUDIT_URL: broken.url,
      MIGRATION_AUDIT_SPOOL: spool,
    });
    expect(ended.status).toBe(0);
    expect(ended.stderr).toMatch(words);
    expect(await spooled(spool)).toMatchObject([{ outcome: 'started' }, { outcome: 'succeeded' }]);
    const works = await listen(says(204));
    const later = await bench.migrate(['down'], {
      MIGRATION_AUDIT_URL: works.url,
      MIGRATION_AUDIT_SPOOL: spool,
    });
    expect(later.stderr).toMatch(/sent 2 earlier audit events that had waited/);
    expect(works.received.map(({ event }) => `${event['operation_type']} ${event['outcome']}`)).toEqual([
      'MIGRATION_EXECUTE started',
      'MIGRATION_EXECUTE succeeded',
      'MIGRATION_ROLLBACK started',
      'MIGRATION_ROLLBACK succeeded',
    ]);
    expect((await readdir(bench.folder)).filter((name) => name.startsWith('spool'))).toEqual([]);
  },
);

test('a sink that is busy for a moment gets the event all the same', async () => {
  const bench = await setTable(files);
  const busy = await listen(
    (response, count) =>
      void (count === 1 ? response.writeHead(429, { 'retry-after': '1' }) : response.writeHead(204)).end(),
  );
  const ended = await bench.migrate(['up'], { MIGRATION_AUDIT_URL: busy.url });
  expect({ status: ended.status, stderr: ended.stderr }).toEqual({
    status: 0,
    stderr: expect.not.stringMatching(/did not take/),
  });
  expect(busy.received).toHaveLength(3);
});

test('what a sink will never take is set aside, and does not hold up the rest', async () => {
  const bench = await setTable(files);
  const spool = join(bench.folder, 'spool.ndjson');
  await writeFile(spool, 'cut sh');
  const refusing = await listen(says(400));
  const ended = await bench.migrate(['up'], {
    MIGRATION_AUDIT_URL: refusing.url,
    MIGRATION_AUDIT_SPOOL: spool,
  });
  expect(ended.stderr).toMatch(/it answered 400; it is kept in .*spool\.ndjson\.rejected/);
  const kept = (await readFile(`${spool}.rejected`, 'utf8')).trim().split('\n');
  expect(kept[0]).toBe('cut sh');
  expect(kept).toHaveLength(3);
  expect(await spooled(spool)).toEqual([]);
});

test('conservative insists on a sink that is named, and changes nothing without', async () => {
  const bench = await setTable(files);
  const environment = {
    MIGRATION_ENVIRONMENT: 'production',
    MIGRATION_BACKUP: 'none',
    MIGRATION_VALIDATION: 'minimal',
    MIGRATION_APPROVAL: 'none',
    MIGRATION_AUDIT_URL: 'http://127.0.0.1:9',
    MIGRATION_AUDIT_SPOOL: join(bench.folder, 'spool.ndjson'),
  };
  const refused = await bench.migrate(['up'], environment);
  expect(refused.status).toBe(3);
  expect(refused.stderr).toMatch(
    /the audit sink http:\/\/127\.0\.0\.1:9 does not take events, and the conservative strategy insists on it/,
  );
  expect(await bench.value("select to_regclass('a') is null")).toBe(true);
});

test('F16.7 a person reads text also through a pipe; without any terminal events are JSON', async () => {
  const bench = await setTable(files);
  const person = await onTerminal(bench, 'up 2>&1 | cat', '', { MIGRATION_ENVIRONMENT: 'development' });
  expect(person.shown).toMatch(/shop: 2 migrations applied, from none to 2/);
  expect(person.shown).not.toContain('"level"');
  const machine = await bench.migrate(['down'], { LOG_FORMAT: '' });
  for (const line of machine.stderr.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('level');
});

test.each([0o077, 0o000])(
  'F16.11 what others read has the same mode whatever the umask: %i',
  async (mask) => {
    const bench = await setTable(files);
    const names = ['outputs', 'migrate.prom', 'plan.json'];
    const [outputs = '', metrics = '', plan = ''] = names.map((name) => join(bench.folder, name));
    const before = process.umask(mask);
    try {
      await bench.migrate(['plan', '--out', plan], {});
      await bench.migrate(['up'], { GITHUB_OUTPUT: outputs, MIGRATION_METRICS: metrics });
    } finally {
      process.umask(before);
    }
    for (const path of [outputs, metrics, plan]) expect((await stat(path)).mode & 0o777, path).toBe(0o644);
    // A file of somebody else's keeps what it has.
    await chmod(outputs, 0o600);
    await bench.migrate(['up'], { GITHUB_OUTPUT: outputs });
    expect((await stat(outputs)).mode & 0o777).toBe(0o600);
  },
);

test('F16.11 by default privileges an app role reads all of the history but the down SQL', async () => {
  const bench = await setTable({
    '1_a.up.sql': 'create table a ()',
    '1_a.down.sql': "drop table a; -- 'secret'",
  });
  await bench.migrate(['up']);
  const rights = await bench.rows(
    `select attname, has_column_privilege('${bench.database.app}', attrelid, attnum, 'SELECT') as reads,
       has_column_privilege('${bench.database.app}', attrelid, attnum, 'INSERT,UPDATE') as writes
     from pg_attribute where attrelid = 'schema_migrations_history'::regclass and attnum > 0 order by attname`,
  );
  expect(rights).toEqual(
    ['applied_at', 'checksum', 'description', 'down_sql', 'duration', 'statements_applied', 'version'].map(
      (name) => [name, name !== 'down_sql', false],
    ),
  );
  // Also for a recreate, whose database is made from nothing.
  await bench.migrate(['recreate']);
  const read = `select has_column_privilege('${bench.database.app}', 'schema_migrations_history', 'down_sql', 'SELECT')`;
  expect(await bench.value(read)).toBe(false);
});

test('a pipeline reads how it ended, and a collector its metrics', async () => {
  const bench = await setTable(files);
  const [outputs, metrics] = [join(bench.folder, 'outputs'), join(bench.folder, 'migrate.prom')];
  const environment = { GITHUB_OUTPUT: outputs, MIGRATION_METRICS: metrics };
  await bench.migrate(['up'], environment);
  expect(await readFile(outputs, 'utf8')).toBe(
    'postgresMigrationStatus=success\nschemaValidationResult=not-checked\nmigrationExitStatus=0\nmigrationErrorCode=\nmigrationVersion=2\nmigrationSteps=2\nmigrationBackup=\n',
  );
  expect(await readFile(metrics, 'utf8')).toMatch(
    /lockstep_migrate_success\{service="shop",command="up"\} 1\n[\s\S]*lockstep_migrate_step_duration_seconds\{service="shop",command="up",version="2",direction="up"\} 0(?:\.\d+)?\n/,
  );
  await bench.migrate(['verify'], environment);
  expect(await readFile(outputs, 'utf8')).toMatch(/schemaValidationResult=compliant\n/);
  await bench.database.query('create table stray ()');
  await bench.migrate(['verify', '--strict'], environment);
  await bench.migrate(['status'], environment);
  const lines = (await readFile(outputs, 'utf8')).split('\n');
  expect(lines.filter((line) => line.startsWith('schemaValidationResult='))).toEqual([
    'schemaValidationResult=not-checked',
    'schemaValidationResult=compliant',
    'schemaValidationResult=non-compliant',
  ]);
  expect(lines).toContain('migrationErrorCode=not-compliant');
  expect(await readFile(metrics, 'utf8')).toMatch(
    /lockstep_migrate_exit_status\{service="shop",command="verify"\} 6/,
  );
  const counted = (await readFile(metrics, 'utf8'))
    .split('\n')
    .filter((line) => /^lockstep_migrate_runs_total/.test(line));
  expect(counted).toEqual([
    'lockstep_migrate_runs_total{service="shop",command="up",outcome="success"} 1',
    'lockstep_migrate_runs_total{service="shop",command="verify",outcome="success"} 1',
    'lockstep_migrate_runs_total{service="shop",command="verify",outcome="failure"} 1',
  ]);
  const closed = await bench.migrate(['down'], { MIGRATION_OUTPUTS: join(bench.folder, 'no/such') });
  expect(closed.status).toBe(0);
  expect(closed.stderr).toMatch(/the outputs were not written to .*no such file/i);
});
