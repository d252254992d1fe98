import type { Split } from './split.ts';

/** What a statement does to the transaction it runs in. */
export interface TransactionControl {
  readonly kind: 'begin' | 'commit' | 'rollback' | 'prepare';
  /** What a BEGIN asks for, as in `isolation level serializable, read only`; empty where it asks for nothing. */
  readonly modes: string;
  /** Whether the next transaction begins at once, with the modes of this one. */
  readonly chain: boolean;
}

const mode =
  '(isolation level (serializable|repeatable read|read (un)?committed)|read (only|write)|(not )?deferrable)';
const begin = new RegExp(
  `^(?:begin(?: work| transaction)?|start transaction)(?: (${mode}(?:(?: ,)? ${mode})*))?$`,
);
const end = /^(commit|end|rollback|abort)(?: work| transaction)?( and chain| and no chain)?$/;

/**
 * Reads what a statement does to its transaction; undefined for one that leaves it alone. Savepoints stay inside a
 * transaction and are no control; COMMIT PREPARED and ROLLBACK PREPARED are about another one.
 *
 * @param words the statement's leading words
 */
export function controlOf(words: string): TransactionControl | undefined {
  const begun = begin.exec(words);
  if (begun !== null) return { kind: 'begin', modes: (begun[1] ?? '').replaceAll(' ,', ','), chain: false };
  const ended = end.exec(words);
  if (ended !== null) {
    const kind = ended[1] === 'commit' || ended[1] === 'end' ? 'commit' : 'rollback';
    return { kind, modes: '', chain: ended[2] === ' and chain' };
  }
  return /^prepare transaction ''$/.test(words) ? { kind: 'prepare', modes: '', chain: false } : undefined;
}

/** The words of a control as its author wrote them, in upper case: `START TRANSACTION`, `COMMIT AND CHAIN`. */
export function spellControl({ words }: Pick<Split, 'words'>): string {
  const verb = /^(start transaction|prepare transaction|\w+)/.exec(words)?.[0] ?? words;
  return `${verb}${words.endsWith(' and chain') ? ' and chain' : ''}`.toUpperCase();
}
