import type { Place } from '../compose/mistakes.ts';

/** `good` is as it should be, `bad` needs an act, `note` is good to know. */
export type Mark = 'good' | 'bad' | 'note';

/** One thing that was looked at. */
export interface Finding {
  readonly mark: Mark;
  readonly text: string;
  /** What happens because of it. */
  readonly because?: string;
  /** What to do about it. */
  readonly act?: string;
  /** The rule that found it, when a compose file is at fault. */
  readonly rule?: string;
  readonly place?: Place;
}

/** Findings under one title. */
export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

const signs = { good: '✓', bad: '✗', note: '·' } as const;

/** The sections as text: a line for each finding, what follows from it and what to do indented under it. */
export function renderSections(sections: readonly Section[]): string {
  return sections
    .filter(({ findings }) => findings.length > 0)
    .map(({ title, findings }) => `${title}\n${findings.map(renderFinding).join('')}`)
    .join('');
}

function renderFinding({ mark, text, because, act, place }: Finding): string {
  const where = place === undefined ? '' : `${place.file}:${place.line}:${place.column}  `;
  const below = [because, act].filter((line) => line !== undefined);
  return `  ${signs[mark]} ${where}${text}\n${below.map((line) => `      ${line}\n`).join('')}`;
}
