import type { Statement } from './migration.ts';
import { TokenReader } from './tokens.ts';

/** What must hold before a statement runs, so that it deletes nothing that anybody entered. */
export interface Loss {
  /** As SQL spells it, with its schema where the statement has one. */
  readonly table: string;
  /** Undefined for every row; else the column that must be empty in all of them. */
  readonly column: string | undefined;
}

interface Token {
  readonly text: string;
  /** In upper case, for words that are not quoted; else empty. */
  readonly word: string;
}

/** What holds no rows of its own. */
const rowless = new Set([
  'INDEX',
  'VIEW',
  'FUNCTION',
  'PROCEDURE',
  'AGGREGATE',
  'ROUTINE',
  'TRIGGER',
  'POLICY',
  'RULE',
  'TYPE',
  'DOMAIN',
]);

/**
 * What a statement would delete, or the reason why that is not to be told: only DROP, and ALTER TABLE … DROP, are read here.
 * CASCADE reaches what is not named, and is never told.
 */
export function lossesOf(statement: Statement): readonly Loss[] | string {
  const tokens = readTokens(statement.text);
  const words = tokens.map(({ word }) => word);
  if (words.includes('CASCADE')) return 'it drops by CASCADE';
  if (words[0] === 'DROP' && words[1] === 'TABLE') return droppedTables(tokens.slice(2));
  if (words[0] === 'DROP' && (rowless.has(words[1] ?? '') || words[1] === 'MATERIALIZED')) return [];
  if (words[0] === 'ALTER' && words[1] === 'TABLE') return droppedParts(tokens.slice(2));
  return `${words.slice(0, 2).join(' ').trim() || 'a statement'} may change rows`;
}

function readTokens(text: string): Token[] {
  const reader = new TokenReader(text);
  const tokens: Token[] = [];
  for (let more = reader.next(); more; more = reader.next()) {
    const slice = text.slice(reader.start, reader.end);
    tokens.push({ text: slice, word: reader.kind === 'word' ? slice.toUpperCase() : '' });
  }
  return tokens;
}

/** `[IF EXISTS] a, b.c [RESTRICT]` */
function droppedTables(tokens: readonly Token[]): readonly Loss[] | string {
  const list = new TokenList(tokens);
  list.skip('IF', 'EXISTS');
  const losses: Loss[] = [];
  do {
    const table = list.name();
    if (table === undefined) return 'its DROP TABLE is not understood';
    losses.push({ table, column: undefined });
  } while (list.skip(','));
  list.skip('RESTRICT');
  return list.ended ? losses : 'its DROP TABLE is not understood';
}

/** `[IF EXISTS] [ONLY] t DROP [COLUMN] [IF EXISTS] c, DROP CONSTRAINT [IF EXISTS] n` */
function droppedParts(tokens: readonly Token[]): readonly Loss[] | string {
  const list = new TokenList(tokens);
  list.skip('IF', 'EXISTS');
  list.skip('ONLY');
  const table = list.name();
  if (table === undefined) return 'its ALTER TABLE is not understood';
  const losses: Loss[] = [];
  do {
    if (!list.skip('DROP')) return 'its ALTER TABLE does more than drop';
    const isConstraint = list.skip('CONSTRAINT');
    if (!isConstraint) list.skip('COLUMN');
    list.skip('IF', 'EXISTS');
    const part = list.name();
    if (part === undefined) return 'its ALTER TABLE is not understood';
    if (!isConstraint) losses.push({ table, column: part });
    list.skip('RESTRICT');
  } while (list.skip(','));
  return list.ended ? losses : 'its ALTER TABLE does more than drop';
}

class TokenList {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get ended(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** Passes over these words or signs when all of them come next. */
  skip(...words: readonly string[]): boolean {
    const next = words.every((word, index) => {
      const token = this.#tokens[this.#at + index];
      return token !== undefined && (token.word === word || token.text === word);
    });
    if (next) this.#at += words.length;
    return next;
  }

  /** `a`, `"A".b` */
  name(): string | undefined {
    const parts: string[] = [];
    do {
      const token = this.#tokens[this.#at];
      if (token === undefined || !(token.word !== '' || token.text.startsWith('"'))) return undefined;
      parts.push(token.text);
      this.#at += 1;
    } while (this.skip('.'));
    return parts.join('.');
  }
}
