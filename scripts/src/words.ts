/**
 * Splits a line into words as a shell would: blanks between them, single and double quotes around what belongs together. A
 * backslash outside single quotes takes its meaning from a blank, a quote or a backslash after it; before anything else it
 * stays, as psql's `\l` needs it. Nothing is expanded and nothing is run.
 *
 * @returns undefined when a quote is not closed
 */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const character = line.charAt(at);
    const next = line.charAt(at + 1);
    if (character === '\\' && quote !== "'" && /[\s'"\\]/.test(next)) {
      word = (word ?? '') + next;
      at += 1;
    } else if (quote === undefined && (character === "'" || character === '"')) {
      quote = character;
      word ??= '';
    } else if (character === quote) quote = undefined;
    else if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== undefined) return undefined;
  return word === undefined ? words : [...words, word];
}
