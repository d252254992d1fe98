import { Failure } from '@lockstep/foundation';

/** No database for tests can be made: says why, and what to do. */
export class NoTestServerError extends Failure {
  constructor(fact: string, evidence: readonly string[], hint: string, cause?: unknown) {
    super(fact, { code: 'no-test-server', exitStatus: 3, evidence, hint, cause });
  }
}
