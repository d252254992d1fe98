import { defineConfig } from 'vitest/config';

/** A second try for what waits for servers; the closing line names each test that needed it. */
const secondTry = { retry: 1 };
const stackTimes = { ...secondTry, testTimeout: 180_000, hookTimeout: 180_000, fileParallelism: false };

/** What every engine has to show, and what concerns container engines only. */
const onContainers = (name: string, groupOrder: number, include: string[], env: Record<string, string>) => ({
  test: {
    name,
    include,
    env,
    globalSetup: ['test/support/engine-there.ts'],
    ...stackTimes,
    sequence: { groupOrder },
  },
});

// `make test` runs on servers and stacks of this machine's own processes; container engines are named in LOCKSTEP_ENGINES.
const engines = (process.env['LOCKSTEP_ENGINES'] ?? '').split(',');

const all = ['test/*.test.ts', 'test/engines/*.test.ts'];
const containerProjects = [
  onContainers('docker', 3, all, { LOCKSTEP_TEST_ENGINE: 'docker' }),
  onContainers('podman', 4, all, { LOCKSTEP_TEST_ENGINE: 'podman' }),
  onContainers(
    'podman-compose',
    5,
    ['test/podman-compose/*.test.ts', 'test/stack.test.ts', 'test/failing-migration.test.ts'],
    {
      LOCKSTEP_TEST_ENGINE: 'podman',
      PODMAN_COMPOSE_PROVIDER: process.env['LOCKSTEP_PODMAN_COMPOSE'] ?? 'podman-compose',
    },
  ),
];

// Fast first: pure tests beside the source, then real Postgres servers, then the whole stack, on one engine after the other.
export default defineConfig({
  test: {
    // Most tests wait for servers and processes rather than compute.
    maxWorkers: 2,
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      {
        test: {
          name: 'pure',
          include: ['*/src/**/*.test.ts'],
          // They take milliseconds; a busy machine is no failure.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'postgres',
          include: ['*/test/**/*.test.ts'],
          globalSetup: ['test/support/postgres-servers.ts'],
          ...secondTry,
          testTimeout: 150_000,
          hookTimeout: 150_000,
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
      ...containerProjects.filter(({ test }) => engines.includes(test.name)),
    ],
  },
});
