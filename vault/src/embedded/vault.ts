import type { JsonObject } from '../json.ts';
import { Fields } from './fields.ts';
import type { Clock } from './kv.ts';
import { unversionedPath } from './kv-routes.ts';
import { MountTable } from './mounts.ts';
import { PolicyStore } from './policies.ts';
import type { Capability } from './policy.ts';
import { ApiRefusal, listed, notHere } from './refusal.ts';
import { type Answer, answerWith, type Call, findRoute, type Match, type Operation } from './routes.ts';
import { Seal } from './seal.ts';
import { newToken, SecretHash } from './secrets.ts';
import { sysRoutes } from './sys-routes.ts';
import { tokenRoutes } from './token-routes.ts';
import { type Token, TokenStore } from './tokens.ts';

/** A request once HTTP is taken off it. */
export interface ApiRequest {
  readonly operation: Operation;
  /** Without `/v1/`, decoded and checked. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: JsonObject;
  readonly tokenText: string;
}

/** The development Vault without its network: state in memory, and what each request does to it. */
export class EmbeddedVault {
  readonly seal = new Seal();
  readonly #hash = new SecretHash();
  readonly #tokens: TokenStore;
  readonly #policies = new PolicyStore();
  readonly #mounts: MountTable;

  constructor(clock: Clock = Date.now) {
    this.#tokens = new TokenStore(this.#hash, clock);
    this.#mounts = new MountTable(this.#tokens, this.#hash, clock);
    const parts = { seal: this.seal, mounts: this.#mounts, policies: this.#policies, tokens: this.#tokens };
    this.#mounts.addBuiltIn('sys/', 'system', 'the server itself', sysRoutes(parts));
    const mayAsRoot = (call: Call) => this.#mayAsRoot(call.token, call.path);
    this.#mounts.addBuiltIn('auth/token/', 'token', 'tokens', tokenRoutes(this.#tokens, { mayAsRoot }));
    this.#mounts.addKv('secret', 'key/value secret storage');
  }

  /** Initialises with one key share and a root token that never expires. The server stays sealed. */
  initialise(given: { rootToken?: string | undefined; unsealKey?: string | undefined } = {}) {
    const unsealKey = this.seal.initialise(given.unsealKey);
    const rootToken = given.rootToken ?? newToken();
    this.#tokens.create({
      id: rootToken,
      policies: ['root'],
      path: 'auth/token/root',
      displayName: 'root',
      ttl: 0,
    });
    return { unsealKey, rootToken };
  }

  /** Forgets tokens that have expired. */
  sweep(): void {
    this.#tokens.sweep();
  }

  /**
   * Answers a request; undefined means done, with nothing to say.
   *
   * @throws {ApiRefusal} with Vault's status and words
   */
  answer(request: ApiRequest): Answer | undefined {
    const unguarded = this.#answerUnguarded(request);
    if (unguarded !== undefined) return unguarded;
    if (this.seal.sealed) throw new ApiRefusal(503, 'Vault is sealed');
    if (request.path.endsWith('/') && request.operation === 'update') {
      throw new ApiRefusal(400, "cannot write to a path ending in '/'");
    }
    const found = this.#mounts.find(request.path);
    const match = found && findRoute(found.mount.routes, request.path.slice(found.prefix.length));
    if (match?.route.open) return answerWith(match.route, this.#call(request, match, undefined));

    const token = this.#admit(request.tokenText);
    const isLastUse = this.#tokens.use(token);
    try {
      this.#authorise(request, match, token);
      if (found === undefined) {
        throw new ApiRefusal(
          404,
          `no handler for route ${JSON.stringify(request.path)}. route entry not found.`,
        );
      }
      if (match !== undefined) return answerWith(match.route, this.#call(request, match, token));
      if (found.mount.type === 'kv') return unversionedPath(request.operation);
      throw notHere(request.path);
    } finally {
      if (isLastUse) this.#tokens.revoke(token);
    }
  }

  /** What is answered without a token, sealed or not. */
  #answerUnguarded({ operation, path, query, body }: ApiRequest): Answer | undefined {
    const route = `${operation} ${path.replace(/\/$/, '')}`;
    switch (route) {
      case 'read sys/health': {
        const health = this.seal.health(query);
        return { status: health.status, plain: health.body };
      }
      case 'read sys/seal-status':
        return { plain: this.seal.status() };
      case 'read sys/leader':
        if (this.seal.sealed) return undefined;
        return {
          plain: { ha_enabled: false, is_self: false, leader_address: '', leader_cluster_address: '' },
        };
      case 'read sys/init':
        return { plain: { initialized: this.seal.initialised } };
      case 'update sys/init':
        return this.#initialiseBy(body);
      case 'update sys/unseal':
        if (new Fields(body).flag('reset') !== true) this.seal.unseal(new Fields(body).required('key'));
        return { plain: this.seal.status() };
      default:
        return undefined;
    }
  }

  #initialiseBy(body: JsonObject): Answer {
    const fields = new Fields(body);
    fields.unsupported('pgp_keys', 'root_token_pgp_key', 'recovery_shares', 'stored_shares');
    if (fields.amount('secret_shares') !== 1 || fields.amount('secret_threshold') !== 1) {
      throw new ApiRefusal(
        400,
        'the embedded development Vault has one key share: secret_shares and secret_threshold must be 1',
      );
    }
    const { unsealKey, rootToken } = this.initialise();
    const base64 = Buffer.from(unsealKey, 'hex').toString('base64');
    return { plain: { keys: [unsealKey], keys_base64: [base64], root_token: rootToken } };
  }

  #admit(text: string): Token {
    if (text === '') throw new ApiRefusal(403, 'permission denied');
    const token = this.#tokens.find(text);
    if (token === undefined) throw new ApiRefusal(403, listed('permission denied', 'invalid token'));
    return token;
  }

  #authorise(request: ApiRequest, match: Match | undefined, token: Token): void {
    if (token.policies.includes('root')) return;
    const acl = this.#policies.acl(token.policies);
    // Vault lists folders, whether or not the request says so.
    const isList = request.operation === 'list';
    const path = isList && !request.path.endsWith('/') ? `${request.path}/` : request.path;
    const granted = acl.granted(path, isList);
    const needsSudo = match?.route.sudo?.includes(request.operation) ?? false;
    const allowed =
      granted.has(this.#capability(request, match, token)) && (!needsSudo || granted.has('sudo'));
    if (!allowed || granted.has('deny')) throw new ApiRefusal(403, listed('permission denied'));
  }

  #capability(request: ApiRequest, match: Match | undefined, token: Token): Capability {
    if (request.operation !== 'update' || match?.route.exists === undefined) return request.operation;
    return match.route.exists(this.#call(request, match, token)) ? 'update' : 'create';
  }

  #mayAsRoot(token: Token | undefined, path: string): boolean {
    if (token === undefined) return false;
    if (token.policies.includes('root')) return true;
    const granted = this.#policies.acl(token.policies).granted(path, false);
    return granted.has('sudo') && !granted.has('deny');
  }

  #call(request: ApiRequest, match: Match, token: Token | undefined): Call {
    return { ...request, params: match.params, token };
  }
}
