/** One part of a request that breaks a rule. `pointer` is a JSON pointer (RFC 6901) into that part. */
export interface ProblemError {
  readonly in: 'body' | 'query' | 'path' | 'header';
  readonly pointer: string;
  readonly detail: string;
}

/** What a problem says; see {@link Problem}. */
export interface ProblemDetail {
  readonly status: number;
  /** Stable, kebab-case; the last part of the problem's `type`. */
  readonly code: string;
  /** The same sentence for every occurrence of `code`. */
  readonly title: string;
  /** What is true of this occurrence. */
  readonly detail?: string;
  readonly errors?: readonly ProblemError[];
  /** Sent with the response, as `Allow` with 405. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is refused: thrown by any layer, answered as RFC 9457 problem details. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: readonly ProblemError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor({ status, code, title, detail, errors, headers }: ProblemDetail, cause?: unknown) {
    super(title, cause === undefined ? undefined : { cause });
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
    this.headers = headers ?? {};
  }
}

export const problemContentType = 'application/problem+json';

/** The body of a problem, with its members in the order of RFC 9457. `instance` is the path that was asked for. */
export function problemBody(
  problem: Problem,
  { path, requestId }: { path: string; requestId: string },
): Record<string, unknown> {
  const { code, title, status, detail, errors } = problem;
  return {
    type: `urn:lockstep:problem:${code}`,
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
    instance: path,
    ...(errors === undefined ? {} : { errors }),
    requestId,
  };
}

/** 404 for one thing that is not there. */
export function notFound(noun: string, id: string): Problem {
  return new Problem({
    status: 404,
    code: 'not-found',
    title: 'There is no such resource',
    detail: `there is no ${noun} ${id}`,
  });
}
