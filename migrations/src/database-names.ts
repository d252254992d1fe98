import { bytesOf, longestIdentifier } from './identifiers.ts';

const stamp = String.raw`\d{8}T\d{6}`;
const longestSuffix = '__before_20000101T000000'.length;

/** The names a recreate gives to the databases beside `database`. */
export interface DatabaseNames {
  /** The one being built. */
  readonly fresh: string;
  /** The old one, kept. */
  readonly kept: string;
}

/** The time in a name, as a date; undefined when the digits are no time, or one that no successor could be named after. */
export function timeIn(name: string): Date | undefined {
  const [, year = '', month, day, hour, minute, second] =
    /__[a-z]+_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/.exec(name) ?? [];
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time.getTime()) || year === '9999') return undefined;
  // The 31st of February is not the 3rd of March.
  return time.getUTCDate() === Number(day) ? time : undefined;
}

/** Names for a recreate at `now`, in UTC: `services__new_20250102T030405`, `services__before_20250102T030405`. */
export function namesAt(database: string, now: Date): DatabaseNames {
  const time = now.toISOString().replace(/[-:]|\.\d+Z$/g, '');
  return { fresh: `${database}__new_${time}`, kept: `${database}__before_${time}` };
}

/** Whether the longest of these names fits: Postgres would cut it off silently. */
export function fits(database: string): boolean {
  return bytesOf(database) + longestSuffix <= longestIdentifier;
}

/** A regular expression of Postgres for the databases that a killed recreate may have left behind. */
export function freshPattern(database: string): string {
  return `^${escapePattern(database)}__new_${stamp}$`;
}

/** A regular expression of Postgres for the databases that were kept. */
export function keptPattern(database: string): string {
  return `^${escapePattern(database)}__before_${stamp}$`;
}

/** What a previous database is called once it is to be dropped, so that nobody brings it back meanwhile. */
export function goneName(kept: string): string {
  return kept.replace(/__before_(?=[^_]*$)/, '__gone_');
}

/** A regular expression of Postgres for the databases that are to be dropped. */
export function gonePattern(database: string): string {
  return `^${escapePattern(database)}__gone_${stamp}$`;
}

/** `services__template_0123456789ab`: no longer than the name under which a recreate keeps the old database. */
export function templateName(database: string, key: string): string {
  return `${database}__template_${key.slice(0, 12)}`;
}

/** A copy of that template that is ready to be taken. */
export function spareName(database: string, key: string): string {
  return `${database}__spare_${key.slice(0, 12)}`;
}

/** A regular expression of Postgres for the templates of a database, or their spare copies. */
export function templatePattern(database: string, kind: 'template' | 'spare' | 'testing'): string {
  return `^${escapePattern(database)}__${kind}_[0-9a-f]{12}$`;
}

/** The migrated and seeded database that databases for tests are copied from: `services__testing_0123456789ab`. */
export function testingName(database: string, key: string): string {
  return `${database}__testing_${key.slice(0, 12)}`;
}

/** Makes `text` stand for itself in a regular expression of Postgres. */
export function escapePattern(text: string): string {
  return text.replace(/[^\p{L}\p{N}_]/gu, '\\$&');
}
