/** A value of a JSON document. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A version is a number in JSON as long as that is exact; a longer one is a string of digits. */
export function jsonVersion(version: bigint | undefined): Json {
  if (version === undefined) return null;
  return version <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(version) : String(version);
}
