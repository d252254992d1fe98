// What a stack of many services takes: `node bench/services.mjs [--services 20] [--engine embedded|docker|podman]`. Adds services
// to a copy of the project until there are that many, starts all of them, and prints seconds and memory. Leaves nothing
// behind: on a container engine the images are its own, under a prefix of their own.
import { execFile, spawn } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { freePort, measuredEnvironment, project } from './stack-copy.mjs';

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '20' },
    engine: { type: 'string', default: 'embedded' },
    // Requests to each app at once, to see whether the database has a connection for all of them.
    clients: { type: 'string', default: '10' },
  },
});
const [services, clients] = [Number(values.services), Number(values.clients)];
const { engine } = values;
if (!Number.isInteger(services) || services < 2 || !['embedded', 'docker', 'podman'].includes(engine)) {
  console.error(
    'usage: node bench/services.mjs [--services 20] [--engine embedded|docker|podman] [--clients 10]',
  );
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'lockstep-services-'));
const name = basename(folder).toLowerCase();
// Reachable for the user that Postgres runs as when this runs as root.
await chmod(folder, 0o755);
const left = new Set(['node_modules', '.git', '.lockstep', '.env']);
for (const entry of await readdir(project)) {
  const filter = (source) => !left.has(basename(source));
  if (!left.has(entry)) await cp(join(project, entry), join(folder, entry), { recursive: true, filter });
}
await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));

const environment = {
  YES: '1',
  ...measuredEnvironment,
  ENGINE: engine,
  COMPOSE_PROJECT_NAME: name,
  LOCKSTEP_IMAGE_PREFIX: name,
};

/** Runs a program to its end; returns its seconds and what it printed. Fails loudly: a bench of errors measures nothing. */
const run = (program, args) =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let stdout = '';
    let output = '';
    const child = spawn(program, args, { env: environment, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      output += chunk;
    });
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', reject).once('close', (status) => {
      const seconds = (performance.now() - startedAt) / 1000;
      if (status === 0) resolve({ seconds, stdout });
      else reject(new Error(`${program} ${args.join(' ')} ended with ${status}:\n${output}`));
    });
  });
const stack = (...args) => run(process.execPath, ['scripts/dist/stack.js', ...args]);

/** Bytes that the processes of the stack hold: a page that several share counts in part for each (PSS). */
async function bytesOfProcesses() {
  const { supervisor } = JSON.parse(await readFile(join(folder, '.lockstep/embedded/state.json'), 'utf8'));
  const parents = new Map();
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const own = (pid) => pid === supervisor.pid || (parents.has(pid) && own(parents.get(pid)));
  const sums = { processes: 0, proportional: 0, resident: 0 };
  for (const pid of [...parents.keys()].filter(own)) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    const bytes = (field) => Number(new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) * 1024;
    sums.processes += 1;
    sums.proportional += bytes('Pss');
    sums.resident += bytes('Rss');
  }
  return sums;
}

const units = { B: 1, kB: 1e3, KB: 1e3, KiB: 2 ** 10, MB: 1e6, MiB: 2 ** 20, GB: 1e9, GiB: 2 ** 30 };

/** Bytes that the containers of the stack hold, as the engine states them. */
async function bytesOfContainers() {
  const ask = async (...args) => (await promisify(execFile)(engine, args)).stdout.trim().split('\n');
  const ids = await ask('ps', '--quiet', '--filter', `label=com.docker.compose.project=${name}`);
  const lines = await ask('stats', '--no-stream', '--format', '{{.MemUsage}}', ...ids);
  const bytes = lines.map((line) => {
    const [, amount, unit] = /^([\d.]+) ?([A-Za-z]+)/.exec(line) ?? [];
    return Number(amount) * (units[unit] ?? Number.NaN);
  });
  return { containers: ids.length, bytes: bytes.reduce((sum, one) => sum + one, 0) };
}

const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
const seconds = (value) => `${value.toFixed(1)} s`;
const report = (what, value) => console.log(`${what.padEnd(44)} ${value}`);

async function reportMemory(when) {
  if (engine === 'embedded') {
    const { processes, proportional, resident } = await bytesOfProcesses();
    report(
      `memory, ${when}, ${processes} processes`,
      `${megabytes(proportional)} (RSS ${megabytes(resident)})`,
    );
  } else {
    const { containers, bytes } = await bytesOfContainers();
    report(`memory, ${when}, ${containers} containers`, megabytes(bytes));
  }
}

/** Removes the images that this stack was made of. */
async function removeImages() {
  const { stdout } = await promisify(execFile)(engine, [
    'image',
    'ls',
    '--quiet',
    '--filter',
    `reference=${name}/*`,
  ]);
  const ids = [...new Set(stdout.trim().split('\n'))].filter((id) => id !== '');
  if (ids.length > 0) await promisify(execFile)(engine, ['image', 'rm', ...ids]);
}

/** Asks every app for a list `clients` times at once; returns how many answers had which status. */
async function ask(urls) {
  const answers = urls.flatMap((url) =>
    Array.from({ length: clients }, async () => (await fetch(url).catch(() => ({ status: 'none' }))).status),
  );
  const counts = {};
  for (const status of await Promise.all(answers)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

try {
  const names = Array.from({ length: services - 2 }, (_, index) => `service-${index + 1}`);
  const from = performance.now();
  for (const each of names) await stack('service', each);
  if (names.length > 0) report(`${names.length} services added`, seconds((performance.now() - from) / 1000));
  const built = await run(process.execPath, ['scripts/build.mjs', 'services-api', 'content-api', ...names]);
  report(`${services} programs built`, seconds(built.seconds));
  const override = await readFile(join(folder, 'compose.override.yaml'), 'utf8');
  for (const [, setting] of override.matchAll(/\$\{([A-Z0-9_]+_PORT):-/g)) {
    environment[setting] = String(await freePort());
  }

  if (engine !== 'embedded') report(`${services + 2} images built`, seconds((await stack('images')).seconds));
  report('up, no data', seconds((await stack('up')).seconds));
  report('up again, nothing to do', seconds((await stack('up')).seconds));
  const { stdout, seconds: looking } = await stack('status', '--format', 'json');
  report('status', seconds(looking));
  report('migrate plan, of every service', seconds((await stack('migrate', 'plan')).seconds));
  const all = JSON.parse(stdout).services;
  const apps = all.filter(({ service, state }) => state === 'healthy' && /-api$|^service-/.test(service));
  if (apps.length !== services)
    throw new Error(`${apps.length} of ${services} services are healthy:\n${stdout}`);
  report('services that are healthy', apps.length);
  await reportMemory('nobody asks');
  const routes = { 'services-api': 'services', 'content-api': 'content' };
  const urls = apps.map(({ service, url }) => `${url}/${routes[service] ?? 'items'}`);
  report(`answers to ${clients} requests at once to each`, JSON.stringify(await ask(urls)));
  await reportMemory('after them');
  report('down', seconds((await stack('down')).seconds));
  report('up, data kept', seconds((await stack('up')).seconds));
} finally {
  await stack('down', '--volumes').catch((error) => console.error(error.message));
  if (engine !== 'embedded') await removeImages().catch((error) => console.error(error.message));
  await rm(folder, { recursive: true, force: true });
}
