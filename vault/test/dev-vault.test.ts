import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { scratchFolder, startVault } from './support/vault.ts';

let folder: string;
let program: string;

// The program itself, bundled as the project's build does it.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lockstep-dev-vault-'));
  program = join(folder, 'dev-vault.cjs');
  const entry = fileURLToPath(new URL('../src/embedded/cli.ts', import.meta.url));
  await build({
    entryPoints: [entry],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
  const ready = async () => {
    await expect.poll(() => stdout, { timeout: 5_000 }).toMatch(/\n$/);
    return JSON.parse(stdout);
  };
  return { child, ended, ready };
}

describe('dev-vault', () => {
  it('prints one line of JSON when it is ready, warns on stderr, and ends with 0 at SIGTERM, clients or not', async () => {
    const { child, ended, ready } = start('--port', '0', '--root-token', 'my-root-token');
    const line = await ready();
    expect(line).toEqual({
      address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      port: expect.any(Number),
      pid: child.pid,
      unseal_key: expect.stringMatching(/^[\da-f]{64}$/),
    });
    const answer = await fetch(`${line.address}/v1/sys/mounts`, {
      headers: { 'X-Vault-Token': 'my-root-token' },
    });
    expect(answer.status).toBe(200);
    const idle = connect(line.port, '127.0.0.1');
    await new Promise((resolve) => idle.on('connect', resolve));
    const startedAt = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toEqual({
      status: 0,
      signal: null,
      stdout: `${JSON.stringify(line)}\n`,
      stderr:
        "dev-vault: this is lockstep's embedded Vault, for development only\n" +
        '  It keeps secrets in memory and forgets them when it ends. It listens on the loopback interface, without TLS.\n',
    });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('makes a root token when it gets none, says nothing with --quiet, and ends with 0 at SIGINT', async () => {
    const { child, ended, ready } = start('--port', '0', '--quiet', '--address', 'localhost');
    const line = await ready();
    const answer = await fetch(`${line.address}/v1/sys/mounts`, {
      headers: { 'X-Vault-Token': line.root_token },
    });
    expect(answer.status).toBe(200);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ status: 0, stderr: '' });
  });

  it('reads the root token and the unseal key from files, and prints neither', async () => {
    const folder = await scratchFolder();
    await writeFile(join(folder, 'token'), 'token-from-file\r\n');
    await writeFile(join(folder, 'key'), 'key-from-file\n');
    const { child, ended, ready } = start(
      '--port',
      '0',
      '--root-token-file',
      join(folder, 'token'),
      '--unseal-key-file',
      join(folder, 'key'),
    );
    const line = await ready();
    expect(Object.keys(line)).toEqual(['address', 'port', 'pid']);
    const headers = { 'X-Vault-Token': 'token-from-file' };
    expect((await fetch(`${line.address}/v1/sys/seal`, { method: 'PUT', headers })).status).toBe(204);
    const unsealed = await fetch(`${line.address}/v1/sys/unseal`, {
      method: 'PUT',
      body: '{"key":"key-from-file"}',
    });
    expect(unsealed.status).toBe(200);
    child.kill('SIGTERM');
    const { stdout, stderr } = await ended;
    expect(stdout + stderr).not.toContain('from-file');
  });

  it('says that a port is taken', async () => {
    const vault = await startVault();
    expect(await start('--port', String(vault.port)).ended).toEqual({
      status: 2,
      signal: null,
      stdout: '',
      stderr: `dev-vault: port ${vault.port} on 127.0.0.1 is taken by another program\n  try: --port 0, which picks a free one and prints it\n`,
    });
  });

  it.each([
    [
      ['--port', '70000'],
      'dev-vault: --port must be a number from 0 to 65535, not "70000"\n  try: dev-vault --help\n',
    ],
    [
      ['--port', '8200; rm'],
      'dev-vault: --port must be a number from 0 to 65535, not "8200; rm"\n  try: dev-vault --help\n',
    ],
    [['--prot', '1'], "dev-vault: unknown option '--prot' (Did you mean --port?)\n  try: dev-vault --help\n"],
    [['extra'], 'dev-vault: too many arguments. Expected 0 arguments but got 1\n  try: dev-vault --help\n'],
    [
      ['--root-token', 'a b'],
      'dev-vault: --root-token must be 1 to 256 printable characters without blanks\n  try: dev-vault --help\n',
    ],
    [
      ['--root-token', ''],
      'dev-vault: --root-token must be 1 to 256 printable characters without blanks\n  try: dev-vault --help\n',
    ],
    [
      ['--address', '0.0.0.0'],
      'dev-vault: address "0.0.0.0" is not a loopback address\n' +
        '  the embedded Vault is for development and listens only where this machine alone can reach it\n' +
        '  try: --address 127.0.0.1\n',
    ],
    [
      ['--root-token', 'a', '--root-token-file', 'b'],
      "dev-vault: option '--root-token <token>' cannot be used with option '--root-token-file <file>'\n  try: dev-vault --help\n",
    ],
  ])('refuses %j with status 2', async (args, stderr) => {
    expect(await start(...args).ended).toEqual({ status: 2, signal: null, stdout: '', stderr });
  });

  it('refuses a token file that is missing, empty or binary', async () => {
    const folder = await scratchFolder();
    const file = join(folder, 'token');
    const stderr = async () =>
      (await start('--root-token-file', file).ended).stderr.replace(folder, 'FOLDER');
    expect(await stderr()).toContain('dev-vault: credentials file "FOLDER/token" does not exist\n');
    await writeFile(file, '');
    expect(await stderr()).toBe('dev-vault: credentials file "FOLDER/token" is empty\n');
    await writeFile(file, Buffer.from([0x41, 0, 0x42]));
    expect(await stderr()).toBe('dev-vault: credentials file "FOLDER/token" holds a NUL byte\n');
  });

  it('explains itself with --help, on stdout', async () => {
    const { status, stdout, stderr } = await start('--help').ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: dev-vault \[options\]\n/);
    expect(stdout).toContain('Examples:\n  $ dev-vault ');
  });
});
