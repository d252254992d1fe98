// Measures what a developer waits for, on a stack of its own: `npm run bench`. Prints medians and ranges in
// milliseconds, and each case's ratio to a bare Node start measured in the same rounds.
import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = join(dirname(fileURLToPath(import.meta.url)), '..');
const rounds = Number(process.argv[2] ?? 5);
const folder = await mkdtemp(join(tmpdir(), 'lockstep-bench-'));
// Reachable for the user that Postgres runs as when this runs as root.
await chmod(folder, 0o755);

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const environment = { ...process.env, ENGINE: 'embedded' };
for (const name of ['POSTGRES_PORT', 'VAULT_PORT', 'SERVICES_API_PORT', 'CONTENT_API_PORT']) {
  environment[name] = String(await freePort());
}

/** Runs a program to its end; returns its milliseconds. Fails loudly: a bench of errors measures nothing. */
const run = (program, args, { wanted = 0, env = environment } = {}) =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let output = '';
    const child = spawn(program, args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', reject).once('close', (status) => {
      if (status === wanted) resolve(performance.now() - startedAt);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${status}:\n${output}`));
    });
  });

const stack = (...args) => run(process.execPath, [join(project, 'scripts/dist/stack.js'), ...args]);

for (const file of [
  'compose.yaml',
  'compose.override.yaml',
  'vault/policies',
  'services-api/migrations',
  'content-api/migrations',
]) {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await cp(join(project, file), join(folder, file), { recursive: true });
}
for (const built of ['migrations', 'vault', 'services-api', 'content-api']) {
  await mkdir(join(folder, built), { recursive: true });
  await symlink(join(project, built, 'dist'), join(folder, built, 'dist'));
}

const samples = new Map();
const sample = async (name, work) => {
  const milliseconds = await work();
  samples.set(name, [...(samples.get(name) ?? []), milliseconds]);
};

try {
  for (let round = 0; round < rounds; round++) {
    await sample('bare node start', () => run(process.execPath, ['-e', '0']));
    await sample('up, no data', () => stack('up'));
    await sample('up again, nothing to do', () => stack('up'));
    const credentials = join(folder, '.lockstep/embedded/volumes/services-api-migrator');
    const noop = {
      ...process.env,
      VAULT_ADDR: `http://127.0.0.1:${environment.VAULT_PORT}`,
      VAULT_ROLE_ID_FILE: join(credentials, 'role_id'),
      VAULT_SECRET_ID_FILE: join(credentials, 'secret_id'),
      VAULT_SECRET_PATH: 'secret/data/services-api/migrator',
      MIGRATION_SERVICE: 'services-api',
      MIGRATION_ENVIRONMENT: 'development',
      MIGRATIONS_PATH: join(folder, 'services-api/migrations'),
    };
    const migrate = join(project, 'migrations/dist/migrate.cjs');
    await sample('migrate up, nothing to do, with Vault', () =>
      run(process.execPath, [migrate, 'up'], { env: noop }),
    );
    const token = (await readFile(join(folder, '.env'), 'utf8')).match(/^VAULT_ROOT_TOKEN=(.*)$/m)[1];
    const answer = await fetch(`${noop.VAULT_ADDR}/v1/secret/data/services-api/migrator`, {
      headers: { 'X-Vault-Token': token },
    });
    const direct = {
      PATH: process.env.PATH,
      DATABASE_CONNECTION_STRING: (await answer.json()).data.data.connection_string,
      MIGRATIONS_PATH: noop.MIGRATIONS_PATH,
    };
    await sample('migrate up, nothing to do, without Vault', () =>
      run(process.execPath, [migrate, 'up'], { env: direct }),
    );
    await sample('status', () => stack('status'));
    await sample('reset', () => stack('reset'));
    await sample('down', () => stack('down'));
    await sample('up, data kept', () => stack('up'));
    await stack('down', '--volumes');
  }
} finally {
  await stack('down', '--volumes').catch(() => {});
  await rm(folder, { recursive: true, force: true });
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const bare = median(samples.get('bare node start'));
console.log(`${rounds} rounds, milliseconds, whole processes`);
for (const [name, values] of samples) {
  const range = `${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)}`;
  console.log(
    `${name.padEnd(42)} ${median(values).toFixed(0).padStart(6)}  (${range})  ${(median(values) / bare).toFixed(1)} × bare`,
  );
}
