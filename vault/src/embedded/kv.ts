import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { ApiRefusal } from './refusal.ts';

/** Milliseconds since 1970. */
export type Clock = () => number;

/** One version of an entry. `data` is gone once it is destroyed. */
export interface KvVersion {
  readonly createdAt: number;
  deletedAt: number | undefined;
  destroyed: boolean;
  data: JsonObject | undefined;
}

/** Everything known of one path. */
export interface KvPath {
  current: number;
  oldest: number;
  readonly versions: Map<number, KvVersion>;
  readonly createdAt: number;
  updatedAt: number;
  maxVersions: number;
  casRequired: boolean;
  deleteAfterSeconds: number;
  custom: JsonObject | null;
}

/** Settings of the whole mount. */
export interface KvConfig {
  maxVersions: number;
  casRequired: boolean;
  deleteAfterSeconds: number;
}

const defaultMaxVersions = 10;

/**
 * Version 2 of the KV engine: one mount, in memory. Keeps `max_versions` versions of a path (10 unless set), oldest
 * dropped first.
 */
export class KvStore {
  readonly config: KvConfig = { maxVersions: 0, casRequired: false, deleteAfterSeconds: 0 };
  readonly #paths = new Map<string, KvPath>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  path(path: string): KvPath | undefined {
    return this.#paths.get(path);
  }

  /** The version asked for, or the latest (`0`), with its number; undefined when there is none. */
  version(path: string, wanted = 0): { number: number; version: KvVersion } | undefined {
    const found = this.#paths.get(path);
    const number = wanted > 0 ? wanted : (found?.current ?? 0);
    const version = found?.versions.get(number);
    return version === undefined ? undefined : { number, version };
  }

  /** Whether the version can be read: neither destroyed nor deleted. */
  isLive(version: KvVersion): boolean {
    return !version.destroyed && !(version.deletedAt !== undefined && version.deletedAt <= this.#clock());
  }

  /** Adds a version. `cas` is what the writer expects as the latest: 0 for none yet. */
  write(path: string, data: JsonObject, cas: number | undefined): number {
    const found = this.#paths.get(path);
    this.#checkCas(found, cas);
    const now = this.#clock();
    const entry = found ?? this.create(path);
    const delay = shortest(this.config.deleteAfterSeconds, entry.deleteAfterSeconds);
    entry.current++;
    entry.updatedAt = now;
    entry.versions.set(entry.current, {
      createdAt: now,
      deletedAt: delay === undefined ? undefined : now + delay * 1000,
      destroyed: false,
      data,
    });
    this.#dropOldest(entry);
    return entry.current;
  }

  /** Applies a merge patch (RFC 7396) to the latest version; undefined when there is no live one. */
  patch(path: string, patch: JsonObject, cas: number | undefined): number | undefined {
    const latest = this.version(path);
    if (latest?.version.data === undefined || !this.isLive(latest.version)) return undefined;
    this.#checkCas(this.#paths.get(path), cas);
    return this.write(path, mergePatch(latest.version.data, patch), cas ?? latest.number);
  }

  /** Marks versions as deleted; `undelete` brings them back. Without `numbers` the latest. */
  delete(path: string, numbers?: readonly number[]): void {
    for (const version of this.#select(path, numbers)) {
      if (this.isLive(version)) version.deletedAt = this.#clock();
    }
  }

  undelete(path: string, numbers: readonly number[]): void {
    for (const version of this.#select(path, numbers)) {
      if (!version.destroyed) version.deletedAt = undefined;
    }
  }

  /** Removes the data of versions for good; their numbers stay. */
  destroy(path: string, numbers: readonly number[]): void {
    for (const version of this.#select(path, numbers)) {
      version.destroyed = true;
      version.data = undefined;
    }
  }

  /** Makes a path without versions, which is what writing its metadata first does. */
  create(path: string): KvPath {
    const now = this.#clock();
    const entry: KvPath = {
      current: 0,
      oldest: 0,
      versions: new Map(),
      createdAt: now,
      updatedAt: now,
      maxVersions: 0,
      casRequired: false,
      deleteAfterSeconds: 0,
      custom: null,
    };
    this.#paths.set(path, entry);
    return entry;
  }

  /** Removes the path with all its versions. */
  remove(path: string): void {
    this.#paths.delete(path);
  }

  /** Names under `folder` (empty or ending in a slash), sorted; a folder's name ends in a slash. */
  list(folder: string): string[] {
    const names = new Set<string>();
    for (const path of this.#paths.keys()) {
      if (!path.startsWith(folder)) continue;
      const [name, ...rest] = path.slice(folder.length).split('/');
      if (name !== undefined && name !== '') names.add(rest.length > 0 ? `${name}/` : name);
    }
    return [...names].sort();
  }

  #select(path: string, numbers: readonly number[] | undefined): KvVersion[] {
    const found = this.#paths.get(path);
    if (found === undefined) return [];
    return (numbers ?? [found.current]).flatMap((number) => found.versions.get(number) ?? []);
  }

  #checkCas(entry: KvPath | undefined, cas: number | undefined): void {
    if (cas === undefined) {
      if (this.config.casRequired || entry?.casRequired) {
        throw new ApiRefusal(400, 'check-and-set parameter required for this call');
      }
    } else if (cas !== (entry?.current ?? 0)) {
      throw new ApiRefusal(400, 'check-and-set parameter did not match the current version');
    }
  }

  #dropOldest(entry: KvPath): void {
    // The larger of the two, not the path's own first: so says the KV engine's source.
    const keep = Math.max(entry.maxVersions, this.config.maxVersions) || defaultMaxVersions;
    for (const number of entry.versions.keys()) {
      if (number > entry.current - keep) break;
      entry.versions.delete(number);
      entry.oldest = number + 1;
    }
  }
}

/** RFC 7396. The result has no prototype, so that a key `__proto__` stays a key. */
export function mergePatch(target: Json, patch: JsonObject): JsonObject {
  const merged: Record<string, Json> = Object.create(null);
  if (isJsonObject(target)) for (const [key, value] of Object.entries(target)) merged[key] = value;
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = isJsonObject(value) ? mergePatch(merged[key] ?? null, value) : value;
  }
  return merged;
}

function shortest(...seconds: number[]): number | undefined {
  const set = seconds.filter((value) => value > 0);
  return set.length === 0 ? undefined : Math.min(...set);
}
