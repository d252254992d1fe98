import type { Statement } from '../migration.ts';
import type { Facts } from './facts.ts';
import type { Tree } from './tree.ts';

export const severities = ['error', 'warning', 'notice'] as const;
/** An error fails `validate`; a warning does with `--strict`; a notice never does. */
export type Severity = (typeof severities)[number];

/** What a statement does that a reviewer weighs. */
export type Risk =
  | 'scans'
  | 'rewrites'
  | 'loses data'
  | 'changes rows'
  | 'breaks the running app'
  | 'cannot be read';

/** A statement with what was made of it. */
export interface ReadStatement {
  readonly statement: Statement;
  readonly tree: Tree;
}

/** What a rule is asked about. */
export interface Subject extends ReadStatement {
  /** Whether the same file makes this table: nobody else sees it yet, so its locks keep nobody waiting. */
  isNew(table: string): boolean;
  /** The file's statements before this one. */
  before(): readonly ReadStatement[];
  /** How many statements the file has. */
  readonly statements: number;
  /** What the files before, and the statements before this one, made. */
  readonly facts: Facts;
}

/** Where a rule is broken. */
export interface Hit {
  /** What it is about, for the message: `column "email" of orders`. */
  readonly about: string;
  /** In bytes of UTF-8 from the statement's beginning, as the parser counts; its beginning when absent. */
  readonly location?: number | undefined;
  /** What it risks beyond the rule's own, or instead of it where `only`. */
  readonly risks?: readonly Risk[];
}

/** One rule about statements of up files. */
export interface Rule {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly severity: Severity;
  /** One line with `{}` in place of what it is about. */
  readonly message: string;
  /** Why it matters, for docs/rules.md: plain sentences. */
  readonly reason: string;
  /** What to do instead, in one line. */
  readonly fix: string;
  readonly risks: readonly Risk[];
  /** The names of squawk's rules that it covers. */
  readonly squawk?: readonly string[];
  /** A file that breaks it, and one that does the same and does not. */
  readonly bad: string;
  readonly good: string;
  find(subject: Subject): readonly Hit[];
}
