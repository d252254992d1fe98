import { AtomicBody } from './atomic-body.ts';
import { backslash, closeParenthesis, openParenthesis, semicolon } from './characters.ts';
import { UnfinishedSqlError } from './file-errors.ts';
import { TokenReader } from './tokens.ts';
import { LeadingWords } from './transactional.ts';

/** A rule that SQL text breaks, and where. */
export interface SqlMistake {
  /** In UTF-16 code units. */
  readonly offset: number;
  readonly rule: string;
  /** What is opened at `offset` and never closed, when that is the rule. */
  readonly unfinished?: string;
}

/** How many mistakes of one text are collected: enough to mend it by, and no flood from a file that is no SQL. */
export const mostMistakes = 20;

/** One statement: the offsets of its first character and behind its last, and the words it begins with. */
export interface Split {
  readonly start: number;
  readonly end: number;
  readonly words: string;
}

/**
 * Splits SQL text at each `;` that ends a statement: not those in quotes, comments or parentheses (CREATE RULE … DO
 * (a; b)), nor those in the body of a routine written as BEGIN ATOMIC … END. Empty statements vanish.
 *
 * Also finds what only a reader of the whole text can: quotes that are never closed, and what psql reads beside SQL,
 * its own commands and the rows of COPY … FROM STDIN.
 */
export function split(text: string): { pieces: Split[]; mistakes: SqlMistake[] } {
  const splitter = new Splitter(text);
  try {
    splitter.run();
  } catch (error) {
    if (!(error instanceof UnfinishedSqlError)) throw error;
    const { offset, what, message } = error;
    splitter.mistakes.push({ offset, rule: message, unfinished: what });
  }
  return { pieces: splitter.pieces, mistakes: splitter.mistakes };
}

class Splitter {
  readonly pieces: Split[] = [];
  readonly mistakes: SqlMistake[] = [];
  readonly #reader: TokenReader;
  #start = -1;
  #end = 0;
  #words = new LeadingWords();
  #parentheses = 0;
  #body = new AtomicBody();
  #rowsEnd = true;

  constructor(text: string) {
    this.#reader = new TokenReader(text);
  }

  run(): void {
    const reader = this.#reader;
    while (reader.next()) {
      const symbol = reader.symbol();
      if (symbol === semicolon && this.#parentheses === 0 && !this.#body.open) {
        this.#close();
      } else if (symbol === backslash) {
        this.#refuse(reader.start, 'psql meta-commands do not run on a server');
        this.#skipPast(/[\r\n]|$/g);
      } else {
        this.#take(symbol);
      }
    }
    this.#close();
  }

  #take(symbol: number): void {
    const reader = this.#reader;
    if (this.#start === -1) this.#start = reader.start;
    this.#end = reader.end;
    if (symbol === openParenthesis) this.#parentheses += 1;
    // A column list of COPY may be longer than what is kept, and no rule is about it.
    if (this.#parentheses === 0 || this.#words.first !== 'copy') this.#words.add(reader);
    if (symbol === closeParenthesis && this.#parentheses > 0) this.#parentheses -= 1;
    if (this.#words.first === 'create') this.#body.take(reader);
  }

  #close(): void {
    if (this.#start === -1) return;
    const words = this.#words.text();
    this.pieces.push({ start: this.#start, end: this.#end, words });
    if (/^copy\b.* from std(in|out)\b/.test(words)) this.#refuseRows(this.#start);
    this.#start = -1;
    this.#words = new LeadingWords();
    this.#parentheses = 0;
    this.#body = new AtomicBody();
  }

  #refuse(offset: number, rule: string): void {
    if (this.mistakes.length < mostMistakes) this.mistakes.push({ offset, rule });
  }

  /** The rows that follow COPY … FROM STDIN are no SQL: their quotes would open and close nothing. */
  #refuseRows(offset: number): void {
    this.#refuse(offset, 'COPY FROM STDIN has no input here: use INSERT, or COPY from a file on the server');
    // Looked for once more only while there was one, so that a file of nothing but COPY stays linear.
    this.#rowsEnd &&= this.#skipPast(/^\\\.[ \t]*$/gm);
  }

  /** Continues behind the next match of `pattern`; false when there is none. */
  #skipPast(pattern: RegExp): boolean {
    pattern.lastIndex = this.#reader.end;
    const found = pattern.test(this.#reader.text);
    if (found) this.#reader.skipTo(pattern.lastIndex);
    return found;
  }
}
