import { isJsonObject, type JsonObject, ownValue } from '../json.ts';
import { Fields, showSeconds } from './fields.ts';
import type { KvPath, KvStore, KvVersion } from './kv.ts';
import { ApiRefusal } from './refusal.ts';
import { type Answer, type Call, param, type Route } from './routes.ts';

/** The HTTP face of one KV mount: data, delete, undelete, destroy, metadata, config. */
export function kvRoutes(store: KvStore): Route[] {
  const exists = (call: Call) => store.path(param(call, 'path')) !== undefined;
  return [
    {
      pattern: 'config',
      answers: { read: () => readConfig(store), update: (call) => writeConfig(store, call) },
    },
    {
      pattern: 'data/*path',
      exists,
      answers: {
        read: (call) => readVersion(store, call),
        update: (call) => writeVersion(store, call),
        patch: (call) => patchVersion(store, call),
        delete: (call) => {
          store.delete(entryPath(call));
          return undefined;
        },
      },
    },
    { pattern: 'subkeys/*path', answers: { read: (call) => readSubkeys(store, call) } },
    ...(['delete', 'undelete', 'destroy'] as const).map((act) => ({
      pattern: `${act}/*path`,
      answers: {
        update: (call: Call) => {
          const numbers = new Fields(call.body).amounts('versions');
          if (numbers.length === 0) throw new ApiRefusal(400, 'no version number provided');
          store[act](entryPath(call), numbers);
          return undefined;
        },
      },
    })),
    {
      pattern: 'metadata/*path',
      exists,
      answers: {
        read: (call) => readMetadata(store, call),
        list: (call) => listPaths(store, call),
        update: (call) => writeMetadata(store, call, false),
        patch: (call) => writeMetadata(store, call, true),
        delete: (call) => {
          store.remove(entryPath(call));
          return undefined;
        },
      },
    },
  ];
}

function entryPath(call: Call): string {
  const path = param(call, 'path');
  if (path === '' || path.endsWith('/')) throw new ApiRefusal(400, 'missing path');
  return path;
}

function readVersion(store: KvStore, call: Call): Answer | undefined {
  return answerOf(store, call, 'data', (data) => data);
}

/** The names in an entry without what they hold: `null` stands for each value, and for what lies deeper than `depth` (0: all). */
function readSubkeys(store: KvStore, call: Call): Answer | undefined {
  const depth = amountOf(call, 'depth');
  return answerOf(store, call, 'subkeys', (data) => subkeysOf(data, depth === 0 ? Infinity : depth));
}

function subkeysOf(data: JsonObject, depth: number): JsonObject {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => {
      const goesOn = depth > 1 && isJsonObject(value) && Object.keys(value).length > 0;
      return [key, goesOn ? subkeysOf(value, depth - 1) : null];
    }),
  );
}

/** What is shown of the version that the query asks for, under `name`, beside its metadata; null once it is deleted. */
function answerOf(
  store: KvStore,
  call: Call,
  name: string,
  show: (data: JsonObject) => JsonObject,
): Answer | undefined {
  const path = entryPath(call);
  const found = store.version(path, amountOf(call, 'version'));
  if (found === undefined) return undefined;
  const { data } = found.version;
  const live = data !== undefined && store.isLive(found.version);
  const metadata = versionBlock(store, path, found.number, found.version);
  return { status: live ? 200 : 404, data: { [name]: live ? show(data) : null, metadata } };
}

function amountOf(call: Call, name: string): number {
  const wanted = call.query.get(name) ?? '0';
  if (!/^\d{1,15}$/.test(wanted)) throw new ApiRefusal(400, `${name}: expected a whole number`);
  return Number(wanted);
}

function writeVersion(store: KvStore, call: Call): Answer {
  const path = entryPath(call);
  const data = new Fields(call.body).object('data');
  if (data === undefined) throw new ApiRefusal(400, 'no data provided');
  return written(store, path, store.write(path, data, casOf(call.body)));
}

function patchVersion(store: KvStore, call: Call): Answer | undefined {
  const path = entryPath(call);
  const data = new Fields(call.body).object('data');
  if (data === undefined) throw new ApiRefusal(400, 'no data provided');
  const number = store.patch(path, data, casOf(call.body));
  if (number !== undefined) return written(store, path, number);
  const latest = store.version(path);
  if (latest === undefined) return undefined;
  return { status: 404, data: versionBlock(store, path, latest.number, latest.version) };
}

