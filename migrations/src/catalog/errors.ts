import { Failure } from '@lockstep/foundation';
import { DocumentedFailure } from '../errors.ts';
import type { Json } from '../json.ts';
import type { Comparison } from './compliance.ts';
import { type Difference, describeDifferences, jsonDifference } from './differences.ts';
import { describeNotes, jsonNotes } from './notes.ts';

/** A scratch database is needed, and cannot be made. */
export class ScratchUnavailableError extends Failure {
  constructor(database: string, reason: string, cause?: unknown) {
    super(`no scratch database can be made beside ${database}`, {
      code: 'scratch-unavailable',
      exitStatus: 3,
      evidence: [reason, '--scratch-url (MIGRATION_SCRATCH_URL) names another server for them'],
      cause,
    });
  }
}

/** The specification cannot be read, or Postgres does not accept it. */
export class SpecificationError extends Failure {
  constructor(fact: string, evidence: readonly string[], cause?: unknown) {
    super(fact, { code: 'specification', exitStatus: 3, evidence, cause });
  }
}

/** The schema is not what it should be. */
export class NotCompliantError extends DocumentedFailure {
  readonly differences: readonly Difference[];
  readonly expectation: string;
  readonly #notes: Comparison['notes'];

  /** @param more a last line of evidence */
  constructor(fact: string, { expectation, differences, notes }: Comparison, more?: string) {
    super(fact, {
      code: 'not-compliant',
      exitStatus: 6,
      evidence: [
        ...describeDifferences(differences),
        ...describeNotes(notes, 10).map((line) => `note: ${line}`),
        ...(more === undefined ? [] : [more]),
      ],
    });
    this.differences = differences;
    this.expectation = expectation;
    this.#notes = notes;
  }

  get document(): Readonly<Record<string, Json>> {
    return {
      compliant: false,
      expectation: this.expectation,
      differences: this.differences.map(jsonDifference),
      notes: jsonNotes(this.#notes),
    };
  }
}

/** Down files do not undo their up files. */
export class RollbackUnprovenError extends DocumentedFailure {
  readonly document: Readonly<Record<string, Json>>;

  constructor(fact: string, evidence: readonly string[], document: Readonly<Record<string, Json>>) {
    super(fact, { code: 'rollback-unproven', exitStatus: 6, evidence });
    this.document = document;
  }
}
