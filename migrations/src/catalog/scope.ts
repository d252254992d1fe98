import { describeAddition } from './additions.ts';
import { type Catalog, type CatalogObject, keyOf } from './catalog.ts';
import { compareCatalogs, type Difference, type PropertyDifference } from './differences.ts';
import { compareGrants, type GrantedPrivilege, isByDefault, readGrants, spellGrants } from './grants.ts';
import { commentIgnoredBy, grantIgnoredBy, type IgnoreRule, ignoredBy } from './ignore.ts';
import { holderOf, schemaOf } from './names.ts';

/** How a difference is judged: the settings `ignore` and `strict`. */
export interface ComplianceSettings {
  readonly ignore: readonly IgnoreRule[];
  /** Whether what the files do not make is a failure too. */
  readonly isStrict: boolean;
}

/** What is compared, and what the files make. */
export interface Scope extends ComplianceSettings {
  readonly expected: Catalog;
  readonly found: Catalog;
  /** All that the files make: `expected` itself, unless that is a specification. */
  readonly made: Catalog;
  /** Schemas that are there before any file: that of the history; `public` always. */
  readonly given: string;
  /** What the pending files make besides; their schemas are touched too. */
  readonly planned?: Catalog | undefined;
  /** By {@link keyOf}, what stands in the way of pending files, and why. */
  readonly obstacles?: ReadonlyMap<string, string>;
}

/** A difference that is no failure. */
export interface Note {
  readonly difference: Difference;
  readonly reason: 'not made by the files' | 'added' | 'another schema' | 'ignored';
  /** What it is, where the object alone does not say: `a partition of public.events`, `SELECT to reporter`. */
  readonly words?: string;
  /** The entry of the ignore list. */
  readonly pattern?: string;
}

/** What a comparison found. */
export interface Judgement {
  /** What the files make and is missing or otherwise, and what stands in the way. */
  readonly wrong: readonly Difference[];
  readonly notes: readonly Note[];
}

/**
 * Compares two catalogs and tells failures from notes. What the files make must be there as they make it; what they do not make is
 * a note, unless it stands in the way or strictness is asked for; what the ignore list names is a note in any case.
 */
export function judge(scope: Scope): Judgement {
  let known: ReadonlySet<string> | undefined;
  const isTouched = (schema: string) => {
    known ??= touchedSchemas(scope);
    return known.has(schema);
  };
  const wrong: Difference[] = [];
  const notes: Note[] = [];
  const seen = new Set<string>();
  for (const difference of compareCatalogs(scope.expected, scope.found)) {
    seen.add(keyOf(difference.object));
    const judged =
      difference.kind === 'different'
        ? judgeDifferent(scope, difference)
        : judgeWhole(scope, isTouched, difference);
    wrong.push(...judged.wrong);
    notes.push(...judged.notes);
  }
  // Such as an index of a table that is no table of ours: it is told with its table, but its name is taken.
  for (const [key, obstacle] of scope.obstacles ?? []) {
    const object = scope.found.objects.get(key);
    if (object !== undefined && !seen.has(key)) wrong.push({ kind: 'unexpected', object, obstacle });
  }
  return { wrong, notes };
}

/** Whether anything in `found` is not made by the files, and so could stand in the way of more files. */
export function hasUnexpected(made: Catalog, found: Catalog): boolean {
  return [...found.objects.keys()].some((key) => !made.objects.has(key));
}

function judgeWhole(scope: Scope, isTouched: (schema: string) => boolean, difference: Difference): Judgement {
  const { object } = difference;
  const obstacle = difference.kind === 'unexpected' ? scope.obstacles?.get(keyOf(object)) : undefined;
  if (obstacle !== undefined) return failing({ kind: 'unexpected', object, obstacle });
  const rule = ignoredBy(scope.ignore, object);
  if (rule !== undefined) return noting({ difference, reason: 'ignored', pattern: rule.text });
  if (difference.kind === 'missing') return failing(difference);
  const stop = obstacleIn(scope, object);
  if (stop !== undefined) return failing({ kind: 'unexpected', object, obstacle: stop });
  // Made by the files, and the specification does not know it; or a part without which its whole is another.
  if (scope.isStrict || scope.made.objects.has(keyOf(object)) || isEssential(scope, object))
    return failing(difference);
  const schema = schemaOf(object);
  if (schema !== undefined && !isTouched(schema))
    return noting({ difference, reason: 'another schema', words: schema });
  const parents = object.properties['inherits'];
  if (parents === undefined) return noting({ difference, reason: 'not made by the files' });
  const relation = object.properties['partition bound'] === undefined ? 'child' : 'partition';
  return noting({ difference, reason: 'not made by the files', words: `a ${relation} of ${parents}` });
}

