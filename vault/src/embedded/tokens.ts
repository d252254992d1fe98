import type { Clock } from './kv.ts';
import { newAccessor, newToken, type SecretHash } from './secrets.ts';

/** A token, known by the hash of it. */
export interface Token {
  readonly key: string;
  readonly accessor: string;
  readonly policies: readonly string[];
  /** Where it came from: `auth/token/create`, `auth/approle/login`. */
  readonly path: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly displayName: string;
  readonly createdAt: number;
  /** Seconds granted at first; 0 for one that never expires. */
  readonly creationTtl: number;
  /** Seconds from creation after which no renewal helps. */
  readonly maxTtl: number;
  readonly explicitMaxTtl: number;
  readonly renewable: boolean;
  readonly parent: string | undefined;
  /** Milliseconds since 1970; undefined for never. */
  expiresAt: number | undefined;
  /** Uses left; 0 for no limit, -1 while its last use runs. */
  usesLeft: number;
}

/** What a new token is made from. Durations in seconds, 0 for none. */
export interface TokenSeed {
  readonly policies: readonly string[];
  readonly path: string;
  readonly displayName: string;
  readonly ttl: number;
  readonly meta?: Readonly<Record<string, string>>;
  readonly maxTtl?: number;
  readonly explicitMaxTtl?: number;
  readonly renewable?: boolean;
  readonly uses?: number;
  readonly parent?: Token | undefined;
  /** The token's text, when the caller chooses it. */
  readonly id?: string;
}

/** Vault's default and longest lease: 32 days. */
export const longestTtl = 32 * 24 * 3600;

/** All tokens of this server. A token dies with its parent. */
export class TokenStore {
  readonly #tokens = new Map<string, Token>();
  readonly #accessors = new Map<string, string>();
  readonly #children = new Map<string, Set<string>>();
  readonly #hash: SecretHash;
  readonly #clock: Clock;

  constructor(hash: SecretHash, clock: Clock) {
    this.#hash = hash;
    this.#clock = clock;
  }

  /** Makes a token. Its text is returned here and kept nowhere. */
  create(seed: TokenSeed): { text: string; token: Token } {
    const text = seed.id ?? newToken();
    const now = this.#clock();
    const token: Token = {
      key: this.#hash.of(text),
      accessor: newAccessor(),
      policies: [...new Set(seed.policies)].sort(),
      path: seed.path,
      meta: seed.meta ?? {},
      displayName: seed.displayName,
      createdAt: now,
      creationTtl: seed.ttl,
      maxTtl: seed.maxTtl ?? longestTtl,
      explicitMaxTtl: seed.explicitMaxTtl ?? 0,
      renewable: seed.ttl > 0 && (seed.renewable ?? true),
      parent: seed.parent?.key,
      expiresAt: seed.ttl > 0 ? now + seed.ttl * 1000 : undefined,
      usesLeft: seed.uses ?? 0,
    };
    this.#tokens.set(token.key, token);
    this.#accessors.set(token.accessor, token.key);
    if (token.parent !== undefined) this.#childrenOf(token.parent).add(token.key);
    return { text, token };
  }

  /** The token of this text, unless it is unknown, expired or used up. */
  find(text: string): Token | undefined {
    return this.#live(this.#tokens.get(this.#hash.of(text)));
  }

  findByAccessor(accessor: string): Token | undefined {
    const key = this.#accessors.get(accessor);
    return key === undefined ? undefined : this.#live(this.#tokens.get(key));
  }

  accessors(): string[] {
    this.sweep();
    return [...this.#accessors.keys()];
  }

  /** Whole seconds until it expires; 0 for one that never does. */
  ttl(token: Token): number {
    return token.expiresAt === undefined
      ? 0
      : Math.max(0, Math.ceil((token.expiresAt - this.#clock()) / 1000));
  }

  /** Counts one use. Returns whether this is the last one, after which the token must be revoked. */
  use(token: Token): boolean {
    if (token.usesLeft <= 0) return false;
    token.usesLeft--;
    if (token.usesLeft > 0) return false;
    token.usesLeft = -1;
    return true;
  }

  /** Extends the life by `increment` seconds (what it was created with, when 0), up to its longest. */
  renew(token: Token, increment: number): number {
    const now = this.#clock();
    const longest = token.explicitMaxTtl > 0 ? Math.min(token.explicitMaxTtl, token.maxTtl) : token.maxTtl;
    const wanted = now + (increment > 0 ? increment : token.creationTtl) * 1000;
    token.expiresAt = Math.min(wanted, token.createdAt + longest * 1000);
    return this.ttl(token);
  }

  /** Ends the token and everything it made. */
  revoke(token: Token): void {
    const doomed = [token.key];
    for (let key = doomed.pop(); key !== undefined; key = doomed.pop()) {
      doomed.push(...(this.#children.get(key) ?? []));
      this.#forget(key);
    }
  }

  /** Ends the token; what it made lives on without a parent. */
  revokeOrphaning(token: Token): void {
    for (const key of this.#children.get(token.key) ?? []) {
      const child = this.#tokens.get(key);
      if (child !== undefined) this.#tokens.set(key, { ...child, parent: undefined });
    }
    this.#children.delete(token.key);
    this.#forget(token.key);
  }

  /** Ends every token that came from a path under `prefix`. */
  revokeFrom(prefix: string): void {
    for (const token of this.#tokens.values()) if (token.path.startsWith(prefix)) this.revoke(token);
  }

  /** Forgets tokens that have expired, and their children. */
  sweep(): void {
    for (const token of this.#tokens.values()) this.#live(token);
  }

  #live(token: Token | undefined): Token | undefined {
    if (token === undefined) return undefined;
    for (let current: Token | undefined = token; current !== undefined; ) {
      if (current.expiresAt !== undefined && current.expiresAt <= this.#clock()) {
        this.revoke(current);
        return undefined;
      }
      current = current.parent === undefined ? undefined : this.#tokens.get(current.parent);
    }
    return token.usesLeft === -1 ? undefined : token;
  }

  #forget(key: string): void {
    const token = this.#tokens.get(key);
    this.#tokens.delete(key);
    this.#children.delete(key);
    if (token === undefined) return;
    this.#accessors.delete(token.accessor);
    if (token.parent !== undefined) this.#children.get(token.parent)?.delete(key);
  }

  #childrenOf(key: string): Set<string> {
    const children = this.#children.get(key) ?? new Set();
    this.#children.set(key, children);
    return children;
  }
}
