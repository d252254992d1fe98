export { NoTestServerError } from './errors.ts';
export { type LeaseOptions, leaseStack, type StackLease } from './lease.ts';
export type { TestServer } from './origin.ts';
export {
  closeTesting,
  createTestDatabase,
  type TestDatabase,
  type TestDatabaseOptions,
} from './test-database.ts';
