import { VaultMountError, VaultSealedError, VaultStandbyError, VaultUninitialisedError } from './errors.ts';
import { type JsonObject, ownObject, ownText, ownValue } from './json.ts';
import type { VaultHealth, VaultSession } from './session.ts';

/** One entry of the KV engine, version 2. */
export interface KvEntry {
  readonly data: JsonObject;
  readonly version: number;
}

/** Waits until Vault is reachable, initialised, unsealed and active; the failure is the last reason it was not. */
export async function waitUntilReady(session: VaultSession): Promise<VaultHealth> {
  return session.persist(async () => {
    const outcome = await session.attemptHealth();
    if (!('value' in outcome)) return outcome;
    const unready = unreadiness(outcome.value);
    if (unready === undefined) return outcome;
    return {
      refusal: {
        patience: 'until-deadline',
        explain: (evidence) => new unready(session.address, { evidence }),
      },
    };
  });
}

function unreadiness({ initialised, sealed, standby }: VaultHealth) {
  if (!initialised) return VaultUninitialisedError;
  if (sealed) return VaultSealedError;
  return standby ? VaultStandbyError : undefined;
}

/**
 * Makes sure that version 2 of the KV engine is mounted at `mount`. Returns whether it had to be mounted.
 *
 * @throws {VaultMountError} when something else is mounted there
 */
export async function ensureKvMount(session: VaultSession, mount: string): Promise<boolean> {
  const found = ownObject(await session.read('sys/mounts'), `${mount}/`);
  if (found === undefined) {
    await session.write(`sys/mounts/${mount}`, { type: 'kv', options: { version: '2' } });
    return true;
  }
  const type = ownText(found, 'type') ?? 'something unknown';
  const version = ownText(ownObject(found, 'options'), 'version') ?? '1';
  if (type !== 'kv' || version !== '2') {
    const what = type === 'kv' ? `version ${version} of the KV engine` : `the ${type} engine`;
    throw new VaultMountError(session.address, `${mount}/`, what, 'version 2 of the KV engine');
  }
  return false;
}

/**
 * Makes sure that the AppRole auth method is enabled at `auth/<mount>`. Returns whether it had to be enabled.
 *
 * @throws {VaultMountError} when another method is enabled there
 */
export async function ensureAppRoleAuth(session: VaultSession, mount = 'approle'): Promise<boolean> {
  const found = ownObject(await session.read('sys/auth'), `${mount}/`);
  if (found === undefined) {
    await session.write(`sys/auth/${mount}`, { type: 'approle' });
    return true;
  }
  const type = ownText(found, 'type') ?? 'unknown';
  if (type !== 'approle') {
    throw new VaultMountError(session.address, `auth/${mount}/`, `the ${type} auth method`, 'AppRole');
  }
  return false;
}

/** The policy's text as it was written; undefined when there is none of this name. */
export async function readPolicy(session: VaultSession, name: string): Promise<string | undefined> {
  return ownText(await session.read(`sys/policies/acl/${name}`), 'policy');
}

/** Writes an ACL policy, HCL or JSON. Takes effect at once, for tokens that exist as well. */
export async function writePolicy(session: VaultSession, name: string, policy: string): Promise<void> {
  await session.write(`sys/policies/acl/${name}`, { policy });
}

/** The role's settings as Vault reports them; undefined when there is none of this name. */
export async function readAppRole(
  session: VaultSession,
  role: string,
  mount = 'approle',
): Promise<JsonObject | undefined> {
  return session.read(`auth/${mount}/role/${role}`);
}

/** Makes the role, or changes the given settings of it (`token_policies`, `token_ttl`, `secret_id_num_uses` ...). */
export async function writeAppRole(
  session: VaultSession,
  role: string,
  settings: JsonObject,
  mount = 'approle',
): Promise<void> {
  await session.write(`auth/${mount}/role/${role}`, settings);
}

/** The role's id; undefined when there is no such role. */
export async function readRoleId(
  session: VaultSession,
  role: string,
  mount = 'approle',
): Promise<string | undefined> {
  return ownText(await session.read(`auth/${mount}/role/${role}/role-id`), 'role_id');
}

/** Makes a new secret id for the role; earlier ones stay valid. */
export async function createSecretId(
  session: VaultSession,
  role: string,
  mount = 'approle',
): Promise<string> {
  const data = await session.write(`auth/${mount}/role/${role}/secret-id`, {});
  return ownText(data, 'secret_id') ?? '';
}

/** The latest version of the entry at `secret/data/...`; undefined when it is absent, deleted or destroyed. */
export async function readEntry(session: VaultSession, path: string): Promise<KvEntry | undefined> {
  const answer = await session.read(path);
  const data = ownObject(answer, 'data');
  const version = ownValue(ownObject(answer, 'metadata'), 'version');
  return data === undefined ? undefined : { data, version: typeof version === 'number' ? version : 0 };
}

/**
 * Writes a version of the entry at `secret/data/...` and returns its number.
 *
 * A write whose answer was lost is sent again. With `expected` that shows as an {@link EntryChangedError} although the
 * first one was kept: read the entry before you judge.
 *
 * @param expected the version that must be the latest, 0 for an entry that must not exist; anything goes without it
 * @throws {EntryChangedError} when the latest version is another one
 */
export async function writeEntry(
  session: VaultSession,
  path: string,
  data: JsonObject,
  expected?: number,
): Promise<number> {
  const options = expected === undefined ? {} : { options: { cas: expected } };
  const version = ownValue(await session.write(path, { data, ...options }), 'version');
  return typeof version === 'number' ? version : 0;
}
