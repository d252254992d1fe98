/** What is odd about a file and stops nothing; `validate` lists it under its code. */
export interface FileWarning {
  /** As shown to a person. */
  readonly path: string;
  /** The last segment of `path`. */
  readonly name: string;
  /** Absent where the file as a whole is meant. */
  readonly place?: { readonly line: number; readonly column: number };
  readonly code: FileWarningCode;
  readonly rule: string;
  readonly fix?: string;
}

/** Stable, kebab-case; docs/rules.md has a section for each. */
export const fileWarningCodes = [
  'passed-over',
  'down-without-up',
  'direction-heading',
  'number-order',
  'foreign-marker',
  'empty-file',
  'pair-name',
  'name-characters',
] as const;
export type FileWarningCode = (typeof fileWarningCodes)[number];
