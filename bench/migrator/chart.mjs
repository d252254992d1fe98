// A chart of applying N migrations, as SVG: both axes logarithmic.

const width = 720;
const height = 360;
const left = 64;
const right = 190;
const top = 40;
const bottom = 44;
const colours = {
  lockstep: '#0b6e4f',
  'lockstep, development': '#12b886',
  'psql -1': '#868e96',
  psql: '#ced4da',
  dbmate: '#e8590c',
  'node-pg-migrate': '#7048e8',
  sqitch: '#c2255c',
};

/** @param lines by tool: pairs of N and milliseconds */
export function chartOf(lines, subtitle) {
  const points = Object.values(lines).flat();
  const log = Math.log10;
  const [xs, ys] = [points.map(([n]) => n), points.map(([, milliseconds]) => milliseconds)];
  const low = 10 ** Math.floor(log(Math.min(...ys)));
  const high = 10 ** Math.ceil(log(Math.max(...ys)));
  const most = Math.max(...xs);
  const x = (n) => left + ((width - left - right) * log(n)) / log(most);
  const y = (value) =>
    height - bottom - ((height - top - bottom) * (log(value) - log(low))) / (log(high) - log(low));
  const text = (at, content, more = '') =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" ${more}>${content}</text>`;
  const parts = [
    text([left, 20], 'Applying N migrations to an empty database', 'font-weight="600"'),
    text([left, 34], subtitle, 'font-size="10" opacity="0.7"'),
  ];
  for (let value = low; value <= high; value *= 10) {
    parts.push(
      `<line x1="${left}" x2="${width - right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="currentColor" opacity="0.15"/>`,
    );
    parts.push(
      text(
        [left - 8, y(value) + 4],
        value >= 1000 ? `${value / 1000} s` : `${value} ms`,
        'text-anchor="end"',
      ),
    );
  }
  for (let n = 1; n <= most; n *= 10)
    parts.push(text([x(n), height - bottom + 18], n.toLocaleString('en'), 'text-anchor="middle"'));
  const ends = Object.entries(lines)
    .map(([name, line]) => ({ name, line, at: y(line.at(-1)[1]) + 4, x: x(line.at(-1)[0]) }))
    .sort((a, b) => a.at - b.at);
  let lowest = 0;
  for (const { name, line, at, x: end } of ends) {
    const colour = colours[name] ?? '#495057';
    const path = line.map(([n, value]) => `${x(n).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    const dashed = name.startsWith('psql') ? ' stroke-dasharray="4 3"' : '';
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dashed}/>`);
    const place = Math.max(at, lowest + 13);
    lowest = place;
    parts.push(
      `<line x1="${end.toFixed(1)}" y1="${(at - 4).toFixed(1)}" x2="${width - right + 8}" y2="${(place - 4).toFixed(1)}" stroke="${colour}" opacity="0.5"/>`,
    );
    parts.push(
      text(
        [width - right + 12, place],
        `${name} ${Math.round(line.at(-1)[1]).toLocaleString('en')} ms`,
        `fill="${colour}"`,
      ),
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11" color="#495057" fill="#495057" role="img">\n<title>Applying N migrations to an empty database, milliseconds by tool</title>\n<rect width="${width}" height="${height}" fill="#ffffff"/>\n${parts.join('\n')}\n</svg>\n`;
}
