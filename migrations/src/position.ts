import { printable } from './printable.ts';
import { widthOf } from './width.ts';

/** A place in a text, as editors count it. */
export interface Place {
  /** From 1; a line ends at `\n`, `\r\n` or a lone `\r`. */
  readonly line: number;
  /** From 1, in code points. */
  readonly column: number;
}

const lineFeed = 10;
const carriageReturn = 13;
/** Terminal columns an excerpt shows of a line. */
const windowWidth = 100;

/** Finds the line and column of `offset` (UTF-16 code units; beyond the end counts as the end). */
export function locate(text: string, offset: number): Place {
  const end = snap(text, offset);
  let line = 1;
  let start = 0;
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === lineFeed || (code === carriageReturn && text.charCodeAt(at + 1) !== lineFeed)) {
      line += 1;
      start = at + 1;
    }
  }
  let column = 1;
  for (let at = start; at < end; at++) {
    if (!isLowSurrogate(text.charCodeAt(at))) column += 1;
  }
  return { line, column };
}

/**
 * Shows the line that holds `offset`, with its number, and a caret beneath the place; both lines begin with two
 * spaces, so that they stand further in than the evidence line they explain.
 *
 * The caret stands right where a terminal shows wide characters in two columns and combining marks in none, and where
 * the line has tabs. A line wider than 100 columns is cut around the place, marked `…`. Control characters, which
 * could command the terminal, are shown as `·`.
 */
export function excerpt(text: string, offset: number): string[] {
  const at = snap(text, offset);
  const { line } = locate(text, at);
  const before = windowBefore(text, at);
  const after = windowAfter(text, at, windowWidth - before.width);
  const number = String(line);
  const shown = `  ${number} | ${before.shown}${after}`;
  return [shown.trimEnd(), `  ${' '.repeat(number.length)} | ${before.padding}^`];
}

/**
 * Converts an error position of Postgres (from 1, in characters, which are code points) in `text` into an offset in
 * UTF-16 code units. A position beyond the end is the end.
 */
export function offsetOfCharacter(text: string, position: number): number {
  let offset = 0;
  for (let character = 1; character < position && offset < text.length; character++) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  return offset;
}

/** What stands left of `end` on its line, at most half a window wide, and the blank space as wide as it. */
function windowBefore(text: string, end: number): { shown: string; padding: string; width: number } {
  let shown = '';
  let padding = '';
  let width = 0;
  // Code units, too, are bounded: a line may be megabytes of marks that take no column.
  for (let at = end; at > 0 && !isLineEnd(text.charCodeAt(at - 1)); ) {
    if (width >= windowWidth / 2 || end - at > 4 * windowWidth) {
      return { shown: `…${shown}`, padding: ` ${padding}`, width: width + 1 };
    }
    at -= isLowSurrogate(text.charCodeAt(at - 1)) && at > 1 ? 2 : 1;
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    shown = visible(character) + shown;
    const columns = widthOf(character);
    padding = (character === '\t' ? '\t' : ' '.repeat(columns)) + padding;
    width += columns;
  }
  return { shown, padding, width };
}

function windowAfter(text: string, start: number, room: number): string {
  let shown = '';
  let width = 0;
  for (let at = start; at < text.length && !isLineEnd(text.charCodeAt(at)); ) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    const columns = widthOf(character);
    if (width + columns > room || at - start > 4 * windowWidth) return `${shown}…`;
    shown += visible(character);
    width += columns;
    at += character.length;
  }
  return shown;
}

/** A tab is kept: the caret line has the same one. */
function visible(character: string): string {
  return character === '\t' ? character : printable(character);
}

/** Clamps `offset` into `text`, and moves it from inside a surrogate pair to its start. */
function snap(text: string, offset: number): number {
  const at = Math.min(Math.max(0, offset), text.length);
  const inside = at > 0 && isLowSurrogate(text.charCodeAt(at)) && isHighSurrogate(text.charCodeAt(at - 1));
  return inside ? at - 1 : at;
}

function isLineEnd(code: number): boolean {
  return code === lineFeed || code === carriageReturn;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
