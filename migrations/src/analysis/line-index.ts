import type { Place } from '../position.ts';

/** Finds lines and columns in a text of which many are asked for; counts as position.ts does. */
export class LineIndex {
  readonly #text: string;
  #starts: number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  place(offset: number): Place {
    this.#starts ??= this.#index();
    const starts = this.#starts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const before = this.#text.slice(starts[low], offset);
    return { line: low + 1, column: [...before].length + 1 };
  }

  #index(): number[] {
    const starts = [0];
    for (const { index, 0: ending } of this.#text.matchAll(/\r\n|\r|\n/g)) starts.push(index + ending.length);
    return starts;
  }
}
