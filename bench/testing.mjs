// Measures databases for tests: `node bench/testing.mjs [--workers 2] [--databases 200]`. Each worker takes a database, uses it as a
// short test would, and drops it, again and again; printed are the times of createTestDatabase alone, the first call apart.
import { fork } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startPostgres } from './migrator/server.mjs';
import { project } from './stack-copy.mjs';

const self = fileURLToPath(import.meta.url);
if (process.send !== undefined) await work(JSON.parse(process.argv[2]));
else await measure();

async function work({ superuserUrl, databases, testMilliseconds }) {
  const { closeTesting, createTestDatabase } = await import('../testing/dist/index.js');
  const { default: pg } = await import('pg');
  const options = { service: 'services-api', project, server: { superuserUrl }, seeds: false };
  const first = performance.now();
  await (await createTestDatabase(options)).drop();
  const times = { first: performance.now() - first, taken: [], dropped: [] };
  for (let turn = 0; turn < databases; turn++) {
    const before = performance.now();
    const database = await createTestDatabase(options);
    times.taken.push(performance.now() - before);
    const client = new pg.Client({ connectionString: database.appUrl });
    await client.connect();
    await client.query('select count(*) from services');
    await client.end();
    await new Promise((resolve) => setTimeout(resolve, testMilliseconds));
    const dropping = performance.now();
    await database.drop();
    times.dropped.push(performance.now() - dropping);
  }
  await closeTesting();
  process.send(times);
  process.disconnect();
}

async function measure() {
  const { values } = parseArgs({
    options: {
      workers: { type: 'string', default: '2' },
      databases: { type: 'string', default: '200' },
      test: { type: 'string', default: '300' },
    },
  });
  const [workers, databases, testMilliseconds] = [values.workers, values.databases, values.test].map(Number);
  if (![workers, databases, testMilliseconds].every((number) => number >= 1)) {
    console.error('usage: node bench/testing.mjs [--workers 2] [--databases 200] [--test 300]');
    process.exit(2);
  }
  const server = await startPostgres();
  try {
    const given = JSON.stringify({
      superuserUrl: server.urlOf('postgres').replace('postgres@', 'postgres:any@'),
      databases,
      testMilliseconds,
    });
    const all = await Promise.all(
      Array.from({ length: workers }, () => {
        const child = fork(self, [given]);
        return new Promise((resolve, reject) => {
          child.once('message', resolve).once('error', reject);
          child.once('close', (status) => status !== 0 && reject(new Error(`a worker ended with ${status}`)));
        });
      }),
    );
    console.log(
      `${cpus()[0].model.trim()}, ${cpus().length} cores; ${workers} workers, ${databases} databases each, tests of ${testMilliseconds} ms`,
    );
    print(
      'the first of a process',
      all.map(({ first }) => first),
    );
    print(
      'createTestDatabase',
      all.flatMap(({ taken }) => taken),
    );
    print(
      'drop',
      all.flatMap(({ dropped }) => dropped),
    );
  } finally {
    await server.stop();
  }
}

function print(what, times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1);
  console.log(
    `${what.padEnd(24)} p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms (${sorted.length})`,
  );
}
