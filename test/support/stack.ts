import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

const project = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** How a program ended and all it printed. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One stack of its own: a copy of the project's files that a test may change, free ports, its own state folder. */
export interface TestStack {
  readonly folder: string;
  readonly ports: Readonly<Record<'postgres' | 'vault' | 'servicesApi' | 'contentApi', number>>;
  readonly servicesUrl: string;
  readonly contentUrl: string;
  readonly vaultUrl: string;
  /** What runs it. */
  readonly engine: 'embedded' | 'docker' | 'podman';
  /** The compose project's name: containers, networks and volumes carry it. */
  readonly project: string;
  /** Runs `stack <args>` as a user would, on its engine. */
  stack(...args: string[]): Promise<Ended>;
  /** Starts `stack <args>` without waiting for its end. */
  begin(...args: string[]): ChildProcess;
  /** Runs `stack <args>` on a terminal of 80 columns; what it showed is its stdout. */
  onTerminal(...args: string[]): Promise<Ended>;
  /** A file's path in the copy: `path('services-api/migrations')`. */
  path(relative: string): string;
  /** A value of the stack's `.env`. */
  setting(name: string): Promise<string>;
  /** Stops the stack and removes every trace of it. */
  destroy(): Promise<void>;
}

/** The engine that the tests of this run use; vitest.config.ts has a project for each. */
export const testEngine = readEngine(process.env['LOCKSTEP_TEST_ENGINE']);

function readEngine(name = 'embedded'): TestStack['engine'] {
  if (name === 'embedded' || name === 'docker' || name === 'podman') return name;
  throw new Error(`LOCKSTEP_TEST_ENGINE is ${name}; expected embedded, docker or podman`);
}

/** Copies what a stack reads, links what it runs, and chooses ports; starts nothing. `settings` go to its environment. */
export async function createTestStack(settings: Readonly<Record<string, string>> = {}): Promise<TestStack> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep test stack-'));
  // Reachable for the user that Postgres runs as when the tests run as root.
  await chmod(folder, 0o755);
  // The two that there are, and those that `make service` has added since.
  const services = (await readdir(project)).filter((one) => existsSync(join(project, one, 'src/server.ts')));
  for (const file of [
    'compose.yaml',
    'compose.override.yaml',
    'Dockerfile',
    'package.json',
    'vault/policies',
    ...services.map((one) => `${one}/migrations`),
  ]) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(join(project, file), join(folder, file), { recursive: true });
  }
  for (const built of [
    'migrations/dist',
    'vault/dist',
    ...services.flatMap((one) => [`${one}/dist`, `${one}/src`]),
  ]) {
    await mkdir(dirname(join(folder, built)), { recursive: true });
    await symlink(join(project, built), join(folder, built));
  }
  const ports = {
    postgres: await freePort(),
    vault: await freePort(),
    servicesApi: await freePort(),
    contentApi: await freePort(),
  };
  const others: Record<string, string> = {};
  for (const one of services) {
    others[`${one.toUpperCase().replaceAll('-', '_')}_PORT`] = String(await freePort());
  }
  const name = `lockstep-test-${randomBytes(4).toString('hex')}`;
  const environment = {
    ...process.env,
    COMPOSE_PROJECT_NAME: name,
    ...others,
    POSTGRES_PORT: String(ports.postgres),
    VAULT_PORT: String(ports.vault),
    SERVICES_API_PORT: String(ports.servicesApi),
    CONTENT_API_PORT: String(ports.contentApi),
    ENGINE: testEngine,
    // Nobody is there to be asked.
    YES: '1',
    ...settings,
  };
  const program = join(project, 'scripts/dist/stack.js');
  const begin = (...args: string[]) =>
    spawn(process.execPath, [program, '--project-directory', folder, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const stack = (...args: string[]) => ended(begin(...args));
  return {
    folder,
    engine: testEngine,
    project: name,
    ports,
    servicesUrl: `http://127.0.0.1:${ports.servicesApi}`,
    contentUrl: `http://127.0.0.1:${ports.contentApi}`,
    vaultUrl: `http://127.0.0.1:${ports.vault}`,
    stack,
    begin,
    onTerminal: (...args) => {
      const words = [process.execPath, program, '--project-directory', folder, ...args];
      const line = `stty cols 80 rows 40; ${words.map((word) => `'${word}'`).join(' ')}`;
      return ended(
        spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
          env: { ...environment, TERM: 'xterm' },
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
    },
    path: (relative) => join(folder, relative),
    setting: async (name) => {
      const line = (await readFile(join(folder, '.env'), 'utf8'))
        .split('\n')
        .find((text) => text.startsWith(`${name}=`));
      if (line === undefined) throw new Error(`${name} is not in .env`);
      return line.slice(name.length + 1);
    },
    destroy: async () => {
      const { status, stderr } = await stack('down', '--volumes');
      if (status !== 0) throw new Error(`the stack in ${folder} did not stop: ${stderr}`);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Collects what `child` prints until it ends. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const status = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  return { status, ...output };
}

/** Replaces `file`, whose old text `change` gets. */
export async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, 'utf8')));
}
