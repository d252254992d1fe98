import { DatabaseError } from 'pg';
import { DatabaseRefusedError, DatabaseUnreachableError } from './errors.ts';
import { Problem, type ProblemDetail } from './problem.ts';

/** What each constraint of a service's schema means to a caller, by the constraint's name. */
export type Constraints = Readonly<Record<string, ProblemDetail>>;

const retryAfter = { 'retry-after': '1' };

const unreachable: ProblemDetail = {
  status: 503,
  code: 'database-unreachable',
  title: 'The database does not answer',
  headers: retryAfter,
};

// SQLSTATE classes that a caller can act on; https://www.postgresql.org/docs/current/errcodes-appendix.html
const states: readonly [RegExp, ProblemDetail][] = [
  [
    /^(40001|40P01|55P03)$/,
    { status: 503, code: 'busy', title: 'Another change was in the way', headers: retryAfter },
  ],
  [/^57014$/, { status: 503, code: 'too-slow', title: 'The database took too long', headers: retryAfter }],
  [/^(25006|53...)$/, unreachable],
  [/^23(505|P01)$/, { status: 409, code: 'conflict', title: 'The change conflicts with what is there' }],
  [/^23503$/, { status: 409, code: 'conflict', title: 'The change conflicts with what refers to it' }],
  [/^2[23]/, { status: 422, code: 'refused-value', title: 'The database refused a value' }],
];

/**
 * The problem that an error of the database means to a caller; undefined when it is a defect of ours.
 *
 * A violated constraint speaks by its name, from `constraints`; the server's own text never reaches the caller.
 */
export function violationProblem(error: unknown, constraints: Constraints): Problem | undefined {
  if (error instanceof DatabaseUnreachableError || error instanceof DatabaseRefusedError) {
    return new Problem(unreachable, error);
  }
  if (!(error instanceof DatabaseError)) return undefined;
  const known = error.constraint === undefined ? undefined : constraints[error.constraint];
  const detail = known ?? states.find(([state]) => state.test(error.code ?? ''))?.[1];
  return detail === undefined ? undefined : new Problem(detail, error);
}
