import type { Place } from '../position.ts';
import type { Severity } from './rule.ts';

/** One thing that `validate` has to say about a file. */
export interface Finding {
  /** Stable, kebab-case; its section in docs/rules.md has the same name. */
  readonly code: string;
  readonly severity: Severity;
  /** As shown to a person. */
  readonly path: string;
  /** Absent where the file as a whole is meant. */
  readonly place: Place | undefined;
  readonly message: string;
  readonly fix: string | undefined;
  /** The reason of the comment that hushes it. */
  readonly allowed?: string;
}

/** Where docs/rules.md explains a code. */
export function anchorOf(code: string): string {
  return `docs/rules.md#${code}`;
}

/** By path, then place, then code, so that each run lists them alike. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      compare(a.path, b.path) ||
      (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
      (a.place?.column ?? 0) - (b.place?.column ?? 0) ||
      compare(a.code, b.code),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
