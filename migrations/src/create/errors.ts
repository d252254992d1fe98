import { Failure } from '@lockstep/foundation';

/** A migration cannot be written as it was asked for. */
export class CreateRefusedError extends Failure {
  constructor(fact: string, evidence: readonly string[] = [], exitStatus: 2 | 3 = 2, cause?: unknown) {
    super(fact, { code: 'create-refused', exitStatus, evidence, hint: 'migrate create --help', cause });
  }
}
