import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stack } from './compose/stack.ts';
import type { EngineName, Outcome, Progress } from './engine.ts';
import type { Project } from './project.ts';

/** Something that took from one moment to another, in seconds since the command began. */
export interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** A service that was started, and which one it was last held up by. */
export interface ServiceSpan extends Span {
  readonly waitedFor: string | undefined;
}

/** What a start spent its time on. */
export interface Timeline {
  readonly engine: EngineName;
  /** When it began, as an ISO 8601 instant. */
  readonly at: string;
  readonly seconds: number;
  /** One after the other, before the first service. */
  readonly before: readonly Span[];
  /** In the order in which they began. */
  readonly services: readonly ServiceSpan[];
}

/** Notes when each service became what it is, while a start goes on. */
export class TimelineRecorder {
  /** Seconds since the command began, now. */
  readonly #now: () => number;
  readonly #ended = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  see(progress: Progress): void {
    if (progress.kind !== 'service') return;
    const { service, state } = progress.status;
    const isFinal =
      state === 'healthy' || state === 'completed' || state === 'failed' || state === 'unhealthy';
    if (isFinal && !this.#ended.has(service)) this.#ended.set(service, this.#now());
  }

  /** The services that were started: each took as long as its outcome says, up to when it was seen to be ready. */
  spans(outcomes: readonly Outcome[], stack: Stack): ServiceSpan[] {
    const spans = new Map<string, Span>();
    for (const { service, changed, seconds } of outcomes) {
      const to = this.#ended.get(service);
      if (!changed || seconds === undefined || to === undefined) continue;
      spans.set(service, { name: service, from: Math.max(0, to - seconds), to });
    }
    return [...spans.values()]
      .map((span) => ({ ...span, waitedFor: lastOf(stack, span.name, spans) }))
      .sort((a, b) => a.from - b.from);
  }
}

/** The dependency that was ready last. */
function lastOf(stack: Stack, name: string, spans: ReadonlyMap<string, Span>): string | undefined {
  const dependencies = (stack.services.get(name)?.dependsOn ?? []).flatMap(
    ({ service }) => spans.get(service) ?? [],
  );
  return dependencies.sort((a, b) => b.to - a.to)[0]?.name;
}

/** Turns durations into spans that follow each other. */
export function inSequence(steps: readonly { readonly name: string; readonly seconds: number }[]): Span[] {
  let at = 0;
  return steps.map(({ name, seconds }) => {
    const from = at;
    at += seconds;
    return { name, from, to: at };
  });
}

/** Keeps it as that of the last start; what cannot be written is not worth a failed start. */
export function keepTimeline({ stateFolder }: Project, timeline: Timeline): void {
  try {
    mkdirSync(stateFolder, { recursive: true });
    replace(join(stateFolder, 'timeline.json'), `${JSON.stringify(timeline, null, 2)}\n`);
    replace(join(stateFolder, 'timeline.svg'), drawTimeline(timeline));
  } catch {
    // A read-only disk, say; `status` then says that there is none.
  }
}

function replace(file: string, text: string): void {
  const beside = `${file}.${process.pid}.new`;
  writeFileSync(beside, text, { mode: 0o600 });
  renameSync(beside, file);
}

/** That of the last start; undefined when there is none that can be read. */
export function lastTimeline({ stateFolder }: Project): Timeline | undefined {
  try {
    const timeline = JSON.parse(readFileSync(join(stateFolder, 'timeline.json'), 'utf8')) as Timeline;
    return Array.isArray(timeline.before) && Array.isArray(timeline.services) ? timeline : undefined;
  } catch {
    return undefined;
  }
}

const widestBar = 40;
const narrowestBar = 8;
/** With less room than this for the bars, a span shows how long it took and not from when to when. */
const roomForRanges = 20;

/** A waterfall in text, within `columns`: a bar for each span, and which service it was last held up by. */
export function renderTimeline(timeline: Timeline, columns = 120): string {
  const { engine, at, seconds, before, services } = timeline;
  const spans: (Span & { readonly waitedFor?: string | undefined })[] = [
    ...before.filter(isSeen),
    ...services,
  ];
  const width = Math.max(0, ...spans.map(({ name }) => name.length));
  const total = Math.max(seconds, ...spans.map(({ to }) => to), 0.001);
  const after = Math.max(
    0,
    ...spans.map(({ waitedFor }) => (waitedFor === undefined ? 0 : waitedFor.length + 8)),
  );
  const fits = columns - 2 - width - 2 - after;
  const hasRanges = fits - 16 >= roomForRanges;
  const barColumns = Math.max(narrowestBar, Math.min(widestBar, fits - (hasRanges ? 16 : 9)));
  const lines = spans.map(({ name, from, to, waitedFor }) => {
    const start = Math.min(barColumns - 1, Math.floor((from / total) * barColumns));
    const length = Math.max(1, Math.round(((to - from) / total) * barColumns));
    const bar = `${' '.repeat(start)}${'█'.repeat(Math.min(length, barColumns - start))}`.padEnd(barColumns);
    const waited = waitedFor === undefined ? '' : `  after ${waitedFor}`;
    const time = hasRanges
      ? `${from.toFixed(2).padStart(5)} – ${to.toFixed(2)}`
      : (to - from).toFixed(2).padStart(5);
    return `  ${name.padEnd(width)}  ${bar}  ${time} s${waited}`;
  });
  const head = `the last start, ${at.slice(0, 19).replace('T', ' ')} UTC on ${engine}: ${seconds.toFixed(1)} s`;
  return `${[head, ...lines].join('\n')}\n`;
}

function isSeen({ from, to }: Span): boolean {
  return to - from >= 0.005;
}

const row = 22;
const left = 190;
const right = 760;

/** The same as an SVG image. */
export function drawTimeline({ engine, seconds, before, services }: Timeline): string {
  const spans: (Span & { readonly waitedFor?: string | undefined })[] = [
    ...before.filter(isSeen),
    ...services,
  ];
  const total = Math.max(seconds, ...spans.map(({ to }) => to), 0.001);
  const x = (at: number) => (left + ((right - left) * at) / total).toFixed(1);
  const places = new Map(spans.map(({ name }, index) => [name, index]));
  const height = 48 + row * spans.length;
  const parts = spans.flatMap(({ name, from, to, waitedFor }, index) => {
    const y = 40 + row * index;
    const bar = `<rect x="${x(from)}" y="${y}" width="${Math.max(1, Number(x(to)) - Number(x(from))).toFixed(1)}" height="14" rx="2" fill="${index < spans.length - services.length ? '#adb5bd' : '#0b6e4f'}"/>`;
    const label = `<text x="${left - 8}" y="${y + 11}" text-anchor="end">${escapeXml(name)}</text>`;
    const time = `<text x="${Number(x(to)) + 5}" y="${y + 11}">${(to - from).toFixed(2)} s</text>`;
    const other = waitedFor === undefined ? undefined : places.get(waitedFor);
    const line =
      other === undefined
        ? []
        : [
            `<path d="M${x(spans[other]?.to ?? 0)} ${40 + row * other + 14} V${y + 7} H${x(from)}" fill="none" stroke="#868e96" stroke-dasharray="2 2"/>`,
          ];
    return [...line, bar, label, time];
  });
  const title = `<text x="12" y="22" font-weight="600">${seconds.toFixed(1)} s on ${engine}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 ${height}" font-family="system-ui, sans-serif" font-size="11" fill="#343a40" role="img">\n<title>What the last start spent its time on</title>\n<rect width="840" height="${height}" fill="#ffffff"/>\n${[title, ...parts].join('\n')}\n</svg>\n`;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
