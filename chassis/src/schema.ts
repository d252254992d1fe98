/** JSON schema fragments that both apps build their requests from. Every text has a bound. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

/** An object that refuses properties it does not know. */
export function object(properties: Record<string, Schema>, required: readonly string[] = []): Schema {
  return { type: 'object', additionalProperties: false, properties, required };
}

/**
 * Text that Postgres can hold (no NUL, no half of a surrogate pair), counted in code points. One line unless
 * `multiline`; never only blanks, unless it may be empty.
 */
export function text(bounds: { min?: number; max: number; multiline?: boolean }): Schema {
  const { min = 1, max, multiline = false } = bounds;
  const pattern = min > 0 ? '\\S' : undefined;
  return {
    type: 'string',
    minLength: min,
    maxLength: max,
    format: multiline ? 'text' : 'line',
    ...(pattern === undefined ? {} : { pattern, description: 'must not be blank' }),
  };
}

/** The same, or null. */
export function nullable(schema: Schema): Schema {
  return { ...schema, type: [schema['type'], 'null'] };
}

/** A UUID in its usual form; Postgres would also take others, and find nothing. */
export const identifier: Schema = {
  type: 'string',
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
  description: 'must be a UUID',
};

/** Lower-case words of letters and digits joined by single hyphens, as the database checks it too. */
export const slug: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 80,
  pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
  description: 'must be lower-case letters and digits joined by single hyphens',
};

/** The https address of a blob: a host and a path, no credentials, no query (a signature would be a secret). */
export const blobUrl: Schema = {
  type: 'string',
  maxLength: 2048,
  // Printable ASCII but # ? @ and the backslash.
  pattern: '^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?/[!"$->A-\\[\\]-~]+$',
  description: 'must be an https:// URL of a blob: host in lower case and path, without credentials or query',
};

/** `limit` and `cursor` of a paged list. */
export const pageQuery: Record<string, Schema> = {
  limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
  cursor: {
    type: 'string',
    minLength: 1,
    maxLength: 500,
    pattern: '^[A-Za-z0-9_-]+$',
    description: 'must be a cursor',
  },
};

/** A path with the identifier `:id`. */
export const idPath: Schema = object({ id: identifier }, ['id']);
