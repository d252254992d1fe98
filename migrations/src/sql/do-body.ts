import { semicolon } from '../characters.ts';
import { UnfinishedSqlError } from '../file-errors.ts';
import { TokenReader } from '../tokens.ts';

/** How other languages than PL/pgSQL end a transaction; what they build as text cannot (Postgres refuses it). */
const otherLanguages: readonly (readonly [RegExp, RegExp])[] = [
  [/^plpython/, /\bplpy\s*\.\s*(commit|rollback)\s*\(/],
  [/^plperl/, /\bspi_(commit|rollback)\b/],
  [/^pltcl/, /(?:^|[;{])[ \t]*(commit|rollback)[ \t]*(?=[;}]|$)/m],
];

/**
 * Names what a DO ends its transaction by, as in `DO with COMMIT`; undefined when its body has no such statement.
 * Postgres refuses one inside a transaction block (SQLSTATE 2D000), so it runs alone.
 *
 * Only a statement counts: not the word in a string, a comment, a name or an expression. What a procedure does that the
 * body calls is not seen. https://www.postgresql.org/docs/current/plpgsql-transactions.html
 *
 * @param statement one that begins with DO
 */
export function endsTransaction(statement: string): string | undefined {
  const { body, language } = readDo(statement);
  if (body === undefined) return undefined;
  const verb = language === 'plpgsql' ? endingOf(body) : foreignEndingOf(body, language);
  return verb === undefined ? undefined : `DO with ${verb.toUpperCase()}`;
}

function readDo(statement: string): { body: string | undefined; language: string } {
  const reader = new TokenReader(statement);
  let body: string | undefined;
  let language = 'plpgsql';
  let previous = '';
  while (reader.next()) {
    const written = statement.slice(reader.start, reader.end);
    if (previous === 'language') language = unquote(written).toLowerCase();
    else if (reader.kind === 'string') body = joined(body, unquote(written));
    previous = reader.kind === 'word' ? reader.spelling() : '';
  }
  return { body, language };
}

/** A string may go on in the next line. */
function joined(before: string | undefined, part: string): string {
  return before === undefined ? part : before + part;
}

/** What a constant or a quoted name stands for. Escapes other than quotes and line ends are kept: they spell no word. */
function unquote(written: string): string {
  const tag = /^\$[^$]*\$/.exec(written)?.[0];
  if (tag !== undefined) return written.slice(tag.length, -tag.length);
  const opened = /^(?:[a-z]|u&)?(['"])/i.exec(written);
  if (opened === null) return written;
  const [prefix, mark = "'"] = opened;
  const inside = written.slice(prefix.length, -1).replaceAll(mark + mark, mark);
  return /^e/i.test(prefix) ? inside.replace(/\\([nrt\\'])/g, letterOf) : inside;
}

function letterOf(_: string, letter: string): string {
  return { n: '\n', r: '\r', t: '\t' }[letter] ?? letter;
}

/** What a statement of PL/pgSQL follows. */
const openers = new Set(['', ';', 'begin', 'then', 'else', 'loop', '>>']);

function endingOf(body: string): string | undefined {
  const reader = new TokenReader(body);
  let before = '';
  let found: string | undefined;
  try {
    while (reader.next()) {
      const word = reader.kind === 'string' || reader.kind === 'quoted word' ? "''" : reader.spelling();
      if (found !== undefined && (reader.symbol() === semicolon || word === 'and')) return found;
      found = openers.has(before) && (word === 'commit' || word === 'rollback') ? word : undefined;
      before = word;
    }
  } catch (error) {
    // Postgres says what is wrong with it, wherever it runs.
    if (!(error instanceof UnfinishedSqlError)) throw error;
  }
  return undefined;
}

function foreignEndingOf(body: string, language: string): string | undefined {
  const pattern = otherLanguages.find(([name]) => name.test(language))?.[1];
  return pattern?.exec(body)?.[1];
}
