import { defineConfig } from 'vitest/config';

// Fast first: pure tests beside the source, then real Postgres servers, then the whole stack.
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
          include: ['test/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
