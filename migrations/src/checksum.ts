import { createHash } from 'node:crypto';
import type { Statement } from './migration.ts';
import { TokenReader } from './tokens.ts';

/**
 * Computes the checksum of statements, as lower-case hexadecimal SHA-256, from their tokens.
 *
 * So comments, blank space, the case of unquoted words, a last `;` and an enclosing BEGIN … COMMIT do not count.
 * Inside quotes every character counts, the body of a function included, except that a line ending CRLF counts as LF:
 * git's autocrlf is no edit. Two spellings of one value (`"a"` and `a`, `'x'` and `$$x$$`) count as different.
 */
export function checksumStatements(statements: readonly Statement[]): string {
  const hash = createHash('sha256');
  let pending = '';
  for (const { text } of statements) {
    const reader = new TokenReader(text);
    while (reader.next()) {
      pending += significant(reader);
      // U+0000 is in no SQL text, so `a b` and `ab` differ.
      pending += '\0';
      if (pending.length > 65_536) {
        hash.update(pending);
        pending = '';
      }
    }
    pending += ';\0';
  }
  return hash.update(pending).digest('hex');
}

function significant(reader: TokenReader): string {
  const spelling = reader.spelling();
  if (reader.kind !== 'string' && reader.kind !== 'quoted word') return spelling;
  const folded = spelling.includes('\r\n') ? spelling.replaceAll('\r\n', '\n') : spelling;
  // The prefix of E'…' and its like is a keyword.
  return /^[A-Z]/.test(folded) ? folded.charAt(0).toLowerCase() + folded.slice(1) : folded;
}
