import { type Deadline, markSecret } from '@lockstep/foundation';
import { isRefusedAs } from './classify.ts';
import { readCredentialsFile } from './credentials-file.ts';
import {
  CredentialsFileError,
  SecretKeyMissingError,
  SecretValueError,
  VaultForbiddenError,
  VaultSettingError,
} from './errors.ts';
import { type JsonObject, ownObject, ownValue } from './json.ts';
import { checkEntryPath, isBroken } from './path.ts';
import type { Outcome } from './persist.ts';
import { openVault, type VaultSession } from './session.ts';

/** Where a secret is, and how to prove that one may read it. */
export interface SecretAccess {
  /** `http://127.0.0.1:18200` */
  readonly address: string;
  readonly credentials:
    | { readonly kind: 'approle'; readonly roleIdFile: string; readonly secretIdFile: string }
    | { readonly kind: 'token'; readonly token: string };
  /** `secret/data/services-api/migrator`, as version 2 of the KV engine spells it. */
  readonly path: string;
  /** `connection_string` */
  readonly key: string;
}

/** How long to try, and whom to tell. */
export interface ReadOptions {
  readonly deadline: Deadline;
  readonly signal?: AbortSignal | undefined;
  /** Called with the reason whenever a wait begins or its reason changes. */
  readonly onWait?: ((reason: string) => void) | undefined;
}

/**
 * Reads one secret: logs in, reads the entry, returns the text under `key` and marks it as secret.
 *
 * Waits until the deadline for a Vault that is unreachable, sealed, failing (5xx) or busy (429). A refused login, a
 * forbidden or missing path, a missing key, a credentials file not written yet are repeated for about two seconds, because a bootstrap may be writing at
 * this moment; the credentials files are read again each time. Each request takes five seconds at most. The login's
 * token is not revoked: it ends with its time to live, which the role sets (`token_ttl`).
 *
 * @throws {VaultFailure} one class per reason, the last one seen when the deadline passes; or, as soon as it aborts,
 * the signal's reason
 */
export async function readSecret(access: SecretAccess, options: ReadOptions): Promise<string> {
  const path = checkEntryPath(access.path);
  if (access.key === '') throw new VaultSettingError('key', access.key, 'is empty');
  const token = access.credentials.kind === 'token' ? access.credentials.token : undefined;
  if (token === '') throw new VaultSettingError('token', undefined, 'is empty');
  options.signal?.throwIfAborted();
  const session = await openVault({ ...options, address: access.address, token });
  try {
    let loggedIn = access.credentials.kind === 'token';
    return await session.persist(async () => {
      if (!loggedIn) {
        const login = await attemptLogin(session, access);
        if (!('value' in login)) return login;
        loggedIn = true;
      }
      const entry = await session.attempt({ verb: 'read', path });
      if ('value' in entry)
        return pick(session.address, path, access.key, ownObject(entry.value.data, 'data'));
      const forbidden = isRefusedAs(entry.refusal, VaultForbiddenError);
      // A Vault that lost its memory no longer knows the token. Asking first spares secret ids with limited uses.
      if (forbidden && access.credentials.kind === 'approle') loggedIn = await session.attemptTokenCheck();
      return entry;
    });
  } finally {
    session.close();
  }
}

async function attemptLogin(session: VaultSession, { credentials }: SecretAccess): Promise<Outcome<unknown>> {
  if (credentials.kind === 'token') return { value: undefined };
  try {
    const [roleId, secretId] = await Promise.all([
      readCredentialsFile(credentials.roleIdFile),
      readCredentialsFile(credentials.secretIdFile),
    ]);
    return await session.attemptLogin({ roleId, secretId });
  } catch (error) {
    if (!(error instanceof CredentialsFileError) || !error.isUnwritten) throw error;
    const { file, problem, cause } = error;
    const hint = 'make up, whose bootstrap writes the credentials files';
    return {
      refusal: {
        patience: 'briefly',
        explain: (evidence) => new CredentialsFileError(file, problem, { evidence, hint, cause }),
      },
    };
  }
}

function pick(address: string, path: string, key: string, entry: JsonObject | undefined): Outcome<string> {
  const keys = Object.keys(entry ?? {});
  if (!keys.includes(key)) {
    const shown = keys.slice(0, 20).map((name) => JSON.stringify(name.slice(0, 60)));
    const evidence = [keys.length === 0 ? 'it has no keys' : `it has: ${shown.join(', ')}`];
    return {
      refusal: {
        patience: 'briefly',
        explain: (waited) =>
          new SecretKeyMissingError(address, path, key, { evidence: [...evidence, ...waited] }),
      },
    };
  }
  const value = ownValue(entry, key);
  const problem = problemOf(value);
  if (typeof value !== 'string' || problem !== undefined) {
    const words = problem ?? 'nothing';
    return { refusal: { patience: 'never', explain: () => new SecretValueError(address, path, key, words) } };
  }
  markSecret(value);
  return { value };
}

function problemOf(value: unknown): string | undefined {
  if (value === null) return 'it is null';
  if (Array.isArray(value)) return 'it is a list';
  if (typeof value !== 'string')
    return `it is ${typeof value === 'object' ? 'an object' : `a ${typeof value}`}`;
  if (value === '') return 'it is empty';
  return isBroken(value) ? 'it is not well-formed text' : undefined;
}
