/** One object of a schema, or a part of one that changes by itself: a column, a constraint. */
export interface CatalogObject {
  /** `table`, `column`, `index`, … */
  readonly kind: string;
  /** With its schema, quoted where SQL would need it: `public.users.email`. */
  readonly name: string;
  /** What it is, each part as Postgres spells it; what is as by default has no entry. */
  readonly properties: Readonly<Record<string, string>>;
}

/** Everything that people made in a database, as its catalogs tell it; in no order. */
export interface Catalog {
  /** By {@link keyOf}. */
  readonly objects: ReadonlyMap<string, CatalogObject>;
}

/** Names an object among all: `column public.users.email`. */
export function keyOf({ kind, name }: Pick<CatalogObject, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

export function toCatalog(objects: readonly CatalogObject[]): Catalog {
  return { objects: new Map(objects.map((object) => [keyOf(object), object])) };
}