function casOf(body: JsonObject): number | undefined {
  const options = new Fields(body).object('options');
  const cas = ownValue(options, 'cas');
  if (options === undefined || cas === undefined) return undefined;
  const number = typeof cas === 'string' && /^\d{1,15}$/.test(cas) ? Number(cas) : cas;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw new ApiRefusal(400, 'error parsing check-and-set parameter');
}

function written(store: KvStore, path: string, number: number): Answer {
  const version = store.version(path, number)?.version;
  return version === undefined ? {} : { data: versionBlock(store, path, number, version) };
}

function versionBlock(store: KvStore, path: string, number: number, version: KvVersion): JsonObject {
  return { version: number, ...times(version), custom_metadata: store.path(path)?.custom ?? null };
}

function times(version: KvVersion): JsonObject {
  return {
    created_time: iso(version.createdAt),
    deletion_time: version.deletedAt === undefined ? '' : iso(version.deletedAt),
    destroyed: version.destroyed,
  };
}

function readMetadata(store: KvStore, call: Call): Answer | undefined {
  const found = store.path(entryPath(call));
  if (found === undefined) return undefined;
  const versions = Object.fromEntries(
    [...found.versions].map(([number, version]) => [String(number), times(version)]),
  );
  return {
    data: {
      versions,
      current_version: found.current,
      oldest_version: found.oldest,
      created_time: iso(found.createdAt),
      updated_time: iso(found.updatedAt),
      max_versions: found.maxVersions,
      cas_required: found.casRequired,
      delete_version_after: showSeconds(found.deleteAfterSeconds),
      custom_metadata: found.custom,
    },
  };
}

function listPaths(store: KvStore, call: Call): Answer {
  const folder = param(call, 'path');
  return { data: { keys: store.list(folder === '' || folder.endsWith('/') ? folder : `${folder}/`) } };
}

function writeMetadata(store: KvStore, call: Call, onlyExisting: boolean): Answer | undefined {
  const path = entryPath(call);
  const fields = new Fields(call.body);
  const maxVersions = fields.amount('max_versions');
  const casRequired = fields.flag('cas_required');
  const deleteAfter = fields.seconds('delete_version_after');
  const custom = customMetadata(
    fields.object('custom_metadata'),
    onlyExisting ? store.path(path)?.custom : null,
  );
  const found = store.path(path);
  if (found === undefined && onlyExisting) return { status: 404 };
  const entry: KvPath = found ?? store.create(path);
  if (maxVersions !== undefined) entry.maxVersions = maxVersions;
  if (casRequired !== undefined) entry.casRequired = casRequired;
  if (deleteAfter !== undefined) entry.deleteAfterSeconds = deleteAfter;
  if (custom !== undefined) entry.custom = custom;
  return undefined;
}

function customMetadata(
  given: JsonObject | undefined,
  before: JsonObject | null | undefined,
): JsonObject | undefined {
  if (given === undefined) return undefined;
  const merged = new Map(Object.entries(before ?? {}));
  for (const [key, value] of Object.entries(given)) {
    if (value === null) merged.delete(key);
    else if (
      typeof value !== 'string' ||
      value === '' ||
      value.length > 512 ||
      key === '' ||
      key.length > 128
    ) {
      throw new ApiRefusal(
        400,
        'custom_metadata validation failed: keys of 1 to 128 and text values of 1 to 512 characters',
      );
    } else merged.set(key, value);
  }
  if (merged.size > 64) throw new ApiRefusal(400, 'custom_metadata validation failed: at most 64 keys');
  return Object.fromEntries(merged);
}

function readConfig({ config }: KvStore): Answer {
  return {
    data: {
      max_versions: config.maxVersions,
      cas_required: config.casRequired,
      delete_version_after: showSeconds(config.deleteAfterSeconds),
    },
  };
}

function writeConfig({ config }: KvStore, call: Call): undefined {
  const fields = new Fields(call.body);
  const maxVersions = fields.amount('max_versions');
  const casRequired = fields.flag('cas_required');
  const deleteAfter = fields.seconds('delete_version_after');
  if (maxVersions !== undefined) config.maxVersions = maxVersions;
  if (casRequired !== undefined) config.casRequired = casRequired;
  if (deleteAfter !== undefined) config.deleteAfterSeconds = deleteAfter;
}

/**
 * Vault's answer to a path of a KV mount that lacks `data/` or its like: 404 with a warning, which clients look for.
 */
export function unversionedPath(operation: string): Answer {
  return {
    status: 404,
    data: null,
    warnings: [
      `Invalid path for a versioned K/V secrets engine. Put data/, metadata/ or another endpoint after the mount (${operation}).`,
    ],
  };
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
