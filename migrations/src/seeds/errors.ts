import { Failure } from '@lockstep/foundation';

/** A file of seeds is wrong, or cannot be loaded; nothing was changed. */
export class SeedFileError extends Failure {
  constructor(
    path: string,
    place: string | undefined,
    rule: string,
    evidence: readonly string[] = [],
    cause?: unknown,
  ) {
    super(`${path}${place === undefined ? '' : `, ${place}`}: ${rule}`, {
      code: 'seed-file',
      exitStatus: cause === undefined ? 3 : 1,
      evidence: [...evidence, 'nothing was changed'],
      cause,
    });
  }
}

/** Seeds may not be loaded here, or not now. */
export class SeedRefusedError extends Failure {
  constructor(fact: string, exitStatus: 3 | 5 | 7, evidence: readonly string[], hint: string) {
    super(fact, { code: 'seed-refused', exitStatus, evidence: [...evidence, 'nothing was changed'], hint });
  }
}
