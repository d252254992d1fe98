import type { JsonObject } from '../json.ts';
import { AppRoleStore } from './approle.ts';
import { appRoleRoutes } from './approle-routes.ts';
import { type Clock, KvStore } from './kv.ts';
import { kvRoutes } from './kv-routes.ts';
import { ApiRefusal } from './refusal.ts';
import type { Route } from './routes.ts';
import { version } from './seal.ts';
import type { SecretHash } from './secrets.ts';
import { newAccessor, newId } from './secrets.ts';
import type { TokenStore } from './tokens.ts';

/** Something mounted: an engine, an auth method, or a part of the server itself. */
export interface Mount {
  readonly type: string;
  readonly accessor: string;
  readonly uuid: string;
  readonly options: JsonObject | null;
  readonly description: string;
  readonly routes: readonly Route[];
  /** Part of the server: cannot be disabled. */
  readonly builtIn: boolean;
}

const mountName = /^[\w.-]+(?:\/[\w.-]+)*$/;

/** What is mounted where. Keys are full path prefixes, ending in a slash: `secret/`, `auth/approle/`. */
export class MountTable {
  readonly #mounts = new Map<string, Mount>();
  readonly #tokens: TokenStore;
  readonly #hash: SecretHash;
  readonly #clock: Clock;

  constructor(tokens: TokenStore, hash: SecretHash, clock: Clock) {
    this.#tokens = tokens;
    this.#hash = hash;
    this.#clock = clock;
  }

  /** The mount that answers `path`, with its prefix: the longest that fits. */
  find(path: string): { prefix: string; mount: Mount } | undefined {
    let best: { prefix: string; mount: Mount } | undefined;
    for (const [prefix, mount] of this.#mounts) {
      if (`${path}/`.startsWith(prefix) && prefix.length > (best?.prefix.length ?? 0))
        best = { prefix, mount };
    }
    return best;
  }

  get(prefix: string): Mount | undefined {
    return this.#mounts.get(prefix);
  }

  /** Auth methods under `auth/` (keys without it) or engines, as `sys/auth` and `sys/mounts` show them. */
  describe(auth: boolean): JsonObject {
    const shown = [...this.#mounts]
      .filter(([prefix]) => prefix.startsWith('auth/') === auth)
      .map(([prefix, mount]) => [auth ? prefix.slice('auth/'.length) : prefix, describeMount(mount)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(shown);
  }

  /** Mounts a part of the server. */
  addBuiltIn(prefix: string, type: string, description: string, routes: readonly Route[]): void {
    this.#add(prefix, { type, description, options: null, routes, builtIn: true });
  }

  /** Mounts version 2 of the KV engine at `name`. */
  addKv(name: string, description: string): void {
    const prefix = this.#free(name, '');
    const store = new KvStore(this.#clock);
    this.#add(prefix, {
      type: 'kv',
      description,
      options: { version: '2' },
      routes: kvRoutes(store),
      builtIn: false,
    });
  }

  /** Enables AppRole at `auth/<name>`. */
  addAppRole(name: string, description: string): void {
    const prefix = this.#free(name, 'auth/');
    const store = new AppRoleStore(this.#hash, this.#clock);
    const routes = appRoleRoutes(store, this.#tokens, prefix.slice(0, -1));
    this.#add(prefix, { type: 'approle', description, options: null, routes, builtIn: false });
  }

  /** Takes the mount away with all it holds, tokens that came from it included. That none is there is no failure. */
  remove(prefix: string): void {
    if (this.#mounts.get(prefix)?.builtIn)
      throw new ApiRefusal(400, `cannot unmount ${JSON.stringify(prefix)}`);
    if (this.#mounts.delete(prefix)) this.#tokens.revokeFrom(prefix);
  }

  #add(prefix: string, mount: Omit<Mount, 'accessor' | 'uuid'>): void {
    this.#mounts.set(prefix, {
      ...mount,
      accessor: `${mount.type}_${newAccessor().slice(0, 8)}`,
      uuid: newId(),
    });
  }

  #free(name: string, under: '' | 'auth/'): string {
    if (!mountName.test(name) || name.length > 256)
      throw new ApiRefusal(400, `invalid mount path ${JSON.stringify(name)}`);
    const prefix = `${under}${name}/`;
    if (under === '' && /^(?:auth|sys|cubbyhole|identity)\//.test(prefix)) {
      throw new ApiRefusal(400, `cannot mount ${JSON.stringify(prefix)}: the path is reserved`);
    }
    for (const taken of this.#mounts.keys()) {
      if (taken.startsWith(prefix) || prefix.startsWith(taken)) {
        throw new ApiRefusal(400, `path is already in use at ${taken}`);
      }
    }
    return prefix;
  }
}

/** One mount as `sys/mounts` shows it. */
export function describeMount(mount: Mount): JsonObject {
  return {
    type: mount.type,
    description: mount.description,
    accessor: mount.accessor,
    uuid: mount.uuid,
    config: { default_lease_ttl: 0, max_lease_ttl: 0, force_no_cache: false },
    options: mount.options,
    local: false,
    seal_wrap: false,
    external_entropy_access: false,
    plugin_version: '',
    running_plugin_version: `v${version.split('+')[0]}+builtin.vault`,
    running_sha256: '',
    deprecation_status: 'supported',
  };
}
