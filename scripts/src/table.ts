/** How wide a line may be: as the terminal is, and never taken for narrower than 80. */
export function columnsOf(stream: { readonly columns?: number }): number {
  return Math.max(80, stream.columns ?? 80);
}

/** Lays rows out in columns two blanks apart; the first row is the heading. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Puts parts one behind the other, and on a new line, indented, where the next would not fit. */
export function wrapParts(
  first: string,
  parts: readonly string[],
  separator: string,
  columns: number,
): string {
  const lines: string[] = [];
  let line = first;
  for (const [index, part] of parts.entries()) {
    const joined = index === 0 ? `${line}${part}` : `${line}${separator}${part}`;
    if (joined.length <= columns) {
      line = joined;
      continue;
    }
    lines.push(line.trimEnd());
    line = `  ${part}`;
  }
  return [...lines, line].join('\n');
}

/** Cuts what is too long, and shows that it was cut. */
export function shorten(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, Math.max(0, longest - 1))}…`;
}
