import type { FastifyInstance } from 'fastify';
import type { Database } from './database.ts';
import type { Constraints } from './violation.ts';

/** An HTTP server with routes; the services add theirs to it. */
export type App = FastifyInstance;

/** What makes one service different from another. */
export interface Service {
  /** `services-api`: in logs, in pg_stat_activity and in the gate's hint. */
  readonly name: string;
  /** The version of the newest migration that the code relies on. */
  readonly requiredSchemaVersion: bigint;
  /** What each constraint of its schema means to a caller. */
  readonly constraints: Constraints;
  readonly routes: (app: App, database: Database) => void;
}
