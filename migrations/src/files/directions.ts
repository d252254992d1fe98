import type { Direction } from '../migration.ts';
import { type Marker, type MarkerTool, markersOf } from './markers.ts';

/** Something that markers say about a file, and where. */
export interface MarkerNote<Code> {
  /** In UTF-16 code units. */
  readonly offset: number;
  readonly code: Code;
  readonly rule: string;
  readonly fix: string;
}

type Mistake = MarkerNote<'both-directions' | 'substitution'>;
type Oddity = MarkerNote<'direction-heading' | 'foreign-marker'>;

/** What the markers of a file come to: what it may not be run for, and what is only odd. */
export interface MarkerReading {
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Oddity[];
}

const nothing: MarkerReading = { mistakes: [], warnings: [] };

/** The advice for every such file, so that a list of them shows it once. */
const split = 'one file for each direction, .up.sql and .down.sql; see docs/coming-from.md';

/**
 * Judges the markers of other migrators in a file that is run in one direction. A half that goes the other way would be run
 * with the rest, and takes back what the rest makes; so the file is refused, and with it one whose text the tool changes.
 */
export function judgeMarkers(text: string, direction: Direction): MarkerReading {
  const markers = markersOf(text);
  if (markers.length === 0) return nothing;
  const other = markers.find((marker) => goesElsewhere(marker, markers, direction));
  const substitution = markers.find(({ kind }) => kind === 'substitution on');
  const mistakes = [
    ...(other === undefined ? [] : [bothDirections(other, direction)]),
    ...(substitution === undefined ? [] : [substituted(substitution)]),
  ];
  return mistakes.length > 0
    ? { mistakes, warnings: [] }
    : { mistakes, warnings: oddities(markers, direction) };
}

/** Whether what follows the marker goes the other way than the file. Prose is believed only where it has its counterpart. */
function goesElsewhere(
  { kind, tool, certain, last }: Marker,
  markers: readonly Marker[],
  direction: Direction,
): boolean {
  if (kind !== otherThan(direction)) return false;
  return certain || (!last && markers.some((marker) => marker.kind === direction && marker.tool === tool));
}

function bothDirections({ offset, text, tool }: Marker, direction: Direction): Mistake {
  const way = direction === 'up' ? 'the way down' : 'the way up';
  const rule = `${quoted(text)}${of(tool)} begins ${way}, which would run with the rest`;
  return { offset, code: 'both-directions', rule, fix: split };
}

function substituted({ offset, text, tool }: Marker): Mistake {
  const rule = `${quoted(text)}${of(tool)} puts in variables of the environment, which is not done here`;
  return {
    offset,
    code: 'substitution',
    rule,
    fix: 'write the values into the file, and take the marker out',
  };
}

function oddities(markers: readonly Marker[], direction: Direction): Oddity[] {
  const heading = markers.find(
    ({ kind, certain, last }) => kind === otherThan(direction) && !certain && !last,
  );
  // What a comment says about transactions is kept, also beside a direction.
  const kept = new Set(markers.flatMap(({ kind, offset }) => (kind === 'no transaction' ? [offset] : [])));
  const foreign = markers.find(({ certain, offset }) => certain && !kept.has(offset));
  return [
    ...(heading === undefined ? [] : [headed(heading, direction)]),
    ...(foreign === undefined ? [] : [unneeded(foreign)]),
  ];
}

function headed({ offset, text }: Marker, direction: Direction): Oddity {
  const rule = `${quoted(text)} reads as if the way ${otherThan(direction)} followed, and what follows runs`;
  return {
    offset,
    code: 'direction-heading',
    rule,
    fix: `words that say what is done; if it goes ${otherThan(direction)}, a file of its own`,
  };
}

function unneeded({ offset, text, tool, kind }: Marker): Oddity {
  const rule =
    kind === 'unknown'
      ? `${quoted(text)}${of(tool)} is not known, and does nothing here`
      : `${quoted(text)}${of(tool)} does nothing here`;
  return {
    offset,
    code: 'foreign-marker',
    rule,
    fix: 'take the comment out; comments do not count in the checksum',
  };
}

function otherThan(direction: Direction): Direction {
  return direction === 'up' ? 'down' : 'up';
}

function of(tool: MarkerTool): string {
  return tool === 'nobody' ? '' : ` of ${tool}`;
}

function quoted(text: string): string {
  return `"${text.length > 60 ? `${text.slice(0, 59)}…` : text}"`;
}
