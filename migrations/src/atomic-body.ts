import type { TokenReader } from './tokens.ts';

/** What can follow the label `case`, as in `select a case from t`; none of it can follow the CASE of an expression. */
const behindLabel = new Set(
  ', ; ) from into where group having window union intersect except order limit offset fetch for on'.split(
    ' ',
  ),
);

/**
 * Follows CREATE [OR REPLACE] FUNCTION or PROCEDURE into a body of the SQL standard's form, BEGIN ATOMIC … END, in
 * which CASE … END nests. Postgres 14 and newer know it.
 *
 * Both words may be names there, too: behind a point (`t.end`), and as labels, with or without AS (`select 1 end`).
 */
export class AtomicBody {
  #words = 0;
  #routine: boolean | undefined;
  #open = false;
  #parentheses = 0;
  /** How many parentheses were open at each CASE that has not ended. */
  readonly #cases: number[] = [];
  #afterCase = false;
  #previous = '';

  /** True from BEGIN ATOMIC to its END. */
  get open(): boolean {
    return this.#open;
  }

  take(reader: TokenReader): void {
    if (this.#routine === false) return;
    const word = reader.kind === 'word' || reader.kind === 'symbol' ? reader.spelling() : '';
    this.#routine ??= this.#isRoutine(word);
    if (word === '(') this.#parentheses += 1;
    else if (word === ')') this.#parentheses -= 1;
    if (this.#open) this.#takeInside(word);
    else this.#open = word === 'atomic' && this.#previous === 'begin' && this.#parentheses === 0;
    this.#previous = word;
  }

  #takeInside(word: string): void {
    if (this.#afterCase && behindLabel.has(word)) this.#cases.pop();
    this.#afterCase = false;
    if (this.#previous === '.') return;
    if (word === 'case') {
      this.#cases.push(this.#parentheses);
      this.#afterCase = true;
    } else if (word === 'end') {
      if (this.#cases.at(-1) === this.#parentheses) this.#cases.pop();
      // Every statement of a body ends with a semicolon; any other END is a label.
      else this.#open = this.#previous !== ';' && this.#previous !== 'atomic';
    }
  }

  /** Undefined while the first words leave it open. */
  #isRoutine(word: string): boolean | undefined {
    this.#words += 1;
    if (word === 'function' || word === 'procedure') return true;
    const undecided = this.#words === 1 || (this.#words <= 3 && (word === 'or' || word === 'replace'));
    return undecided ? undefined : false;
  }
}
