import { count } from '@lockstep/foundation';
import type { Addition, Change } from './addition.ts';
import type { NewService } from './name.ts';

/** Says for people what an addition would write: each new file with its length, of a changed one each new line. */
export function renderAddition({ name }: NewService, { folder, changes }: Addition): string {
  const files = folder.map(({ path, text }) => `new ${name}/${path} (${lengthOf(text)})\n`);
  return [...files, ...changes.map(renderChange)].join('');
}

function renderChange({ path, before, after }: Change): string {
  if (before === undefined) return `new ${path} (${lengthOf(after)})\n`;
  const lines = addedLines(before.split(/\r?\n/), after.split(/\r?\n/));
  return [`changed ${path}`, ...lines.map(({ line, text }) => `${String(line).padStart(6)} + ${text}`), '']
    .join('\n')
    .replace(/ +$/gm, '');
}

function lengthOf(text: string): string {
  return count(text.split('\n').length - 1, 'line');
}

/** The lines of `after` that are not in `before` at their turn. Enough for files that only grow. */
function addedLines(before: readonly string[], after: readonly string[]): { line: number; text: string }[] {
  const added: { line: number; text: string }[] = [];
  let at = 0;
  for (const [index, text] of after.entries()) {
    const here = text === before[at] ? at : before.indexOf(text, at);
    // A line that comes back far below is another one that happens to read the same.
    if (here !== -1 && here - at <= 1) at = here + 1;
    else added.push({ line: index + 1, text });
  }
  return added;
}
