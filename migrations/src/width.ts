import { printable } from './printable.ts';

/** Marks that stand on the character before them, and format characters such as the zero-width joiner. */
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;

/** Unicode's East Asian Wide and Fullwidth blocks; emoji have a property of their own. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]$/u;
const emoji = /^\p{Emoji_Presentation}$/u;
/** Half a flag each: two of them take two columns. */
const regionalIndicator = /^[\u{1f1e6}-\u{1f1ff}]$/u;

/**
 * The columns a terminal gives one code point: 0, 1 or 2, by the rules of `wcwidth`. A tab counts as 1: callers that
 * align text keep the tab itself. What {@link printable}
 * replaces counts as 1, for the sign in its place.
 */
export function widthOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (printable(character) !== character) return 1;
  if (zeroWidth.test(character)) return 0;
  if (wide.test(character)) return 2;
  return emoji.test(character) && !regionalIndicator.test(character) ? 2 : 1;
}

/** The columns of a text of one line. */
export function widthOfText(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}
