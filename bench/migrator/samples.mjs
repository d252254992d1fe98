// Medians of what was measured, as text and as data.

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Milliseconds and bytes by case, in the order in which the cases were first seen. */
export class Samples {
  #all = new Map();

  /** Runs `work` and keeps its figures under `name`; returns what it returned. */
  async take(name, work) {
    const result = await work();
    const kept = this.#all.get(name) ?? [];
    this.#all.set(name, [...kept, { milliseconds: result.milliseconds, bytes: result.bytes ?? 0 }]);
    return result;
  }

  /** Median, range and rounds of each case; largest memory in bytes. */
  toJson() {
    return Object.fromEntries(
      [...this.#all].map(([name, taken]) => {
        const all = taken.map(({ milliseconds }) => milliseconds);
        const round = (value) => Math.round(value * 10) / 10;
        return [
          name,
          {
            median: round(median(all)),
            least: round(Math.min(...all)),
            most: round(Math.max(...all)),
            rounds: all.length,
            bytes: Math.max(...taken.map(({ bytes }) => bytes)),
          },
        ];
      }),
    );
  }
}

/** One section as lines of text, each case with its ratio to `base`. */
export function printSection(title, cases, base) {
  console.log(`\n${title}`);
  const unit = cases[base]?.median;
  for (const [name, { median: middle, least, most, rounds, bytes }] of Object.entries(cases)) {
    const ratio = unit === undefined ? '' : `${(middle / unit).toFixed(2)} ×`;
    const memory = bytes === 0 ? '' : `${Math.round(bytes / 2 ** 20)} MiB`;
    console.log(
      `  ${name.padEnd(44)} ${middle.toFixed(0).padStart(8)} ms  ${ratio.padStart(8)}  ${memory.padStart(8)}  (${least.toFixed(0)}–${most.toFixed(0)}, ${rounds} rounds)`,
    );
  }
}
