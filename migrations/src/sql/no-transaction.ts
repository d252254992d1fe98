import { markersOf } from '../files/markers.ts';

/** The comment that has a file run outside a transaction; other tools' words for it are understood too. */
export const noTransactionMarker = '-- lockstep: no-transaction';

/** What {@link Statement.outsideTransaction} says of a statement that runs alone only because its file asks for it. */
export const askedByFile = 'as the file asks';

/** Whether a comment of an SQL text asks for no transaction, in our words or those of another tool. */
export function asksForNoTransaction(text: string): boolean {
  // Most texts have none of the words, and cost one search.
  return /transaction|txmode/i.test(text) && markersOf(text).some(({ kind }) => kind === 'no transaction');
}
