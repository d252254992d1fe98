import type { Split } from './split.ts';

/** What a statement does to the transaction it runs in; undefined for one that leaves it alone. */
type Control = 'begin' | 'commit' | 'other' | undefined;

/**
 * Savepoints stay inside a transaction and are no control. A BEGIN that asks for an isolation level, and a COMMIT AND
 * CHAIN, are `other`: to drop them would lose what they ask for.
 */
function controlOf(words: string): Control {
  if (/^(begin( work| transaction)?|start transaction)$/.test(words)) return 'begin';
  if (/^(commit|end)( work| transaction)?( and no chain)?$/.test(words)) return 'commit';
  if (/^rollback( work| transaction)? to\b/.test(words)) return undefined;
  return /^(begin|start transaction|commit|end|rollback|abort|prepare transaction)\b/.test(words)
    ? 'other'
    : undefined;
}

/** Drops a BEGIN that comes first together with a COMMIT that comes last; neither when only one is there. */
export function unwrap(pieces: readonly Split[]): { inner: readonly Split[]; wrapped: boolean } {
  const wrapped =
    controlOf(pieces.at(0)?.words ?? '') === 'begin' && controlOf(pieces.at(-1)?.words ?? '') === 'commit';
  return { inner: wrapped ? pieces.slice(1, -1) : pieces, wrapped };
}

/** The rule that a statement breaks by ending or opening a transaction, when it does. */
export function controlRule(words: string, place: { first: boolean; last: boolean }): string | undefined {
  const control = controlOf(words);
  if (control === undefined) return undefined;
  const verb = (/^(start|prepare) transaction|^\w+( prepared)?/.exec(words)?.[0] ?? words).toUpperCase();
  if (control === 'begin' && place.first) return `${verb} is first, but COMMIT is not the last statement`;
  if (control === 'commit' && place.last) return `${verb} is last, but BEGIN is not the first statement`;
  return `${verb} is not allowed here: the migrator opens and ends the transaction of a migration`;
}
