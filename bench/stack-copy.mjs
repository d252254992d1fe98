// A stack of its own for a measurement: a copy of the project's stack files, free ports, the built programs.
import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const project = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * The environment of what is measured: this one, but for certificates of this machine's own, which each Node would read before
 * anything else. `make` leaves them out too.
 */
const { NODE_EXTRA_CA_CERTS: _, ...measured } = process.env;
export const measuredEnvironment = measured;

export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Copies the stack's files into a folder of their own; starts nothing. */
export async function copyStack(engine) {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-bench-'));
  // Reachable for the user that Postgres runs as when this runs as root.
  await chmod(folder, 0o755);
  for (const file of [
    'compose.yaml',
    'compose.override.yaml',
    'Dockerfile',
    'package.json',
    'vault/policies',
    'services-api/migrations',
    'content-api/migrations',
  ]) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(join(project, file), join(folder, file), { recursive: true });
  }
  for (const part of [
    'migrations/dist',
    'vault/dist',
    'services-api/dist',
    'services-api/src',
    'content-api/dist',
    'content-api/src',
  ]) {
    await mkdir(dirname(join(folder, part)), { recursive: true });
    await symlink(join(project, part), join(folder, part));
  }
  const environment = {
    YES: '1',
    ...measuredEnvironment,
    ENGINE: engine,
    COMPOSE_PROJECT_NAME: basename(folder).toLowerCase(),
  };
  for (const name of ['POSTGRES_PORT', 'VAULT_PORT', 'SERVICES_API_PORT', 'CONTENT_API_PORT']) {
    environment[name] = String(await freePort());
  }

  /** Runs a program to its end; returns its milliseconds and output. Fails loudly: a bench of errors measures nothing. */
  const run = (program, args, { env = environment } = {}) =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now();
      let output = '';
      const child = spawn(program, args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
      child.stdout.on('data', (chunk) => (output += chunk));
      child.stderr.on('data', (chunk) => (output += chunk));
      child.once('error', reject).once('close', (status) => {
        if (status === 0) resolve({ milliseconds: performance.now() - startedAt, output });
        else reject(new Error(`${program} ${args.join(' ')} ended with ${status}:\n${output}`));
      });
    });
  const stack = (...args) => run(process.execPath, [join(project, 'scripts/dist/stack.js'), ...args]);
  const remove = async () => {
    await stack('down', '--volumes').catch(() => {});
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, environment, run, stack, remove };
}

/** Collects milliseconds by case, in the order in which the cases were first seen. */
export class Samples {
  #all = new Map();

  async take(name, work) {
    const result = await work();
    this.#all.set(name, [...(this.#all.get(name) ?? []), result.milliseconds]);
    return result;
  }

  median(name) {
    const values = this.#all.get(name).toSorted((a, b) => a - b);
    return values[Math.floor(values.length / 2)];
  }

  /** Prints each case: median, range, ratio to the case `base`. */
  print(base) {
    for (const [name, values] of this.#all) {
      const range = `${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)}`;
      const ratio = (this.median(name) / this.median(base)).toFixed(1);
      const middle = this.median(name).toFixed(0).padStart(6);
      console.log(`${name.padEnd(42)} ${middle}  (${range})  ${ratio} × ${base}`);
    }
  }
}
