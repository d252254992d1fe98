import { isBlank, minus, slash, star } from '../characters.ts';
import { UnfinishedSqlError } from '../file-errors.ts';
import { TokenReader } from '../tokens.ts';

/** A comment from `--` to the end of its line. */
export interface LineComment {
  /** Of its first dash, in UTF-16 code units. */
  readonly offset: number;
  /** With its dashes, without the line ending. */
  readonly text: string;
  /** Whether no token follows, so that nothing is left to run. */
  readonly last: boolean;
}

const lineEnd = /[\r\n]|$/g;
const blockMark = /\/\*|\*\//g;

/**
 * Every `--` comment of an SQL text, as Postgres sees them: what stands in quotes, in dollar quotes or in a block comment
 * is none. Where a quote or comment is never closed, those before it.
 */
export function lineCommentsOf(text: string): LineComment[] {
  const found: Omit<LineComment, 'last'>[] = [];
  const reader = new TokenReader(text);
  let lastToken = 0;
  for (;;) {
    const from = reader.end;
    const { to, more } = advance(reader);
    collect(text, from, to, found);
    if (!more) break;
    lastToken = reader.start;
  }
  return found.map((comment) => ({ ...comment, last: comment.offset > lastToken }));
}

/** Moves to the next token; `to` is where what may hold comments ends before it. */
function advance(reader: TokenReader): { readonly to: number; readonly more: boolean } {
  try {
    const more = reader.next();
    return { to: reader.start, more };
  } catch (error) {
    if (!(error instanceof UnfinishedSqlError)) throw error;
    return { to: error.offset, more: false };
  }
}

/** Finds the line comments in blank space and comments from `from` to `to`. */
function collect(text: string, from: number, to: number, found: Omit<LineComment, 'last'>[]): void {
  for (let at = from; at < to; ) {
    const code = text.charCodeAt(at);
    if (isBlank(code)) at += 1;
    else if (code === minus) {
      lineEnd.lastIndex = at;
      const end = lineEnd.exec(text)?.index ?? text.length;
      found.push({ offset: at, text: text.slice(at, end) });
      at = end;
    } else if (code === slash && text.charCodeAt(at + 1) === star) at = blockEnd(text, at);
    else return;
  }
}

/** Where the block comment at `start`, which is closed, ends; they nest. */
function blockEnd(text: string, start: number): number {
  let depth = 0;
  blockMark.lastIndex = start;
  for (let match = blockMark.exec(text); match !== null; match = blockMark.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return blockMark.lastIndex;
  }
  return text.length;
}