/** A column that every insert of an app that does not know it fails by. */
function obstacleIn({ made }: Scope, { kind, properties }: CatalogObject): string | undefined {
  if (kind !== 'column' || made.objects.get(`table ${properties['of']}`) === undefined) return undefined;
  const { nullable, default: value, generated, identity } = properties;
  if (nullable !== 'no' || (value ?? generated ?? identity) !== undefined) return undefined;
  return 'is NOT NULL without a default: no row can be inserted that leaves it out';
}

/** A type is its attributes, a domain its constraints, a view its columns; a table stays what it is with one more. */
function isEssential({ made }: Scope, object: CatalogObject): boolean {
  const holder = holderOf(object);
  const wholes = { column: ['type', 'view', 'materialized view'], constraint: ['domain'] };
  if (holder === undefined || (object.kind !== 'column' && object.kind !== 'constraint')) return false;
  return wholes[object.kind].some((kind) => made.objects.has(`${kind} ${holder}`));
}

function judgeDifferent(scope: Scope, difference: Difference & { kind: 'different' }): Judgement {
  const { object } = difference;
  const rule = ignoredBy(scope.ignore, object);
  if (rule !== undefined) return noting({ difference, reason: 'ignored', pattern: rule.text });
  const wrong: PropertyDifference[] = [];
  const notes: Note[] = [];
  for (const property of difference.properties) {
    const judged = judgeProperty(scope, object, property);
    if (judged === undefined) wrong.push(property);
    else
      notes.push(
        ...judged.map((note) => ({ ...note, difference: { ...difference, properties: [property] } })),
      );
  }
  return { wrong: wrong.length === 0 ? [] : [{ ...difference, properties: wrong }], notes };
}

type Judged = readonly Omit<Note, 'difference'>[];

/** Notes, or undefined for a failure. */
function judgeProperty(
  scope: Scope,
  object: CatalogObject,
  difference: PropertyDifference,
): Judged | undefined {
  const { property, expected, found } = difference;
  if (property === 'privileges') return judgeGrants(scope, object, difference);
  const rule = property === 'comment' ? commentIgnoredBy(scope.ignore, object) : undefined;
  if (rule !== undefined) return [{ reason: 'ignored', words: 'comment', pattern: rule.text }];
  const words = describeAddition(object, difference);
  const own = scope.made.objects.get(keyOf(object))?.properties[property];
  // What the files make themselves is no addition to them, whatever a specification says.
  if (scope.isStrict || words === undefined || (own === found && own !== expected)) return undefined;
  return [{ reason: 'added', words }];
}

function judgeGrants(
  scope: Scope,
  object: CatalogObject,
  { expected, found }: PropertyDifference,
): Judged | undefined {
  const { gained, lost } = compareGrants(expected, found);
  const own = compareGrants(expected, scope.made.objects.get(keyOf(object))?.properties['privileges']).gained;
  const notes: Omit<Note, 'difference'>[] = [];
  const given: GrantedPrivilege[] = [];
  const older: GrantedPrivilege[] = [];
  for (const grant of [...gained, ...lost]) {
    const rule = grantIgnoredBy(scope.ignore, object, grant);
    if (rule !== undefined) {
      notes.push({ reason: 'ignored', words: spellGrants([grant]), pattern: rule.text });
    } else if (scope.isStrict) return undefined;
    else if (gained.includes(grant)) {
      if (own.some(({ role, privilege }) => role === grant.role && privilege === grant.privilege))
        return undefined;
      given.push(grant);
    } else {
      // With some of what the default privileges give, the object was made under them, and the rest was taken away.
      const hasSome = readGrants(found).some(({ role }) => role === grant.role);
      if (hasSome || !isByDefault(scope.found, object, grant)) return undefined;
      older.push(grant);
    }
  }
  if (given.length > 0) notes.unshift({ reason: 'added', words: `${spellGrants(given)} is granted` });
  if (older.length > 0)
    notes.push({ reason: 'added', words: `older than the default privileges: no ${spellGrants(older)}` });
  return notes;
}

/** The schemas, without quotes, in which the files make anything. */
function touchedSchemas({ made, planned = made, given }: Scope): ReadonlySet<string> {
  const touched = new Set<string>();
  for (const object of [...made.objects.values(), ...planned.objects.values()]) {
    const schema = schemaOf(object);
    if (schema === undefined || object.kind === 'default privileges') continue;
    if (object.kind === 'schema' && (schema === 'public' || schema === given)) continue;
    touched.add(schema);
  }
  return touched;
}

function failing(difference: Difference): Judgement {
  return { wrong: [difference], notes: [] };
}

function noting(note: Note): Judgement {
  return { wrong: [], notes: [note] };
}
