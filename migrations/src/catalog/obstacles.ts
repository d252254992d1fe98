import type { Making } from '../analysis/makers.ts';
import type { Migration } from '../migration.ts';
import { locate } from '../position.ts';
import { type Catalog, type CatalogObject, keyOf, toCatalog } from './catalog.ts';
import { describeDifferences } from './differences.ts';
import { holderOf, partsOf } from './names.ts';
import { judge, type Scope } from './scope.ts';

/** A name of which there can be only one. */
interface Place {
  readonly space: string;
  readonly schema: string | undefined;
  readonly parts: readonly string[];
}

/** A {@link Making} of a pending file. */
interface Made extends Making {
  /** As in `migrations/3_a.up.sql:2`. */
  readonly place: string;
}

/**
 * Finds what the files so far do not make and what stands in the way of the pending ones: those make it too, and would fail, or would
 * keep what is there although it is another.
 *
 * @param scope as the comparison with the files so far
 * @param planned what all of them make
 * @returns why, by the key of what is there
 */
export async function findObstacles(
  scope: Scope,
  planned: Catalog,
  pending: readonly Migration[],
): Promise<ReadonlyMap<string, string>> {
  const obstacles = new Map<string, string>();
  const pairs = collisions(scope, planned);
  if (pairs.length === 0) return obstacles;
  const made = await readMakings(pending);
  for (const { place, there, coming } of pairs) {
    const makings = made.filter((one) => isAt(one, place));
    const [refusing] = makings;
    if (refusing !== undefined && makings.every(({ mode }) => mode === 'refuses')) {
      const article = /^[aeiou]/.test(coming.kind) ? 'an' : 'a';
      const other = there.kind === coming.kind ? 'it too' : `${article} ${coming.kind} of that name`;
      obstacles.set(keyOf(there), `${refusing.place} makes ${other}`);
    } else if (!makings.some(({ mode }) => mode === 'replaces')) {
      const [title, ...more] = describeDifferences(judge(about(scope, planned, coming, there)).wrong, 1);
      if (title === undefined) continue;
      const where = refusing?.place ?? 'a pending migration';
      obstacles.set(
        keyOf(there),
        `${where} leaves it, and makes another: ${[title, ...more].map((line) => line.trim()).join(' ')}`,
      );
    }
  }
  return obstacles;
}

interface Collision {
  readonly place: Place;
  readonly there: CatalogObject;
  readonly coming: CatalogObject;
}

function collisions({ expected, found }: Scope, planned: Catalog): Collision[] {
  const taken = new Map<string, CatalogObject>();
  for (const [key, object] of found.objects) {
    if (!expected.objects.has(key)) for (const place of placesOf(object)) taken.set(spell(place), object);
  }
  const pairs = [...planned.objects].flatMap(([key, coming]): Collision[] => {
    if (expected.objects.has(key)) return [];
    const place = placesOf(coming).find((one) => taken.has(spell(one)));
    const there = place === undefined ? undefined : taken.get(spell(place));
    return place === undefined || there === undefined ? [] : [{ place, there, coming }];
  });
  // The parts of a table whose name is taken tell nothing more.
  const wholes = new Set(pairs.map(({ coming }) => coming.name));
  return pairs.filter(({ coming }) => {
    const holder = holderOf(coming);
    return holder === undefined || !wholes.has(holder);
  });
}

const relations = ['table', 'view', 'materialized view', 'foreign table'];
const routines = ['function', 'procedure', 'aggregate'];

/** The names that an object takes. */
function placesOf({ kind, name, properties }: CatalogObject): Place[] {
  const { parts, rest } = partsOf(name);
  const [schema, ...own] = parts;
  const at = (space: string, some: readonly string[] = own): Place => ({ space, schema, parts: some });
  // A table brings a type of its name along, a key an index.
  if (relations.includes(kind) || properties['kind'] === 'composite') return [at('relation'), at('type')];
  if (kind === 'index' || kind === 'sequence') return [at('relation')];
  if (kind === 'type' || kind === 'domain') return [at('type')];
  if (routines.includes(kind)) return [at('routine', [...own, rest])];
  if (kind === 'constraint' && /^(?:PRIMARY KEY|UNIQUE|EXCLUDE)/.test(properties['definition'] ?? ''))
    return [at(kind), at('relation', own.slice(-1))];
  if (['schema', 'extension', 'event trigger', 'publication'].includes(kind))
    return [{ space: kind, schema: undefined, parts }];
  return [at(kind)];
}

function spell({ space, schema = '', parts }: Place): string {
  return JSON.stringify([space, schema, ...parts]);
}

/** A making names no arguments, and its schema only where the file does. */
function isAt({ space, schema, parts }: Making, place: Place): boolean {
  if (space !== place.space || (schema !== undefined && schema !== place.schema)) return false;
  return parts.every((part, index) => part === place.parts[index]);
}

async function readMakings(pending: readonly Migration[]): Promise<Made[]> {
  const { loadParser, ParserMissingError } = await import('../analysis/parser.ts');
  const { makingsOf } = await import('../analysis/makers.ts');
  const parse = await loadParser().catch((error: unknown) => {
    if (error instanceof ParserMissingError) return undefined;
    throw error;
  });
  if (parse === undefined) return [];
  return pending.flatMap(({ up }) =>
    up.statements.flatMap((statement) => {
      const parsed = parse(statement);
      if (!('tree' in parsed)) return [];
      const place = `${up.path}:${locate(up.text, statement.offset).line}`;
      return makingsOf(parsed.tree).map((making) => ({ ...making, place }));
    }),
  );
}

/** What there is of the object and its parts, against what the files would make of them. */
function about(scope: Scope, planned: Catalog, coming: CatalogObject, there: CatalogObject): Scope {
  const partOf = (catalog: Catalog, whole: CatalogObject) =>
    toCatalog(
      [...catalog.objects.values()].filter(
        (object) =>
          keyOf(object) === keyOf(whole) ||
          holderOf(object) === whole.name ||
          // By these grants are judged.
          (catalog === scope.found && object.kind === 'default privileges'),
      ),
    );
  const expected = partOf(planned, coming);
  const { obstacles: _none, ...rest } = scope;
  return { ...rest, expected, made: expected, found: partOf(scope.found, there), isStrict: false };
}
