/** A value as JSON.parse returns it. */
export type Json = string | number | boolean | null | Json[] | JsonObject;

export interface JsonObject {
  [key: string]: Json;
}

/** Keys and positions from the outside in. */
export type JsonPath = readonly (string | number)[];

/** What stands at `path`; undefined when there is no such place. */
export function at(json: Json | undefined, ...path: JsonPath): Json | undefined {
  let found = json;
  for (const key of path) {
    if (Array.isArray(found)) found = found[Number(key)];
    else if (typeof found === 'object' && found !== null && Object.hasOwn(found, key)) found = found[key];
    else return undefined;
  }
  return found;
}

/**
 * The text at `path`.
 *
 * @throws when there is anything else, so that a test ends there and not where it goes on with `undefined`
 */
export function textAt(json: Json | undefined, ...path: JsonPath): string {
  const found = at(json, ...path);
  if (typeof found === 'string') return found;
  throw unexpected('text', json, path);
}

/** The list at `path`; {@link textAt} says what it throws. */
export function listAt(json: Json | undefined, ...path: JsonPath): Json[] {
  const found = at(json, ...path);
  if (Array.isArray(found)) return found;
  throw unexpected('list', json, path);
}

/** The object at `path`; {@link textAt} says what it throws. */
export function objectAt(json: Json | undefined, ...path: JsonPath): JsonObject {
  const found = at(json, ...path);
  if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found;
  throw unexpected('object', json, path);
}

function unexpected(kind: string, json: Json | undefined, path: JsonPath): Error {
  const place = path.length === 0 ? 'the top' : path.join('.');
  return new Error(`there is no ${kind} at ${place} of ${JSON.stringify(json)}`);
}
