import type { DatabaseState } from '../history.ts';
import type { Migration } from '../migration.ts';
import type { Operation } from '../operation.ts';
import type { Plan } from '../plan.ts';
import type { Session } from '../session.ts';
import type { Decision, Validation } from '../strategy.ts';

/** What one look before a run showed. */
export interface Finding {
  readonly verdict: 'ok' | 'note' | 'failed';
  readonly words: string;
  /** Of a run that fails by this alone; 3 when not set. */
  readonly exitStatus?: 3 | 5 | 6 | 7;
}

/** What the checks look at. */
export interface Outlook {
  readonly operation: Operation;
  readonly session: Session;
  readonly state: DatabaseState;
  readonly plan: Plan;
  readonly decision: Decision | 'refuse';
  readonly migrations: readonly Migration[];
}

/** One line of the check list. */
export interface Check {
  readonly name: string;
  /** The lowest level of validation that looks at it. */
  readonly level: Validation;
  /** Whether it concerns this run at all; always when absent. */
  concerns?(outlook: Outlook): boolean;
  look(outlook: Outlook): Promise<readonly Finding[]>;
}

export const ok = (words: string): readonly Finding[] => [{ verdict: 'ok', words }];
export const note = (words: string): readonly Finding[] => [{ verdict: 'note', words }];
export const failed = (words: string, exitStatus: 3 | 5 | 6 | 7 = 3): readonly Finding[] => [
  { verdict: 'failed', words, exitStatus },
];
