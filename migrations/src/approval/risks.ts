import type { Migration, Statement } from '../migration.ts';
import type { Step } from '../plan.ts';
import { TokenReader } from '../tokens.ts';

/**
 * What a person should know before saying yes to a step, a line each: what it deletes, what it rewrites or locks while others
 * wait, and what could not be taken back. Read from the words of the statements alone: what a function does inside is not seen.
 */
export function risksOf(step: Step, migration: Migration | undefined): string[] {
  const { statements } = step.file;
  const found = statements.flatMap((statement) => risksOfStatement(wordsOf(statement)));
  const outside = statements.filter(({ outsideTransaction }) => outsideTransaction !== undefined);
  if (outside.length > 0 && statements.length > 1) {
    found.push('runs outside a transaction: a failure can leave it half done');
  }
  if (step.direction === 'up' && migration !== undefined && migration.down === undefined) {
    found.push('has no down file: it cannot be taken back');
  }
  return [...new Set(found)];
}

/** The statement's words in upper case, and `(`; comments, strings and numbers are left out. */
function wordsOf({ text }: Statement): string[] {
  const reader = new TokenReader(text);
  const words: string[] = [];
  for (let more = reader.next(); more; more = reader.next()) {
    if (reader.kind === 'word') words.push(text.slice(reader.start, reader.end).toUpperCase());
    else if (reader.kind === 'quoted word') words.push(text.slice(reader.start, reader.end));
  }
  return words;
}

function risksOfStatement(words: readonly string[]): string[] {
  const [first, second] = words;
  const risks: string[] = [];
  const has = (...sequence: string[]) =>
    words.some((_, at) => sequence.every((word, index) => words[at + index] === word));
  if (first === 'DROP' && second !== undefined) {
    const losing = ['TABLE', 'SCHEMA', 'MATERIALIZED', 'SEQUENCE', 'FOREIGN', 'OWNED'];
    if (losing.includes(second)) risks.push(`deletes data: DROP ${second}`);
    if (has('CASCADE')) risks.push('CASCADE drops what depends on it as well');
  }
  if (first === 'TRUNCATE') risks.push('deletes data: TRUNCATE');
  if (has('DELETE', 'FROM') || first === 'DELETE') risks.push('deletes data: DELETE');
  if (first === 'UPDATE') risks.push('changes rows: UPDATE');
  if (first === 'ALTER' && second === 'TABLE') risks.push(...risksOfTable(words, has));
  if (first === 'CREATE' && has('INDEX') && !has('CONCURRENTLY')) {
    risks.push('CREATE INDEX without CONCURRENTLY: writers of the table wait until it is built');
  }
  if (first === 'DO' || first === 'CALL') risks.push(`${first} runs code that is not read here`);
  return risks;
}

function risksOfTable(words: readonly string[], has: (...sequence: string[]) => boolean): string[] {
  const risks: string[] = [];
  if (has('DROP', 'COLUMN') || drops(words)) risks.push('deletes data: DROP COLUMN');
  if (has('TYPE')) risks.push('may rewrite the table: ALTER COLUMN TYPE');
  if (has('SET', 'NOT', 'NULL')) risks.push('reads the whole table: SET NOT NULL');
  const adds = has('ADD', 'CONSTRAINT') || has('FOREIGN', 'KEY') || has('ADD', 'CHECK');
  if (adds && !has('NOT', 'VALID')) risks.push('reads the whole table: a constraint without NOT VALID');
  if (has('RENAME')) risks.push('RENAME: the running version of the app does not know the new name');
  return risks;
}

/** `DROP name` without the word COLUMN. */
function drops(words: readonly string[]): boolean {
  const kept = ['CONSTRAINT', 'COLUMN', 'DEFAULT', 'NOT', 'IDENTITY', 'EXPRESSION'];
  return words.some((word, at) => word === 'DROP' && !kept.includes(words[at + 1] ?? ''));
}
