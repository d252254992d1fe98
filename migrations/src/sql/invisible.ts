import { TokenReader } from '../tokens.ts';

/** A character that a person takes for another, or does not see at all. */
export interface Invisible {
  /** Where it is, in UTF-16 code units. */
  readonly offset: number;
  /** `U+00A0, a no-break space` */
  readonly name: string;
  /** Whether it is seen at all, and taken for another. */
  readonly isSeen: boolean;
}

/** By code point; what Postgres makes of them is part of a name. */
const names: ReadonlyMap<number, string> = new Map([
  [0x00a0, 'a no-break space'],
  [0x00ad, 'a soft hyphen'],
  [0x034f, 'a grapheme joiner'],
  [0x061c, 'a direction mark'],
  [0x115f, 'a Hangul filler'],
  [0x1160, 'a Hangul filler'],
  [0x1680, 'an Ogham space'],
  [0x180e, 'a vowel separator'],
  ...between(0x2000, 0x200a, 'a wide or thin space'),
  [0x200b, 'a zero-width space'],
  [0x200c, 'a zero-width non-joiner'],
  [0x200d, 'a zero-width joiner'],
  ...between(0x200e, 0x200f, 'a direction mark'),
  [0x2028, 'a line separator'],
  [0x2029, 'a paragraph separator'],
  ...between(0x202a, 0x202e, 'a direction mark'),
  [0x202f, 'a narrow no-break space'],
  [0x205f, 'a mathematical space'],
  ...between(0x2060, 0x2064, 'a word joiner'),
  ...between(0x2066, 0x2069, 'a direction mark'),
  [0x3000, 'an ideographic space'],
  [0x3164, 'a Hangul filler'],
  [0xfeff, 'a byte order mark'],
  [0xffa0, 'a Hangul filler'],
  // Seen, and taken for the one that SQL has.
  ...between(0x2010, 0x2015, 'a dash, and not -'),
  [0x2212, 'a minus sign, and not -'],
  ...between(0x2018, 0x201b, "a typographic quote, and not '"),
  ...between(0x201c, 0x201f, 'a typographic quote, and not "'),
  [0x037e, 'a Greek question mark, and not ;'],
  ...between(0xff01, 0xff5e, 'a full-width character'),
]);

/**
 * Finds the characters of SQL text that a person takes for others: in names, and in strings too when `inStrings`; never in
 * comments. A zero-width joiner between other characters than ASCII's is how some scripts are written, and is none.
 */
export function findInvisible(text: string, inStrings: boolean): Invisible[] {
  const found: Invisible[] = [];
  const reader = new TokenReader(text);
  try {
    while (reader.next()) {
      if (reader.kind === 'string' && !inStrings) continue;
      for (let at = reader.start; at < reader.end; at += 1) {
        const code = text.charCodeAt(at);
        const name = code < 128 ? undefined : names.get(code);
        if (name === undefined || (isJoiner(code) && isJoining(text, at))) continue;
        const isSeen = /, and not |full-width/.test(name);
        found.push({
          offset: at,
          name: `U+${code.toString(16).toUpperCase().padStart(4, '0')}, ${name}`,
          isSeen,
        });
      }
    }
  } catch {
    // A quote that is never closed: what comes before it was looked at.
  }
  return found;
}

function* between(from: number, to: number, name: string): Generator<[number, string]> {
  for (let code = from; code <= to; code += 1) yield [code, name];
}

function isJoiner(code: number): boolean {
  return code === 0x200c || code === 0x200d;
}

function isJoining(text: string, at: number): boolean {
  return text.charCodeAt(at - 1) >= 128 && text.charCodeAt(at + 1) >= 128;
}
