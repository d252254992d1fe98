import { defineConfig } from 'vitest/config';

const stackTimes = { testTimeout: 180_000, hookTimeout: 180_000, fileParallelism: false };

/** What every engine has to show, and what concerns container engines only. */
const onContainers = (engine: 'docker' | 'podman', groupOrder: number) => ({
  test: {
    name: engine,
    include: ['test/*.test.ts', 'test/engines/*.test.ts'],
    env: { LOCKSTEP_TEST_ENGINE: engine },
    globalSetup: ['test/support/engine-there.ts'],
    ...stackTimes,
    sequence: { groupOrder },
  },
});

// `make test` runs on servers and stacks of this machine's own processes; container engines are named in LOCKSTEP_ENGINES.
const engines = (process.env['LOCKSTEP_ENGINES'] ?? '').split(',');

// Fast first: pure tests beside the source, then real Postgres servers, then the whole stack, on one engine after the other.
export default defineConfig({
  test: {
    // Most tests wait for servers and processes rather than compute.
    maxWorkers: 2,
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      {
        test: { name: 'pure', include: ['*/src/**/*.test.ts'], sequence: { groupOrder: 0 } },
      },
      {
        test: {
          name: 'postgres',
          include: ['*/test/**/*.test.ts'],
          globalSetup: ['test/support/postgres-servers.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'stack',
          include: ['test/*.test.ts', 'test/embedded/*.test.ts', 'test/files/*.test.ts'],
          env: { LOCKSTEP_TEST_ENGINE: 'embedded' },
          ...stackTimes,
          sequence: { groupOrder: 2 },
        },
      },
      ...(engines.includes('docker') ? [onContainers('docker', 3)] : []),
      ...(engines.includes('podman') ? [onContainers('podman', 4)] : []),
    ],
  },
});
