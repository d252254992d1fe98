import { Failure } from '@lockstep/foundation';
import { DocumentedFailure } from '../errors.ts';
import type { Json } from '../json.ts';

/** What the services need of each other cannot be had in any order. */
export class DependencyGraphError extends DocumentedFailure {
  readonly document: Readonly<Record<string, Json>>;

  constructor(problems: readonly string[]) {
    super('the dependencies of the services do not work out', {
      code: 'dependencies',
      exitStatus: 3,
      evidence: problems,
    });
    this.document = { problems };
  }
}

/** Another service did not get as far as is needed within the deadline. */
export class NeedMissingError extends Failure {
  constructor(step: string, lacking: readonly string[], timeout: string) {
    super(`${step} waits for another service, which did not get there within ${timeout}`, {
      code: 'dependency-missing',
      exitStatus: 3,
      evidence: [...lacking, 'what was applied before stays applied'],
      hint: 'migrate deps',
    });
  }
}

/** Another service has applied what needs a version that would be taken back. */
export class NeededError extends Failure {
  constructor(service: string, to: string, needed: readonly string[]) {
    super(`${service} cannot go down to ${to}: another service needs more`, {
      code: 'needed',
      exitStatus: 6,
      evidence: [...needed, 'nothing was changed'],
      hint: 'take that service down first; migrate deps shows who needs what',
    });
  }
}
