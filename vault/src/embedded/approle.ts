import type { Clock } from './kv.ts';
import { ApiRefusal } from './refusal.ts';
import { newId, type SecretHash } from './secrets.ts';

/** Settings of a role. Durations in seconds; 0 means no limit, or Vault's default for tokens. */
export interface RoleSettings {
  secretIdUses: number;
  secretIdTtl: number;
  tokenTtl: number;
  tokenMaxTtl: number;
  tokenUses: number;
  tokenPolicies: readonly string[];
  tokenNoDefaultPolicy: boolean;
}

/** A secret id, known by the hash of it. */
export interface SecretId {
  readonly accessor: string;
  readonly createdAt: number;
  readonly ttl: number;
  readonly expiresAt: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  updatedAt: number;
  /** Uses left; 0 for no limit. */
  usesLeft: number;
}

/** One role with its secret ids. */
export interface Role {
  readonly name: string;
  readonly settings: RoleSettings;
  roleId: string;
  readonly secretIds: Map<string, SecretId>;
}

/** What a secret id may be made with. */
export interface SecretIdSeed {
  readonly text?: string | undefined;
  readonly uses?: number | undefined;
  readonly ttl?: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

const refused = 'invalid role or secret ID';

/** One AppRole auth method: roles, role ids, secret ids, and whether a pair of them may log in. */
export class AppRoleStore {
  readonly #roles = new Map<string, Role>();
  readonly #byRoleId = new Map<string, Role>();
  readonly #hash: SecretHash;
  readonly #clock: Clock;

  constructor(hash: SecretHash, clock: Clock) {
    this.#hash = hash;
    this.#clock = clock;
  }

  names(): string[] {
    return [...this.#roles.keys()].sort();
  }

  role(name: string): Role | undefined {
    return this.#roles.get(name);
  }

  /** Makes a role without any settings yet and gives it a role id. */
  create(name: string): Role {
    const role: Role = {
      name,
      settings: {
        secretIdUses: 0,
        secretIdTtl: 0,
        tokenTtl: 0,
        tokenMaxTtl: 0,
        tokenUses: 0,
        tokenPolicies: [],
        tokenNoDefaultPolicy: false,
      },
      roleId: newId(),
      secretIds: new Map(),
    };
    this.#roles.set(name, role);
    this.#byRoleId.set(role.roleId, role);
    return role;
  }

  remove(name: string): void {
    const role = this.#roles.get(name);
    if (role === undefined) return;
    this.#roles.delete(name);
    this.#byRoleId.delete(role.roleId);
  }

  /** Gives the role another role id; a role id belongs to one role only. */
  setRoleId(role: Role, roleId: string): void {
    const owner = this.#byRoleId.get(roleId);
    if (owner !== undefined && owner !== role) throw new ApiRefusal(400, 'role_id is already in use');
    this.#byRoleId.delete(role.roleId);
    role.roleId = roleId;
    this.#byRoleId.set(roleId, role);
  }

  /** Makes a secret id; its text is returned here and kept nowhere. */
  createSecretId(role: Role, seed: SecretIdSeed): { text: string; secretId: SecretId } {
    this.#sweep(role);
    const text = seed.text ?? newId();
    const key = this.#hash.of(text);
    if (role.secretIds.has(key)) throw new ApiRefusal(400, 'secret_id is already registered');
    const now = this.#clock();
    const ttl = seed.ttl ?? role.settings.secretIdTtl;
    const secretId: SecretId = {
      accessor: newId(),
      createdAt: now,
      updatedAt: now,
      ttl,
      expiresAt: ttl > 0 ? now + ttl * 1000 : undefined,
      metadata: seed.metadata,
      usesLeft: seed.uses ?? role.settings.secretIdUses,
    };
    role.secretIds.set(key, secretId);
    return { text, secretId };
  }

  secretIds(role: Role): SecretId[] {
    this.#sweep(role);
    return [...role.secretIds.values()];
  }

  findSecretId(role: Role, text: string): SecretId | undefined {
    this.#sweep(role);
    return role.secretIds.get(this.#hash.of(text));
  }

  /** Ends the secret id; logins with it fail from here on. */
  destroySecretId(role: Role, doomed: SecretId): void {
    for (const [key, secretId] of role.secretIds) if (secretId === doomed) role.secretIds.delete(key);
  }

  /**
   * Checks a role id and a secret id and counts the use.
   *
   * @throws {ApiRefusal} 400, with the same words whichever of the two is wrong
   */
  login(roleId: string, secretText: string): { role: Role; metadata: Readonly<Record<string, string>> } {
    if (roleId === '') throw new ApiRefusal(400, 'missing role_id');
    const role = this.#byRoleId.get(roleId);
    if (role === undefined) throw new ApiRefusal(400, refused);
    if (secretText === '') throw new ApiRefusal(400, 'missing secret_id');
    const secretId = this.findSecretId(role, secretText);
    if (secretId === undefined) throw new ApiRefusal(400, refused);
    if (secretId.usesLeft === 1) this.destroySecretId(role, secretId);
    else if (secretId.usesLeft > 1) {
      secretId.usesLeft--;
      secretId.updatedAt = this.#clock();
    }
    return { role, metadata: { ...secretId.metadata, role_name: role.name } };
  }

  #sweep(role: Role): void {
    const now = this.#clock();
    for (const [key, { expiresAt }] of role.secretIds) {
      if (expiresAt !== undefined && expiresAt <= now) role.secretIds.delete(key);
    }
  }
}
