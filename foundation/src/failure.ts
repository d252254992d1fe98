import { redact } from './redaction.ts';

/** What a failure carries besides its one-line fact. */
export interface FailureDetail {
  /** Stable, kebab-case, for machines: `lock-held`. */
  readonly code: string;
  /** The program's exit status; docs/cli.md has the table. */
  readonly exitStatus: number;
  /** Lines printed under the fact, each indented by two spaces. */
  readonly evidence?: readonly string[];
  /** A command or act that helps; never one that destroys. Printed after `try:`. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Replaces the program's name at the start of the first line, as in `config: 2 settings are wrong`. */
  readonly subject?: string;
}

/**
 * The base of every expected failure. Its message is one fact: lowercase, no full stop, no apology.
 *
 * Each workspace derives its own classes in its `errors.ts`; only a command line catches and prints them.
 */
export abstract class Failure extends Error {
  readonly code: string;
  readonly exitStatus: number;
  readonly evidence: readonly string[];
  readonly hint: string | undefined;
  readonly subject: string | undefined;

  constructor(fact: string, detail: FailureDetail) {
    super(fact, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = new.target.name;
    this.code = detail.code;
    this.exitStatus = detail.exitStatus;
    this.evidence = detail.evidence ?? [];
    this.hint = detail.hint;
    this.subject = detail.subject;
  }
}

/** An error nobody foresaw: a defect of ours, so its stack is the evidence. */
class UnexpectedFailure extends Failure {}

/** Returns `error` itself when it is a {@link Failure}, else wraps it as an unexpected one with exit status 1. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const thrown = error instanceof Error ? error : new Error(String(error));
  const stack = (thrown.stack ?? '').split('\n').slice(1, 6);
  return new UnexpectedFailure(`unexpected error: ${thrown.message || thrown.name}`, {
    code: 'unexpected',
    exitStatus: 1,
    evidence: stack.map((line) => line.trim()),
    cause: error,
  });
}

/**
 * Renders a failure as text: `program: fact`, evidence indented by two, at most one `try:` line. Secrets are masked
 * here, at the one place where failures are printed.
 */
export function renderFailure(program: string, error: unknown): string {
  const failure = toFailure(error);
  const lines = [`${failure.subject ?? program}: ${failure.message}`];
  for (const line of failure.evidence) lines.push(line === '' ? '' : `  ${line}`);
  if (failure.hint !== undefined) lines.push(`  try: ${failure.hint}`);
  return `${redact(lines.join('\n'))}\n`;
}
