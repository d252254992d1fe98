import { isUtf8 } from 'node:buffer';
import { locate, type Place } from './position.ts';

/** A rule that the bytes of a file break, and where. */
export interface TextMistake {
  readonly place: Place;
  readonly rule: string;
}

/**
 * Decodes the bytes of an SQL file: UTF-8, whose byte order mark is dropped.
 *
 * @returns the rule that is broken when the bytes are UTF-16, no UTF-8 at all, or hold U+0000, which no text in
 *   Postgres can
 */
export function decodeSql(bytes: Buffer): string | TextMistake {
  const start = { line: 1, column: 1 };
  if (bytes[0] === 0xff && bytes[1] === 0xfe)
    return { place: start, rule: 'the file is UTF-16 (little endian); save it as UTF-8' };
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return { place: start, rule: 'the file is UTF-16 (big endian); save it as UTF-8' };
  if (!isUtf8(bytes)) return invalid(bytes);
  const decoded = bytes.toString('utf8');
  const text = decoded.startsWith('\ufeff') ? decoded.slice(1) : decoded;
  const nul = text.indexOf('\0');
  if (nul === -1) return text;
  return { place: locate(text, nul), rule: 'the file has a NUL byte, which no text in Postgres can hold' };
}

function invalid(bytes: Buffer): TextMistake {
  const at = firstInvalidByte(bytes);
  const before = bytes.toString('utf8', 0, at).replace(/^\ufeff/, '');
  const byte = (bytes[at] ?? 0).toString(16).toUpperCase().padStart(2, '0');
  return {
    place: locate(before, before.length),
    rule: `the file is not UTF-8: byte 0x${byte} at offset ${at}; save it as UTF-8`,
  };
}

/** Passes what is valid in great steps, then in small ones, then character by character. */
function firstInvalidByte(bytes: Buffer): number {
  let at = 0;
  for (const size of [1 << 20, 1 << 10]) {
    for (let end = boundary(bytes, at + size); end > at && isUtf8(bytes.subarray(at, end)); ) {
      at = end;
      end = boundary(bytes, at + size);
    }
  }
  for (;;) {
    const size = [1, 2, 3, 4].find((each) => isUtf8(bytes.subarray(at, at + each)));
    if (size === undefined || at >= bytes.length) return at;
    at += size;
  }
}

/** The last place at or before `end` where a character may begin. */
function boundary(bytes: Buffer, end: number): number {
  let at = Math.min(end, bytes.length);
  while (at > 0 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return at;
}
