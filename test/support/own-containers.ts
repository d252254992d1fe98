import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Ended, ended, testEngine } from './stack.ts';

/** Containers and volumes of one test file, outside any stack; all are removed at its end. */
export interface OwnContainers {
  /** Runs the container program with these words. */
  call(...words: string[]): Promise<Ended>;
  /** As `call`, which has to succeed; returns what it printed. */
  output(...words: string[]): Promise<string>;
  /** Starts a container in the background, hardened as compose.yaml hardens it; returns its name. */
  start(image: string, flags?: readonly string[], words?: readonly string[]): Promise<string>;
  /** Runs a container to its end, hardened in the same way. */
  run(image: string, flags?: readonly string[], words?: readonly string[]): Promise<Ended>;
  /** Makes a volume; returns its name. */
  volume(): Promise<string>;
  /** Where a port of a container is published on this machine. */
  port(container: string, port: number): Promise<number>;
  /** Waits until the container has ended; returns its exit status. */
  exitStatus(container: string): Promise<number>;
  /** The container's own output, both streams. */
  logs(container: string): Promise<string>;
  removeAll(): Promise<void>;
}

/** What compose.yaml asks of every container. */
export const hardened = [
  '--read-only',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
  '--tmpfs=/tmp:mode=1777',
];

export function ownContainers(): OwnContainers {
  const prefix = `lockstep-test-${randomBytes(4).toString('hex')}`;
  const containers: string[] = [];
  const volumes: string[] = [];
  if (testEngine === 'embedded') throw new Error('LOCKSTEP_TEST_ENGINE is not docker or podman');
  const call = (...words: string[]) => ended(spawn(testEngine, words, { stdio: ['ignore', 'pipe', 'pipe'] }));
  const output = async (...words: string[]) => {
    const { status, stdout, stderr } = await call(...words);
    expect(status, `${testEngine} ${words.join(' ')}\n${stderr}`).toBe(0);
    return stdout.trim();
  };
  const named = (list: string[]) => {
    const name = `${prefix}-${containers.length + volumes.length}`;
    list.push(name);
    return name;
  };
  return {
    call,
    output,
    start: async (image, flags = [], words = []) => {
      const name = named(containers);
      await output('run', '--detach', '--name', name, ...hardened, ...flags, image, ...words);
      return name;
    },
    run: (image, flags = [], words = []) =>
      call('run', '--name', named(containers), ...hardened, ...flags, image, ...words),
    volume: async () => {
      const name = named(volumes);
      await output('volume', 'create', name);
      return name;
    },
    port: async (container, port) =>
      Number((await output('port', container, `${port}/tcp`)).split('\n')[0]?.split(':').at(-1)),
    exitStatus: async (container) => Number(await output('wait', container)),
    logs: async (container) => {
      const { stdout, stderr } = await call('logs', container);
      return stdout + stderr;
    },
    removeAll: async () => {
      // Only what is there: Podman stops at the first name that is not.
      const ids = await output('container', 'ls', '--all', '--quiet', '--filter', `name=${prefix}`);
      if (ids !== '') await output('rm', '--force', '--volumes', ...ids.split('\n'));
      if (volumes.length > 0) await output('volume', 'rm', ...volumes);
    },
  };
}

/** Tries until `attempt` succeeds, at most 20 seconds; then throws its last error. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const until = Date.now() + 20_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > until) throw error;
      await sleep(100);
    }
  }
}
