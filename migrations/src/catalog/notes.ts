import { count } from '@lockstep/foundation';
import type { Json } from '../json.ts';
import { keyOf } from './catalog.ts';
import type { Note } from './scope.ts';

/**
 * Puts notes in words, a line each; what lies in schemas that the files do not touch is counted.
 *
 *     extension pg_stat_statements
 *     table public.events_2025: a partition of public.events
 *     ignored by "table tmp_*": table public.tmp_1
 */
export function describeNotes(notes: readonly Note[], most = 20): string[] {
  const own = notes.filter(({ reason }) => reason !== 'another schema').map(describeNote);
  const lines = own.length > most ? [...own.slice(0, most), `and ${own.length - most} more`] : own;
  return [...lines, ...[...countBySchema(notes)].map(([schema, objects]) => describeSchema(schema, objects))];
}

function describeNote({ difference, reason, words, pattern }: Note): string {
  const { kind, object } = difference;
  const named = `${keyOf(object)}${words === undefined ? '' : `: ${words}`}`;
  if (reason !== 'ignored') return named;
  const verb = kind === 'unexpected' || words !== undefined ? '' : `${kind} `;
  return `ignored by ${JSON.stringify(pattern)}: ${verb}${named}`;
}

function describeSchema(schema: string, objects: number): string {
  return `the schema ${schema}, which the files do not touch: ${count(objects, 'object')}`;
}

function countBySchema(notes: readonly Note[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { reason, words = '' } of notes)
    if (reason === 'another schema') counts.set(words, (counts.get(words) ?? 0) + 1);
  return counts;
}

/** The same for machines. */
export function jsonNotes(notes: readonly Note[]): Json {
  const own = notes.filter(({ reason }) => reason !== 'another schema');
  return [
    ...own.map(({ difference: { kind, object }, reason, words, pattern }) => ({
      reason,
      kind,
      type: object.kind,
      name: object.name,
      words: words ?? null,
      pattern: pattern ?? null,
    })),
    ...[...countBySchema(notes)].map(([schema, objects]) => ({ reason: 'another schema', schema, objects })),
  ];
}

/** All of several comparisons, each once. */
export function mergeNotes(several: readonly (readonly Note[])[]): Note[] {
  const byWords = new Map(several.flat().map((note) => [`${note.reason} ${describeNote(note)}`, note]));
  return [...byWords.values()];
}
