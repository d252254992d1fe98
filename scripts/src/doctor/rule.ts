import type { Place } from '../compose/mistakes.ts';
import type { ComposeView } from './compose-view.ts';
import type { Mark } from './finding.ts';

/** What a rule finds at a place of the compose files. */
export interface Fault {
  readonly mark: Exclude<Mark, 'good'>;
  readonly place: Place;
  /** What it is about: a service, a volume, a network. */
  readonly subject: string;
  /** What is so. */
  readonly fact: string;
  /** What happens because of it. */
  readonly because: string;
  /** What to write instead. */
  readonly fix: string;
}

/** Looks at the whole stack for one kind of fault. Pure. */
export type Rule = (view: ComposeView) => readonly Fault[];
