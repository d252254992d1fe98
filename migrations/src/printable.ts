/** C0 and C1 controls, and the marks that turn the reading direction: they could command a terminal or deceive. */
const commanding = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** As {@link printable}, of text that has lines: line feeds and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(commanding, (character) => (/[\n\t]/.test(character) ? character : '·'));
}

/** Replaces every character that a terminal would obey rather than show, a tab included, by `·`. */
export function printable(text: string): string {
  return text.replace(commanding, '·');
}
