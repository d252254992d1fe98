/** A line, split into words. */
export interface ShellWords {
  readonly words: readonly string[];
  /** What a shell would have taken for another command or a redirection; Compose passes over it. */
  readonly rest: string;
}

/**
 * Splits a line into words as Compose splits `command` and `entrypoint` (mattn/go-shellwords): blanks separate, quotes
 * and backslashes keep, `\t` and `\n` are a tab and a line end, and it ends before `;`, `&`, `|`, `<` and `>`.
 *
 * Undefined when a quote, a backquote or a bracket is not closed, or a bracket opens without a dollar sign.
 */
export function shellWords(line: string): ShellWords | undefined {
  const words: string[] = [];
  let word: string | undefined;
  /** The quote, backquote or `(` that is open. */
  let open = '';
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === '\\' && open !== "'") {
      at += 1;
      if (at >= line.length) return undefined;
      word = (word ?? '') + escaped(line.charAt(at));
    } else if (/[ \t\r\n]/.test(character) && open === '') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[;&|<>]/.test(character) && open === '') {
      // A number right before `>` is the stream's that it leads away.
      if (word !== undefined && !(character === '>' && /^\d/.test(word))) words.push(word);
      return { words, rest: line.slice(at) };
    } else if (/["']/.test(character) && (open === '' || open === character)) {
      open = open === '' ? character : '';
      word ??= '';
    } else {
      const next = bracketed(character, open, word ?? '');
      if (next === undefined) return undefined;
      open = next;
      word = (word ?? '') + character;
    }
  }
  if (open !== '') return undefined;
  return { words: word === undefined ? words : [...words, word], rest: '' };
}

function escaped(character: string): string {
  if (character === 't') return '\t';
  return character === 'n' ? '\n' : character;
}

/** What is open after this character; undefined when it may not stand there. */
function bracketed(character: string, open: string, before: string): string | undefined {
  if (character === '`' && (open === '' || open === '`')) return open === '' ? '`' : '';
  if (character === '(' && open === '') return before.endsWith('$') ? '(' : undefined;
  if (character === '(' && open === '(') return undefined;
  if (character === ')' && (open === '' || open === '(')) return open === '' ? '(' : '';
  return open;
}
