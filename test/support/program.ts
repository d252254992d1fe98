import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

/** A program of the project, bundled from source for this test. */
export interface Bundle {
  readonly file: string;
  remove(): Promise<void>;
}

/** A process that runs a bundle. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** All of stderr so far. */
  stderr(): string;
  /** All of stdout so far. */
  stdout(): string;
  /** Resolves with the exit status (128 and the signal's number when a signal ended it). */
  readonly ended: Promise<number>;
  /** Resolves with the first event on stderr whose `msg` it is; rejects when the process ends without one. */
  event(msg: string): Promise<Record<string, unknown>>;
}

const root = join(import.meta.dirname, '..', '..');

/** Bundles a program as scripts/build.mjs does, into a temporary folder. */
export async function bundle(entryPoint: string): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-test-program-'));
  const file = join(folder, 'program.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    minify: true,
    keepNames: true,
    define: { LOCKSTEP_VERSION: '"0.0.0"' },
    external: ['pg-native'],
    logLevel: 'warning',
  });
  return { file, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Starts a bundle with nothing in its environment but `environment` and the PATH. */
export function run(
  file: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): RunningProgram {
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  const listeners = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    for (const listener of listeners) listener();
  });
  const ended = new Promise<number>((resolve) => {
    child.once('close', (status, signal) => resolve(status ?? 128 + (signal === 'SIGKILL' ? 9 : 15)));
  });
  const find = (msg: string) => {
    for (const line of err.split('\n').slice(0, -1)) {
      if (!line.startsWith('{')) continue;
      const event = JSON.parse(line) as Record<string, unknown>;
      if (event['msg'] === msg) return event;
    }
    return undefined;
  };
  const event = (msg: string) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const look = () => {
        const found = find(msg);
        if (found === undefined) return;
        listeners.delete(look);
        resolve(found);
      };
      listeners.add(look);
      void ended.then((status) => reject(new Error(`ended with ${status} before "${msg}":\n${err}`)));
      look();
    });
  return { child, stderr: () => err, stdout: () => out, ended, event };
}
