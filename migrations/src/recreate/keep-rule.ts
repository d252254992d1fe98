import type { Authorship } from './authorship.ts';
import type { PreviousDatabases, Reasoned } from './previous.ts';

/** A previous database, the time in its name, and whose work it holds. */
export interface Judged {
  readonly database: string;
  /** When it lost the name: `20250102T030405`. */
  readonly at: string;
  readonly holds: Authorship;
}

/**
 * Chooses which previous databases are kept, of at least one, newest first. In words, as docs/migrations.md has them:
 *
 * - One in which lockstep alone wrote goes, unless there is no other: then the newest stays.
 * - When somebody changed the newest of the others while it had the name, it alone is kept.
 * - When nobody did since undo or restore gave it the name, a second is kept: the one that somebody changed last.
 *
 * So at most two are kept, one of them is the one that somebody changed last, and what lockstep does by itself drops neither.
 */
export function chooseKept(previous: readonly Judged[]): PreviousDatabases {
  const holding = previous.filter(({ holds }) => holds.kind !== 'own');
  const [newest] = holding.length > 0 ? holding : previous;
  const others = holding.filter((one) => one !== newest).sort((a, b) => (untilOf(a) < untilOf(b) ? 1 : -1));
  const second = newest?.holds.kind === 'held' ? others[0] : undefined;
  const kept: Reasoned[] = [];
  const dropped: Reasoned[] = [];
  for (const one of previous) {
    const { database, holds } = one;
    if (one === newest) kept.push({ database, why: reasons[holds.kind] });
    else if (one === second) kept.push({ database, why: reasons.changed });
    else dropped.push({ database, why: holds.kind === 'own' ? reasons.own : 'others were changed later' });
  }
  return { kept, dropped };
}

const reasons = {
  own: 'only lockstep wrote in it',
  changed: 'somebody changed it',
  held: 'it was brought back, and holds what somebody wrote before',
} as const;

function untilOf({ at, holds }: Judged): string {
  return holds.kind === 'held' ? holds.until : at;
}

/**
 * Which of the previous databases `undo` brings back, newest first: the newest, or, when the present one was itself brought back, the
 * next older one; after the oldest comes the newest again. So `undo` of `undo` is what was before, and each one that is kept is reached.
 *
 * @param from the time in the name that the present database had before undo brought it back
 */
export function chooseUndo<T extends Pick<Judged, 'at'>>(
  previous: readonly T[],
  from: string | undefined,
): T | undefined {
  return (from === undefined ? undefined : previous.find(({ at }) => at < from)) ?? previous[0];
}
