import type { FileWarning } from './file-warning.ts';

/** A name, and its file as shown to a person. */
interface Listed {
  readonly path: string;
  readonly name: string;
}

/**
 * Warns once where the order of names, which counts in the layout alphabetical, is not that of the numbers they begin with:
 * `V10__x.sql` comes before `V1__x.sql`.
 *
 * @param files in the order of their names
 */
export function numberOrder(files: readonly Listed[]): FileWarning[] {
  const pairs = files.flatMap((later, index) => {
    const earlier = files[index - 1];
    return earlier !== undefined && isBehind(earlier.name, later.name) ? [{ earlier, later }] : [];
  });
  const [first] = pairs;
  if (first === undefined) return [];
  const more = pairs.length > 1 ? `, and ${pairs.length - 1} more like it` : '';
  const rule = `${first.earlier.name} runs before ${first.later.name}${more}: the order is that of names, not of numbers`;
  const fix = 'as many digits in each number, before any is applied: 01, 02, 10';
  return [{ ...first.later, code: 'number-order', rule, fix }];
}

/** Whether the first of two names has the higher number behind the same letters. */
function isBehind(first: string, second: string): boolean {
  const [a, b] = [numbersOf(first), numbersOf(second)];
  if (a === undefined || b === undefined || a.letters !== b.letters) return false;
  const at = a.numbers.findIndex((number, index) => number !== b.numbers[index]);
  if (at === -1) return false;
  const [mine, other] = [a.numbers[at], b.numbers[at]];
  return mine !== undefined && (other === undefined || mine > other);
}

function numbersOf(name: string): { letters: string; numbers: bigint[] } | undefined {
  const [, letters, version] = /^(\D{0,40})(\d{1,40}(?:[._-]\d{1,40})*)/.exec(name) ?? [];
  if (letters === undefined || version === undefined) return undefined;
  return { letters, numbers: version.split(/[._-]/).map(BigInt) };
}
